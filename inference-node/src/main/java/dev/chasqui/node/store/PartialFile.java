package dev.chasqui.node.store;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A file on its way in: bytes are appended, hashed and counted, and what has arrived outlives a restart together with
 * the server's mark of the version that they belong to. Used by the download's thread alone.
 */
final class PartialFile implements AutoCloseable {
    /** Left free on the disk whatever is fetched. */
    private static final long SPARE_BYTES = 32L << 20;

    private static final byte[] MAGIC = {'G', 'G', 'U', 'F'};

    private final Path path;
    private final FolderRecords records;
    private final String key;
    private @Nullable Long expectedSize;
    private final BiConsumer<Long, Long> onBytes;
    private final FileChannel channel;
    private MessageDigest digest = sha256();
    private @Nullable String publishedSha256;
    private long length;
    private long total;
    private boolean resumed;
    private boolean marked;
    private boolean complete;
    private boolean closed;

    /**
     * @param expectedSize of the whole file, null where unknown
     * @param onBytes hears bytes done and in all (0 where unknown)
     */
    PartialFile(
            Path path, FolderRecords records, String key, @Nullable Long expectedSize, BiConsumer<Long, Long> onBytes)
            throws IOException {
        this.path = path;
        this.records = records;
        this.key = key;
        this.expectedSize = expectedSize;
        this.onBytes = onBytes;
        channel = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    Path path() {
        return path;
    }

    long length() {
        return length;
    }

    /** Whether bytes of an earlier try are part of it. */
    boolean resumed() {
        return resumed;
    }

    /** Returns the mark to go on with, after taking in what is there; null after emptying the file. */
    @Nullable
    String resume(String source) throws IOException {
        FolderRecords.Part record = records.part(key);
        if (length > 0 && record != null && record.source().equals(source)) {
            return record.mark();
        }
        if (length == 0
                && channel.size() > 0
                && record != null
                && record.source().equals(source)) {
            marked = true;
            takeIn();
            resumed = true;
            return record.mark();
        }
        restart();
        return null;
    }

    private void takeIn() throws IOException {
        try (InputStream in = Files.newInputStream(path)) {
            byte[] buffer = new byte[1 << 16];
            for (int read; (read = in.read(buffer)) >= 0; ) {
                digest.update(buffer, 0, read);
                length += read;
            }
        }
        channel.position(length);
    }

    /** Empties it. */
    void restart() throws IOException {
        records.forgetPart(key);
        channel.truncate(0);
        channel.position(0);
        digest = sha256();
        length = 0;
        total = 0;
        resumed = false;
        marked = false;
        complete = false;
    }

    /**
     * Takes in what the publisher says of the whole file, where it says it; a size that is known already stays.
     *
     * @param sha256 lower-case hex
     */
    void published(@Nullable Long size, @Nullable String sha256) {
        expectedSize = expectedSize == null ? size : expectedSize;
        publishedSha256 = sha256 == null ? publishedSha256 : sha256;
    }

    /** The file's SHA-256 as its publisher gives it; null where it gives none. */
    @Nullable
    String publishedSha256() {
        return publishedSha256;
    }

    /**
     * Says what is coming, before the first byte of it.
     *
     * @param total bytes of the whole file, 0 where unknown
     * @param mark the server's mark of this version, null where it gives none: then it cannot be resumed
     * @throws StoreException CHECKSUM where the size is not the expected one, NO_SPACE where the disk is too full
     */
    void expect(String source, long total, @Nullable String mark) throws IOException {
        if (expectedSize != null && total > 0 && total != expectedSize) {
            throw new StoreException(StoreException.Reason.CHECKSUM, total + " bytes (expected: " + expectedSize + ")");
        }
        long size = total > 0 ? total : expectedSize != null ? expectedSize : 0;
        long free = Files.getFileStore(path).getUsableSpace();
        if (size - length > free - SPARE_BYTES) {
            throw new StoreException(
                    StoreException.Reason.NO_SPACE,
                    "the disk of the models folder " + path.getParent() + " has " + megabytes(free)
                            + " MB free (expected: " + megabytes(size - length + SPARE_BYTES) + " MB)");
        }
        this.total = size;
        marked = mark != null;
        if (mark == null) {
            records.forgetPart(key);
        } else {
            records.writePart(key, new FolderRecords.Part(source, mark));
        }
        onBytes.accept(length, size);
    }

    private static long megabytes(long bytes) {
        return bytes / 1_000_000;
    }

    /** @throws StoreException BAD_FILE where the first bytes are not GGUF's, CHECKSUM where there are too many */
    void append(ByteBuffer bytes) throws IOException {
        for (int i = 0; length + i < MAGIC.length && i < bytes.remaining(); i++) {
            if (bytes.get(bytes.position() + i) != MAGIC[(int) length + i]) {
                throw new BadModelFile("what came is not a GGUF file (expected: its first bytes to be GGUF)");
            }
        }
        if (total > 0 && bytes.remaining() > total - length) {
            throw new StoreException(StoreException.Reason.CHECKSUM, "more bytes came than announced (" + total + ")");
        }
        digest.update(bytes.duplicate());
        while (bytes.hasRemaining()) {
            length += channel.write(bytes);
        }
        onBytes.accept(length, total);
    }

    /** For sources that write streams. */
    OutputStream stream() {
        return new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                append(ByteBuffer.wrap(new byte[] {(byte) b}));
            }

            @Override
            public void write(byte[] bytes, int offset, int count) throws IOException {
                append(ByteBuffer.wrap(bytes, offset, count));
            }
        };
    }

    /**
     * Everything is here: brings it safely to disk and returns its SHA-256.
     *
     * @throws StoreException CHECKSUM where the length is not the announced one
     */
    String complete() throws IOException {
        if (total > 0 && length != total) {
            throw new StoreException(StoreException.Reason.CHECKSUM, length + " bytes came (expected: " + total + ")");
        }
        channel.force(true);
        complete = true;
        return HexFormat.of().formatHex(digest.digest());
    }

    /** Closes and removes it. */
    void discard() throws IOException {
        close();
        records.forgetPart(key);
        Files.deleteIfExists(path);
    }

    /** What is neither whole nor marked with a version cannot be gone on with, so it is removed. */
    @Override
    public void close() throws IOException {
        if (closed) {
            return;
        }
        closed = true;
        // An interrupted thread has closed the channel already.
        channel.close();
        if (!complete && !marked || path.toFile().length() == 0) {
            Files.deleteIfExists(path);
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
