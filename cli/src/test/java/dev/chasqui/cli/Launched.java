package dev.chasqui.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** A real {@code ./chasqui …} of the packaged build, in processes of its own, which end with the test. */
final class Launched implements AutoCloseable {

    static final Path ROOT = Path.of(System.getProperty("chasqui.root"));

    private final Process process;
    private final StringBuffer output = new StringBuffer();
    private final Thread reader;

    private Launched(Process process) {
        this.process = process;
        this.reader = new Thread(this::read, "output of " + process.pid());
        reader.setDaemon(true);
        reader.start();
    }

    /** Starts the launcher with this home, the JVM of the tests, and the build as it is. */
    static Launched start(Path home, Map<String, String> environment, List<String> arguments) {
        return start(List.of(), home, environment, arguments);
    }

    /** The same behind a command that runs another, such as {@code ip netns exec NAME}. */
    static Launched start(List<String> runner, Path home, Map<String, String> environment, List<String> arguments) {
        List<String> command = new ArrayList<>(runner);
        command.add(ROOT.resolve("chasqui").toString());
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().keySet().removeIf(name -> name.startsWith("CHASQUI_"));
        builder.environment().put("CHASQUI_HOME", home.toString());
        builder.environment().put("CHASQUI_BUILD", "never");
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().putAll(environment);
        try {
            return new Launched(builder.start());
        } catch (IOException problem) {
            throw new UncheckedIOException(problem);
        }
    }

    static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException problem) {
            throw new UncheckedIOException(problem);
        }
    }

    /** Looks every 20 ms; fails with what was waited for when the time is over. */
    static void await(String what, Duration limit, BooleanSupplier condition) {
        long end = System.nanoTime() + limit.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("not within " + limit.toMillis() + " ms: " + what);
            }
            try {
                Thread.sleep(20);
            } catch (InterruptedException problem) {
                throw new IllegalStateException(problem);
            }
        }
    }

    private void read() {
        byte[] buffer = new byte[4096];
        try {
            for (int n = process.getInputStream().read(buffer);
                    n >= 0;
                    n = process.getInputStream().read(buffer)) {
                output.append(new String(buffer, 0, n, UTF_8));
            }
        } catch (IOException closed) {
            // The process is gone, and with it its output.
        }
    }

    long pid() {
        return process.pid();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Processes that it started and that run. */
    List<ProcessHandle> children() {
        return process.descendants().toList();
    }

    /** What both processes have written so far. */
    String output() {
        return output.toString();
    }

    /** Sends SIGTERM. */
    void terminate() {
        process.destroy();
    }

    /** Sends SIGKILL, as the kernel does when memory is short. */
    void kill() {
        process.destroyForcibly();
    }

    /** The exit code, when it has ended and all of its output was read. */
    int exitCode(Duration limit) {
        try {
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new AssertionError("still runs after " + limit + ":\n" + output());
            }
            reader.join(5_000);
            return process.exitValue();
        } catch (InterruptedException problem) {
            throw new IllegalStateException(problem);
        }
    }

    @Override
    public void close() {
        List<ProcessHandle> children = children();
        process.destroy();
        try {
            if (!process.waitFor(20, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException problem) {
            process.destroyForcibly();
        }
        children.forEach(ProcessHandle::destroyForcibly);
    }
}
