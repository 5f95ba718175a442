package dev.chasqui.node.store;

import dev.chasqui.node.programs.Scratch;
import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Set;
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
    private static final long MAX_BYTES = 64 << 10;

    /** Where a finished file came from. It counts only while size and time are still those of the file. */
    record Fetched(String source, String sha256, long sizeBytes, long modifiedMillis) {
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

    /** A new empty folder on the models' disk, for what a source needs to put somewhere. */
    Path scratch() throws IOException {
        Files.createDirectories(folder);
        removeForgottenScratch();
        return Files.createTempDirectory(folder, SCRATCH);
    }

    /** What a process that was killed left behind. */
    private void removeForgottenScratch() throws IOException {
        Instant longAgo = Instant.now().minus(Duration.ofDays(1));
        List<Path> old;
        try (Stream<Path> files = Files.list(folder)) {
            old = files.filter(file -> file.getFileName().toString().startsWith(SCRATCH))
                    .filter(file -> file.toFile().lastModified() < longAgo.toEpochMilli())
                    .toList();
        }
        for (Path one : old) {
            Scratch.delete(one);
        }
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

    void writeFetched(Path file, String source, String sha256) throws IOException {
        long modified = Files.getLastModifiedTime(file).toMillis();
        write(file.getFileName() + ".json", new Fetched(source, sha256, Files.size(file), modified));
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

    /** Holds a file until closed; null where another process or store holds it. The lock file stays. */
    @Nullable
    Closeable tryLock(String fileName) throws IOException {
        Path file = Files.createDirectories(folder).toRealPath().resolve(fileName + ".lock");
        if (!HELD.add(file)) {
            return null;
        }
        boolean locked = false;
        try {
            FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            locked = channel.tryLock() != null;
            if (locked) {
                return release(file, channel);
            }
            channel.close();
            return null;
        } finally {
            if (!locked) {
                HELD.remove(file);
            }
        }
    }

    private static Closeable release(Path file, FileChannel channel) {
        return () -> {
            channel.close();
            HELD.remove(file);
        };
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
