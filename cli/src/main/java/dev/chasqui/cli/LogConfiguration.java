package dev.chasqui.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.spi.ContextAwareBase;

/**
 * Logs both processes to standard error, one line an event. Written in code, as reading an XML file would be a tenth of
 * the start. Libraries never log below WARN, whatever the level is: their finer levels print what they carry, and that
 * is prompts and answers.
 */
public final class LogConfiguration extends ContextAwareBase implements Configurator {

    /** The level of Chasqui's own loggers, set before the first of them is made. */
    static final String LEVEL_PROPERTY = "chasqui.log.level";

    private static final String PATTERN = "%d{yyyy-MM-dd HH:mm:ss.SSS} %-5level %logger{0}: %msg%n%ex{full}";

    @Override
    public ExecutionStatus configure(LoggerContext context) {
        PatternLayoutEncoder encoder = new PatternLayoutEncoder();
        encoder.setContext(context);
        // On a terminal a progress line may stand there; it is drawn anew after this.
        encoder.setPattern(System.getenv("CHASQUI_TERMINAL") == null ? PATTERN : "\r\u001b[K" + PATTERN);
        encoder.start();

        ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>();
        console.setContext(context);
        console.setName("stderr");
        console.setTarget("System.err");
        console.setEncoder(encoder);
        console.start();

        Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        root.setLevel(Level.WARN);
        root.addAppender(console);
        // A load that fails is told where it was asked for.
        context.getLogger("com.github.benmanes.caffeine").setLevel(Level.OFF);
        // Whoever is told of the end of a call after its connection's thread has ended, as a node that stops has it.
        context.getLogger("io.grpc.netty.shaded.io.netty.util.concurrent.DefaultPromise.rejectedExecution")
                .setLevel(Level.OFF);
        // What matters of the database is said by its owner, without statements.
        context.getLogger("org.flywaydb").setLevel(Level.ERROR);
        context.getLogger("io.r2dbc").setLevel(Level.ERROR);
        // A start that fails is told in one sentence, not once more at length.
        context.getLogger("org.springframework.boot.SpringApplication").setLevel(Level.OFF);
        context.getLogger("org.springframework.boot.web.server.reactive.context")
                .setLevel(Level.ERROR);
        context.getLogger("org.springframework.boot.diagnostics").setLevel(Level.OFF);
        context.getLogger("dev.chasqui").setLevel(Level.toLevel(System.getProperty(LEVEL_PROPERTY), Level.INFO));
        return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
    }
}
