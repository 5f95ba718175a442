package dev.chasqui.cli;

import dev.chasqui.llama.LlamaException;
import dev.chasqui.node.backend.BackendChoice;
import dev.chasqui.node.backend.Backends;
import dev.chasqui.node.backend.GpuLibrary;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Fetches a GPU's library, which a node else does when it starts. */
@Command(
        name = "fetch",
        description = {
            "Fetches the library for this machine's GPU, which a node else does when it first starts.",
            "Named, it is fetched wherever this runs, such as for an image."
        },
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class BackendFetchCommand implements Callable<Integer> {
    @Parameters(
            arity = "0..1",
            paramLabel = "NAME",
            description =
                    "cuda13 (drivers from CUDA 13 on), cuda12 (from CUDA 12 on) or vulkan. Default: what fits here.")
    @Nullable
    private String name;

    @Option(
            names = "--to",
            paramLabel = "DIR",
            description =
                    "Where to put it; CHASQUI_LIBRARIES then tells a node to look there. Default: cache in CHASQUI_HOME.")
    @Nullable
    private Path to;

    @Override
    public Integer call() throws InterruptedException {
        LogOptions.quiet();
        Path folder = to == null ? ChasquiHome.of(System.getenv()).cache() : to.toAbsolutePath();
        Backends backends = Backends.here(folder, to == null ? ChasquiHome.preparedLibraries(System.getenv()) : null);
        GpuLibrary library = library(backends);
        try {
            backends.fetch(library, line -> System.err.println("chasqui: " + line));
        } catch (LlamaException problem) {
            throw new Failure(library.label() + ": " + problem.getMessage(), 1);
        }
        System.out.println(library.label() + " is here, checked");
        return 0;
    }

    private GpuLibrary library(Backends backends) {
        try {
            if (name != null) {
                return GpuLibrary.parse(name);
            }
            BackendChoice choice = backends.choose(null);
            if (choice.library() == null) {
                throw new Failure("no library fits this machine: " + choice.reason(), 1);
            }
            return choice.library();
        } catch (IllegalArgumentException wrong) {
            throw new Failure(String.valueOf(wrong.getMessage()), 2);
        }
    }
}
