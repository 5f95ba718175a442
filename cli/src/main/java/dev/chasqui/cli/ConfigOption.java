package dev.chasqui.cli;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which configuration file counts. It is read before the arguments are understood, by {@link Configuration}. */
final class ConfigOption {
    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "A configuration file. Default: application.yaml in CHASQUI_HOME, if it is there.")
    @Nullable
    private Path config;

    /** The same option for another process. */
    List<String> arguments() {
        return config == null
                ? List.of()
                : List.of("--config", config.toAbsolutePath().toString());
    }
}
