package dev.chasqui.cli;

import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.bridge.SLF4JBridgeHandler;
import org.slf4j.event.Level;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** How much is logged. */
final class LogOptions {

    @Option(
            names = "--log-level",
            paramLabel = "LEVEL",
            defaultValue = "info",
            description = "error, warn, info or debug. No level logs prompts or answers. Default: ${DEFAULT-VALUE}.")
    private Level level;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    /** Must run before the first logger is asked for. */
    void apply() {
        apply(level);
        if (command.defaultValueProvider() instanceof EnvironmentDefaults environment) {
            Logger log = LoggerFactory.getLogger(LogOptions.class);
            for (String name : environment.passedOver()) {
                log.info(
                        "{} is passed over: it tells of a service of that name, as Kubernetes does, and names no port",
                        name);
            }
        }
    }

    /** For commands whose output is not a log: errors only. Must run before the first logger is asked for. */
    static void quiet() {
        apply(Level.ERROR);
    }

    private static void apply(Level level) {
        System.setProperty(LogConfiguration.LEVEL_PROPERTY, level.name());
        // gRPC logs through the JDK.
        SLF4JBridgeHandler.removeHandlersForRootLogger();
        SLF4JBridgeHandler.install();
        // Spring would set up logging once more, in its own way.
        System.setProperty("org.springframework.boot.logging.LoggingSystem", "none");
    }

    /** The same option for another process. */
    List<String> arguments() {
        return List.of("--log-level", level.name());
    }
}
