package dev.chasqui.node.backend;

import dev.chasqui.llama.LlamaException;
import dev.chasqui.node.programs.Program;
import dev.chasqui.node.programs.Scratch;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** Brings a GPU's library, by the machine's own npm, and what it needs of NVIDIA's toolkit, by its pip. */
final class LibraryFetch {
    private static final Duration PATIENCE = Duration.ofHours(2);
    /** Packed, unpacked and moved. */
    private static final int ROOM_FACTOR = 4;

    private final Path folder;
    private final List<List<String>> npm;
    private final List<List<String>> pip;

    /** @param folder what is fetched goes below it */
    LibraryFetch(Path folder, List<List<String>> npm, List<List<String>> pip) {
        this.folder = folder;
        this.npm = npm;
        this.pip = pip;
    }

    /** Hears how far a fetch is, a few times a second. */
    @FunctionalInterface
    interface Progress {
        void at(int megabytes, int ofMegabytes);
    }

    /**
     * Puts the library into a folder of this name, unless another process was quicker.
     *
     * @throws LlamaException LOAD_FAILED with the reason
     */
    void library(GpuLibrary library, Path target, Progress progress) throws InterruptedException {
        inPlace(target, library.megabytes(), scratch -> {
            Path work = Files.createDirectory(scratch.resolve("npm"));
            for (String pin : List.of("package.json", "package-lock.json")) {
                Files.write(work.resolve(pin), Pins.bytes(library, pin));
            }
            run(
                    npm,
                    "npm (expected: Node.js 20 or newer)",
                    List.of(
                            "ci",
                            "--ignore-scripts",
                            "--no-audit",
                            "--no-fund",
                            "--cache",
                            scratch.resolve("cache").toString()),
                    work,
                    scratch,
                    library.megabytes(),
                    progress);
            Path ready = Files.createDirectory(scratch.resolve("ready"));
            Files.move(work.resolve("node_modules").resolve(library.entry()), ready.resolve(library.fileName()));
            return ready;
        });
    }

    /**
     * The same for what it needs of NVIDIA's toolkit.
     *
     * @throws LlamaException LOAD_FAILED with the reason
     */
    void toolkit(GpuLibrary library, Path target, Progress progress) throws InterruptedException {
        inPlace(target, library.toolkitMegabytes(), scratch -> {
            Path work = Files.createDirectory(scratch.resolve("pip"));
            Files.write(work.resolve(Pins.WHEELS), Pins.bytes(library, Pins.WHEELS));
            run(
                    pip,
                    "pip (expected: python3 with pip)",
                    List.of(
                            "download",
                            "--require-hashes",
                            "--no-deps",
                            "--only-binary=:all:",
                            "--no-cache-dir",
                            "--no-input",
                            "--disable-pip-version-check",
                            "--progress-bar=off",
                            "-r",
                            Pins.WHEELS),
                    work,
                    scratch,
                    library.toolkitMegabytes(),
                    progress);
            Path ready = Files.createDirectory(scratch.resolve("ready"));
            for (Path wheel : wheels(work)) {
                unpack(wheel, library.toolkit(), ready);
            }
            return ready;
        });
    }

    /** Makes a folder that is then put in place. */
    @FunctionalInterface
    private interface Work {
        Path in(Path scratch) throws IOException, InterruptedException;
    }

    /** One process at a time; the others find what it brought. */
    private void inPlace(Path target, int megabytes, Work work) throws InterruptedException {
        try {
            Files.createDirectories(folder);
            try (FileChannel lock = FileChannel.open(
                    folder.resolve(".gpu.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                lock.lock();
                if (Files.isDirectory(target)) {
                    return;
                }
                requireRoom(megabytes);
                Path scratch = Files.createTempDirectory(folder, ".gpu-");
                try {
                    Files.move(work.in(scratch), target, StandardCopyOption.ATOMIC_MOVE);
                } finally {
                    Scratch.delete(scratch);
                }
            }
        } catch (IOException e) {
            throw failed("cannot be kept in " + folder + ": " + e.getMessage());
        }
    }

    private void requireRoom(int megabytes) throws IOException {
        long free = Files.getFileStore(folder).getUsableSpace() / 1_000_000;
        if (free < (long) ROOM_FACTOR * megabytes) {
            throw failed("needs " + ROOM_FACTOR * megabytes + " MB of disk while it is fetched; " + free
                    + " MB are free in " + folder);
        }
    }

    private static void run(
            List<List<String>> commands,
            String what,
            List<String> arguments,
            Path work,
            Path scratch,
            int megabytes,
            Progress progress)
            throws IOException, InterruptedException {
        Program program = Program.find(commands, scratch)
                .orElseThrow(() -> failed("cannot be fetched: this machine has no " + what));
        Program.Outcome outcome = program.run(
                arguments,
                work,
                PATIENCE,
                () -> progress.at((int) Math.min(megabytes, Scratch.bytes(scratch) / 1_000_000), megabytes));
        if (outcome.exitCode() != 0) {
            String name = what.substring(0, what.indexOf(' '));
            throw failed("cannot be fetched: " + name
                    + (outcome.timedOut()
                            ? " did not end within " + PATIENCE.toMinutes() + " minutes"
                            : " failed: " + outcome.lastError()));
        }
    }

    private static List<Path> wheels(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".whl")).toList();
        }
    }

    /** Takes the libraries of these names out of a wheel whose hash was checked. */
    private static void unpack(Path wheel, List<String> names, Path to) throws IOException {
        try (ZipFile zip = new ZipFile(wheel.toFile())) {
            List<ZipEntry> entries = new ArrayList<>();
            zip.stream()
                    .filter(entry -> names.contains(
                            entry.getName().substring(entry.getName().lastIndexOf('/') + 1)))
                    .forEach(entries::add);
            for (ZipEntry entry : entries) {
                String name = entry.getName().substring(entry.getName().lastIndexOf('/') + 1);
                try (InputStream in = zip.getInputStream(entry)) {
                    Files.copy(in, to.resolve(name));
                }
            }
        }
    }

    private static LlamaException failed(String reason) {
        return new LlamaException(LlamaException.Reason.LOAD_FAILED, reason);
    }
}
