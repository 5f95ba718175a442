package dev.chasqui.node.programs;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs of a program that ends by itself, without input and within a time. Interrupting the caller ends it. */
public final class Program {
    /** The ways to call pip, tried in this order. */
    public static final List<List<String>> PIP =
            List.of(List.of("python3", "-m", "pip"), List.of("pip3"), List.of("pip"), List.of("python", "-m", "pip"));

    /** The way to call npm. */
    public static final List<List<String>> NPM = List.of(List.of("npm"));

    private static final Logger log = LoggerFactory.getLogger(Program.class);
    private static final Duration PROBE_PATIENCE = Duration.ofSeconds(30);
    private static final int POLL_MILLIS = 250;
    private static final int SHOWN = 200;

    private final List<String> command;
    private final Path scratch;

    private Program(List<String> command, Path scratch) {
        this.command = command;
        this.scratch = scratch;
    }

    /**
     * How a run went.
     *
     * @param exitCode -1 where it took too long
     * @param lastError the last line that tells of an error, as a message may carry it
     */
    public record Outcome(int exitCode, boolean timedOut, String lastError) {}

    /**
     * The first of these commands that runs here.
     *
     * @param scratch a folder for its temporary files
     */
    public static Optional<Program> find(List<List<String>> commands, Path scratch) throws InterruptedException {
        for (List<String> command : commands) {
            Program program = new Program(command, scratch);
            try {
                if (program.run(List.of("--version"), scratch, PROBE_PATIENCE, () -> {})
                                .exitCode()
                        == 0) {
                    return Optional.of(program);
                }
            } catch (IOException e) {
                log.debug("no {} on this machine", command.get(0));
            }
        }
        return Optional.empty();
    }

    /**
     * Runs it once, and waits.
     *
     * @param folder the one that it works in
     * @param whileRunning called a few times a second; may throw, which ends it
     */
    public Outcome run(List<String> arguments, Path folder, Duration patience, Runnable whileRunning)
            throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(command);
        all.addAll(arguments);
        // Output goes to a file: a reader that blocks could not see a cancellation.
        Path output = Files.createTempFile(scratch, "said-", ".log");
        ProcessBuilder builder = new ProcessBuilder(all)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
                .redirectOutput(output.toFile());
        builder.environment().put("TMPDIR", scratch.toString());
        Process process = builder.start();
        try {
            long deadline = System.nanoTime() + patience.toNanos();
            boolean ended = false;
            while (!ended && System.nanoTime() < deadline) {
                ended = process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS);
                whileRunning.run();
            }
            return new Outcome(ended ? process.exitValue() : -1, !ended, logged(output));
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }

    /** Passes the output on to the log and returns the last line that reports an error. */
    private String logged(Path output) throws IOException {
        String lastError = "it gave no reason";
        try (BufferedReader lines = Files.newBufferedReader(output, StandardCharsets.ISO_8859_1)) {
            for (String line; (line = lines.readLine()) != null; ) {
                // An address may carry a password.
                String plain = line.replaceAll("//[^/@\\s]+@", "//");
                log.debug("{}: {}", command.get(0), plain);
                if (plain.regionMatches(true, 0, "ERROR:", 0, 6) || plain.startsWith("npm error")) {
                    lastError = shown(
                            plain.replaceFirst("(?i)^(ERROR:|npm error)", "").strip(), lastError);
                }
            }
        }
        return lastError;
    }

    private static String shown(String line, String otherwise) {
        // npm's last words are where its own log lies.
        if (line.isEmpty() || line.startsWith("A complete log of this run")) {
            return otherwise;
        }
        String plain = line.replaceAll("\\p{Cntrl}", "?");
        return plain.length() <= SHOWN ? plain : plain.substring(0, SHOWN) + "…";
    }
}
