package dev.chasqui.node.store;

import dev.chasqui.node.programs.Scratch;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The folder {@code .chasqui} inside the models folder: what is known of each file there, marks of unfinished
 * downloads, and locks. Losing it costs a hash or a resumed download, never a model; so a record that cannot be read
 * counts as absent.
 */
final class FolderRecords {
    private static final Logger log = LoggerFactory.getLogger(FolderRecords.class);
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String SCRATCH = "fetch-";
    private static final String LOCK = ".lock";
    private static final long MAX_BYTES = 64 << 10;

    /**
     * Where a finished file came from. It counts only while size and time are still those of the file.
     *
     * @param checked whether its hash was compared with one that was known; null in a record of an older version
     */
    record Fetched(
            String source,
            String sha256,
            long sizeBytes,
            long modifiedMillis,
            @Nullable Boolean checked) {
        Fetched {
            Objects.requireNonNull(source);
            Objects.requireNonNull(sha256);
        }
    }

    /** What an unfinished file is part of. */
    record Part(String source, String mark) {
        Part {
            Objects.requireNonNull(source);
            Objects.requireNonNull(mark);
        }
    }

    /**
     * Lock files that this process holds. The system's locks are the process's: closing a second channel on a file
     * would release the lock of the first, so none is opened.
     */
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final Path folder;

    FolderRecords(Path modelsFolder) {
        folder = modelsFolder.resolve(".chasqui");
    }

    /** A folder on the models' disk for what a source needs to put somewhere; closing it removes it. */
    record HeldFolder(Path path, Closeable lock) implements Closeable {
        @Override
        public void close() throws IOException {
            try (lock) {
                Scratch.delete(path);
            }
        }
    }

    /** A new empty one. */
    HeldFolder scratch() throws IOException {
        String name = SCRATCH + UUID.randomUUID();
        // Held before it is there, so that a folder which nobody holds is one that was left behind.
        Closeable lock = Objects.requireNonNull(tryLock(name), "a new name is nobody's");
        return new HeldFolder(Files.createDirectory(folder.resolve(name)), lock);
    }

    /** Removes what processes that were killed left behind. */
    void sweep() {
        for (String key : heldOrLeft()) {
            try (Closeable lock = tryLock(key)) {
                if (lock != null && key.startsWith(SCRATCH)) {
                    Scratch.delete(folder.resolve(key));
                }
            } catch (IOException e) {
                log.debug("{} is left for a later time", key, e);
            }
        }
    }

    private Set<String> heldOrLeft() {
        Set<String> keys = new TreeSet<>();
        if (!Files.isDirectory(folder)) {
            return keys;
        }
        try (Stream<Path> files = Files.list(folder)) {
            files.map(file -> file.getFileName().toString())
                    .filter(name -> name.startsWith(SCRATCH) || name.endsWith(LOCK))
                    .forEach(name ->
                            keys.add(name.endsWith(LOCK) ? name.substring(0, name.length() - LOCK.length()) : name));
        } catch (IOException | UncheckedIOException e) {
            log.debug("{} cannot be looked through", folder, e);
        }
        return keys;
    }

    /** Null where nothing is known, or the file has changed since. */
    @Nullable
    Fetched fetched(Path file) throws IOException {
        Fetched record = read(file.getFileName() + ".json", Fetched.class);
        boolean current = record != null
                && record.sizeBytes() == Files.size(file)
                && record.modifiedMillis() == Files.getLastModifiedTime(file).toMillis();
        return current ? record : null;
    }

    void writeFetched(Path file, String source, Download.Hash hash) throws IOException {
        long modified = Files.getLastModifiedTime(file).toMillis();
        write(
                file.getFileName() + ".json",
                new Fetched(source, hash.sha256(), Files.size(file), modified, hash.checked()));
    }

    @Nullable
    Part part(String fileName) {
        return read(fileName + ".partial.json", Part.class);
    }

    void writePart(String fileName, Part part) throws IOException {
        write(fileName + ".partial.json", part);
    }

    void forgetPart(String fileName) throws IOException {
        Files.deleteIfExists(folder.resolve(fileName + ".partial.json"));
    }

    void forget(String fileName) throws IOException {
        forgetPart(fileName);
        Files.deleteIfExists(folder.resolve(fileName + ".json"));
    }

    /** Holds a file until closed; null where another process or store holds it. */
    @Nullable
    Closeable tryLock(String fileName) throws IOException {
        Path real = Files.createDirectories(folder).toRealPath();
        Path file = real.resolve(fileName + LOCK);
        if (!HELD.add(file)) {
            return null;
        }
        @Nullable FileChannel channel = null;
        try {
            channel = alone(real, () -> open(file));
        } finally {
            if (channel == null) {
                HELD.remove(file);
            }
        }
        return channel == null ? null : release(real, file, channel);
    }

    private static @Nullable FileChannel open(Path file) throws IOException {
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        if (channel.tryLock() != null) {
            return channel;
        }
        channel.close();
        return null;
    }

    private static Closeable release(Path folder, Path file, FileChannel channel) {
        return () -> {
            // A cancelled download is interrupted, and has to let go all the same.
            boolean interrupted = Thread.interrupted();
            try (channel) {
                alone(folder, () -> Files.deleteIfExists(file));
            } finally {
                HELD.remove(file);
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        };
    }

    /** Something that is done with files. */
    @FunctionalInterface
    private interface Step<T extends @Nullable Object> {
        T take() throws IOException;
    }

    /**
     * Takes a step while no process takes another: a lock file is opened and locked in one, and removed in one, so that nobody
     * holds a file that is no longer there.
     */
    private static <T extends @Nullable Object> T alone(Path folder, Step<T> step) throws IOException {
        synchronized (HELD) {
            Path file = folder.resolve("lock");
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock all = channel.lock()) {
                log.trace("alone with {}", all);
                return step.take();
            }
        }
    }

    private <T> @Nullable T read(String name, Class<T> type) {
        Path file = folder.resolve(name);
        try {
            return Files.isRegularFile(file) && Files.size(file) <= MAX_BYTES
                    ? JSON.readValue(Files.readAllBytes(file), type)
                    : null;
        } catch (IOException | JacksonException e) {
            log.debug("{} cannot be read and is ignored", file, e);
            return null;
        }
    }

    private void write(String name, Object record) throws IOException {
        Files.createDirectories(folder);
        Path fresh = folder.resolve(name + ".new");
        Files.write(fresh, JSON.writeValueAsBytes(record));
        Files.move(fresh, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
