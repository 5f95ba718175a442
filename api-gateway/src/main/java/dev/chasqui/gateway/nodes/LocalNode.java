package dev.chasqui.gateway.nodes;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node that runs as a child process of the gateway: started, watched, started again when it dies or hangs, and ended
 * with the gateway.
 *
 * <p>The child writes to the gateway's own output and holds the read end of a pipe as its standard input, on which
 * nothing ever comes: when the gateway is gone, however that happened, the pipe closes, and the child must exit.
 *
 * <p>One thread owns the child from its start to its end; the state is published as an immutable {@link Status}.
 */
public final class LocalNode implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(LocalNode.class);

    /** How long restarts wait and when they are forgotten. */
    record Backoff(Duration first, Duration longest, Duration forgottenAfter) {
        static final Backoff DEFAULT =
                new Backoff(Duration.ofMillis(500), Duration.ofSeconds(30), Duration.ofMinutes(1));

        Duration next(Duration last, Duration livedFor) {
            if (last.isZero() || livedFor.compareTo(forgottenAfter) >= 0) {
                return first;
            }
            Duration doubled = last.multipliedBy(2);
            return doubled.compareTo(longest) < 0 ? doubled : longest;
        }
    }

    /** What the child is doing. */
    public enum State {
        /** It lives, and has not answered yet; who watches the node knows when it does. */
        STARTING,
        /** It died and waits for its next start. */
        RESTARTING,
        /** It was ended, for good. */
        STOPPED;

        /** As the wire writes it. */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * The child at a moment.
     *
     * @param restarts how often it was started again
     * @param lastExitCode of the child before this one, where there was one
     * @param pid of the living child, if it lives
     */
    public record Status(
            State state,
            int restarts,
            @Nullable Integer lastExitCode,
            @Nullable Long pid) {}

    /** The exit code by which the child says that it cannot be started as it was told. */
    private static final int BAD_SETTINGS = 2;

    private final List<String> command;
    private final Backoff backoff;
    private final Duration patience;
    private final Runnable started;
    private final Thread supervisor;
    private final CompletableFuture<Void> unusable = new CompletableFuture<>();
    private volatile boolean closing;
    private volatile Status status = new Status(State.STARTING, 0, null, null);
    private volatile @Nullable Process child;

    /**
     * @param command program and arguments
     * @param started called after each start, on the supervisor's thread
     */
    public LocalNode(List<String> command, Runnable started) {
        this(command, started, Backoff.DEFAULT, Duration.ofSeconds(10));
    }

    LocalNode(List<String> command, Runnable started, Backoff backoff, Duration patience) {
        if (command.isEmpty()) {
            throw new IllegalArgumentException("no command (expected: a program and its arguments)");
        }
        this.command = List.copyOf(command);
        this.started = started;
        this.backoff = backoff;
        this.patience = patience;
        supervisor = new Thread(this::supervise, "chasqui-supervisor");
        supervisor.setDaemon(true);
    }

    /** Comes where the child refuses its settings, as its first exit code says: it is not started again. */
    public CompletableFuture<Void> unusable() {
        return unusable;
    }

    /** Starts the child and returns at once. */
    public void start() {
        supervisor.start();
    }

    public Status status() {
        return status;
    }

    /** Kills the child, which does not do its work any more, and starts it again as after any death. */
    public void killHanging() {
        Process process = child;
        if (process != null && process.isAlive()) {
            log.warn("the local node hangs and is killed");
            process.destroyForcibly();
        }
    }

    /** No more restarts from now on: a child that dies was told to. */
    public void expectEnd() {
        closing = true;
    }

    /** Asks the child to end, waits for it up to ten seconds, then kills it. */
    @Override
    public void close() {
        closing = true;
        Process process = child;
        if (process != null && process.isAlive()) {
            end(process);
        }
        supervisor.interrupt();
        status = new Status(State.STOPPED, status.restarts(), status.lastExitCode(), null);
    }

    private void end(Process process) {
        process.destroy();
        try {
            if (!process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
                log.warn("the local node did not end within {} s and is killed", patience.toSeconds());
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }

    private void supervise() {
        Duration wait = Duration.ZERO;
        try {
            while (!closing) {
                long startNanos = System.nanoTime();
                Integer exitCode = runOnce();
                if (closing) {
                    return;
                }
                if (exitCode != null && exitCode == BAD_SETTINGS && status.restarts() == 0) {
                    status = new Status(State.STOPPED, 0, exitCode, null);
                    unusable.complete(null);
                    return;
                }
                wait = backoff.next(wait, Duration.ofNanos(System.nanoTime() - startNanos));
                status = new Status(State.RESTARTING, status.restarts(), exitCode, null);
                log.warn(
                        "the local node {}; it starts again in {} s",
                        exitCode == null ? "could not be started" : "ended with exit code " + exitCode,
                        wait.toMillis() / 1000.0);
                Thread.sleep(wait.toMillis());
                status = new Status(State.STARTING, status.restarts() + 1, exitCode, null);
            }
        } catch (InterruptedException e) {
            // Closed.
        }
    }

    /** One life of the child; null where it could not be started. */
    private @Nullable Integer runOnce() throws InterruptedException {
        Process process;
        try {
            process = new ProcessBuilder(command)
                    .redirectOutput(ProcessBuilder.Redirect.INHERIT)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
        } catch (IOException e) {
            log.error("the local node cannot be started: {}", e.getMessage());
            return null;
        }
        child = process;
        if (closing) {
            end(process);
        }
        status = new Status(State.STARTING, status.restarts(), status.lastExitCode(), process.pid());
        started.run();
        return process.waitFor();
    }
}
