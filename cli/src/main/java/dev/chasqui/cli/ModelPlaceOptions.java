package dev.chasqui.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which models a command is about. */
final class ModelPlaceOptions {
    @Mixin
    private ServerOptions server;

    @Option(
            names = "--models-path",
            paramLabel = "DIR",
            description =
                    "A folder of this machine, in place of any server's. Default: models in CHASQUI_HOME, if no server answers.")
    @Nullable
    private Path modelsPath;

    @Option(names = "--json", description = "Write JSON.")
    boolean json;

    /** A running server's models, else those of this machine. */
    ModelPlace open() {
        // Whatever goes wrong is told once, by the command.
        LogOptions.quiet();
        if (modelsPath != null && !server.isNamed()) {
            return LocalModels.open(modelsPath);
        }
        Optional<ServerClient> found = server.find();
        return found.isPresent() ? new RemoteModels(found.get()) : LocalModels.open(modelsPath);
    }

    /** Who looks into a folder that is not there is told so, as the name may be a slip. */
    void tellOfMissingFolder() {
        if (modelsPath != null && !server.isNamed() && !Files.isDirectory(modelsPath)) {
            System.err.println("--models-path: " + modelsPath + " is not there yet");
        }
    }

    /** @throws Failure where no server answers */
    RemoteModels remote() {
        return new RemoteModels(server.required());
    }

    /**
     * Shows how far it is.
     *
     * @param interrupted what Ctrl-C says at its end
     */
    ProgressPrinter progress(String interrupted) {
        ProgressPrinter progress = ProgressPrinter.onError();
        Signals.endOnInterrupt(() -> {
            progress.end();
            System.err.println("chasqui: " + interrupted);
        });
        return progress;
    }
}
