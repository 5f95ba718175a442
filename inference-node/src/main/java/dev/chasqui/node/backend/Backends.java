package dev.chasqui.node.backend;

import dev.chasqui.llama.Backend;
import dev.chasqui.llama.Llama;
import dev.chasqui.llama.LlamaException;
import dev.chasqui.node.programs.Program;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Chooses what computes on this machine, and brings its library in. A GPU's library is one more file beside the CPU's ones, of the
 * same release: llama.cpp takes it in when it is there.
 */
public final class Backends {
    private static final Logger log = LoggerFactory.getLogger(Backends.class);
    private static final long TELL_NANOS = 5_000_000_000L;

    private final GpuMachine machine;
    private final Path folder;
    private final List<Path> folders;
    private final LibraryFetch fetch;

    Backends(GpuMachine machine, Path folder, @Nullable Path prepared, LibraryFetch fetch) {
        this.machine = machine;
        this.folder = folder;
        this.folders = prepared == null ? List.of(folder) : List.of(prepared, folder);
        this.fetch = fetch;
    }

    /**
     * Those of this machine.
     *
     * @param folder where what is fetched is kept
     * @param prepared where it may lie already, such as in an image; null: nowhere
     */
    public static Backends here(Path folder, @Nullable Path prepared) {
        return new Backends(
                GpuMachine.here(Llama.platform()),
                folder,
                prepared,
                new LibraryFetch(folder, Program.NPM, Program.PIP));
    }

    /**
     * What is to compute.
     *
     * @param wanted by the operator; null: the best that can be
     * @throws IllegalArgumentException where what is wanted cannot be on this machine
     */
    public BackendChoice choose(@Nullable Backend wanted) {
        BackendChoice choice = BackendChoice.of(wanted, machine);
        // What runs on newer drivers as well is rather taken than another one fetched.
        return choice.library() == GpuLibrary.CUDA13
                        && missingMegabytes(GpuLibrary.CUDA13) > 0
                        && missingMegabytes(GpuLibrary.CUDA12) == 0
                ? new BackendChoice(GpuLibrary.CUDA12, choice.reason())
                : choice;
    }

    /** Millions of bytes that still have to be fetched before it can compute; 0: it is all here. */
    public int missingMegabytes(GpuLibrary library) {
        int missing = find(libraryFolder(library)).isPresent() ? 0 : library.megabytes();
        return missing + (toolkit(library).isPresent() ? 0 : library.toolkitMegabytes());
    }

    /**
     * Fetches what is missing of a library.
     *
     * @param tell hears a line now and then
     * @throws LlamaException LOAD_FAILED with the reason
     */
    public void fetch(GpuLibrary library, Consumer<String> tell) throws InterruptedException {
        String name = library.label();
        if (find(libraryFolder(library)).isEmpty()) {
            fetch.library(library, folder.resolve(libraryFolder(library)), slowly("library " + name, tell));
        }
        if (toolkit(library).isEmpty()) {
            fetch.toolkit(library, folder.resolve(toolkitFolder(library)), slowly("toolkit of " + name, tell));
        }
    }

    private static LibraryFetch.Progress slowly(String what, Consumer<String> tell) {
        long[] next = {System.nanoTime()};
        return (megabytes, ofMegabytes) -> {
            if (System.nanoTime() >= next[0]) {
                next[0] = System.nanoTime() + TELL_NANOS;
                tell.accept("fetching the " + what + ": " + megabytes + " of " + ofMegabytes + " MB");
            }
        };
    }

    /**
     * Lets llama.cpp compute as was chosen, fetching what is missing. Before the first model; where that fails the processor
     * computes.
     *
     * @param tell hears how that came out, a sentence that an operator should know
     */
    public void prepare(Llama llama, BackendChoice choice, Consumer<String> tell) throws InterruptedException {
        GpuLibrary library = choice.library();
        if (library == null) {
            log.info("the processor computes: {}", choice.reason());
            return;
        }
        try {
            int missing = missingMegabytes(library);
            if (missing > 0) {
                tell.accept("fetching the library for " + choice.reason() + ": " + library.label() + ", " + missing
                        + " MB, once");
                fetch(library, log::info);
            }
            load(llama, library);
            log.info("{} computes: {}", library.label(), choice.reason());
        } catch (LlamaException e) {
            tell.accept("the processor computes, as " + library.label() + " cannot be used: " + e.getMessage());
        }
    }

    /**
     * Loads a library that is here.
     *
     * @throws LlamaException LOAD_FAILED with the reason
     */
    public void load(Llama llama, GpuLibrary library) {
        List<Path> needed = new ArrayList<>();
        machine.library(library.driver()).ifPresent(needed::add);
        toolkit(library).ifPresent(needed::addAll);
        Path file = find(libraryFolder(library))
                .orElseThrow(() -> new LlamaException(LlamaException.Reason.LOAD_FAILED, "it was not fetched yet"))
                .resolve(library.fileName());
        llama.addBackend(file, needed);
    }

    /** The files that it needs of a toolkit, of the system or as they were fetched; absent where they are not all here. */
    private Optional<List<Path>> toolkit(GpuLibrary library) {
        Optional<Path> fetched = find(toolkitFolder(library));
        List<Path> files = new ArrayList<>();
        for (String name : library.toolkit()) {
            Optional<Path> file = machine.library(name).or(() -> fetched.map(one -> one.resolve(name)));
            if (file.isEmpty()) {
                return Optional.empty();
            }
            files.add(file.get());
        }
        return Optional.of(files);
    }

    private Optional<Path> find(String name) {
        return folders.stream()
                .map(one -> one.resolve(name))
                .filter(Files::isDirectory)
                .findFirst();
    }

    private static String libraryFolder(GpuLibrary library) {
        return "gpu-" + library.label() + "-" + Pins.mark(library, Pins.PACKAGES);
    }

    private static String toolkitFolder(GpuLibrary library) {
        return library.toolkit().isEmpty()
                ? "none"
                : "toolkit-" + library.label() + "-" + Pins.mark(library, Pins.WHEELS);
    }
}
