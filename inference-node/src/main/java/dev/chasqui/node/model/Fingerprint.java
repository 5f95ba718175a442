package dev.chasqui.node.model;

import dev.chasqui.llama.LlamaException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * Tells whether two nodes run the same model, without reading all of it: each file's length, its beginning, and pieces from all
 * over it. They were just read by whoever loaded it. Not meant to withstand somebody who makes a file to deceive.
 */
final class Fingerprint {
    private static final int BEGINNING = 64 << 10;
    private static final int PIECE = 4 << 10;
    private static final int PIECES = 256;
    private static final int DIGITS = 32;

    private Fingerprint() {}

    static String of(Path model, List<AdapterFile> adapters) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            addFile(model, digest);
            for (AdapterFile adapter : adapters) {
                addFile(adapter.file(), digest);
                digest.update((adapter.name() + ":" + adapter.scale()).getBytes(StandardCharsets.UTF_8));
            }
            return HexFormat.of().formatHex(digest.digest()).substring(0, DIGITS);
        } catch (IOException e) {
            throw new LlamaException(LlamaException.Reason.LOAD_FAILED, "the model's file cannot be read");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void addFile(Path file, MessageDigest digest) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            long size = channel.size();
            digest.update(ByteBuffer.allocate(Long.BYTES).putLong(0, size));
            add(channel, 0, BEGINNING, digest);
            for (int i = 1; i <= PIECES; i++) {
                add(channel, Math.max(0, size - PIECE) / PIECES * i, PIECE, digest);
            }
        }
    }

    private static void add(FileChannel channel, long from, int length, MessageDigest digest) throws IOException {
        ByteBuffer piece = ByteBuffer.allocate(length);
        while (piece.hasRemaining() && channel.read(piece, from + piece.position()) > 0) {}
        digest.update(piece.flip());
    }
}
