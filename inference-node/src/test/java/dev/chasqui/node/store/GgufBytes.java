package dev.chasqui.node.store;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Writes GGUF files byte by byte, also wrong ones. */
final class GgufBytes {
    static final int U8 = 0;
    static final int U16 = 2;
    static final int U32 = 4;
    static final int I32 = 5;
    static final int F32 = 6;
    static final int BOOL = 7;
    static final int STRING = 8;
    static final int ARRAY = 9;
    static final int U64 = 10;

    private final ByteArrayOutputStream metadata = new ByteArrayOutputStream();
    private final ByteArrayOutputStream infos = new ByteArrayOutputStream();
    private final List<byte[]> data = new ArrayList<>();
    private long keys;
    private long tensors;
    private long offset;
    private int version = 3;
    private int alignment = 32;

    /** A model of two tensors that passes every check. */
    static GgufBytes model() {
        return new GgufBytes()
                .text("general.architecture", "llama")
                .text("general.name", "Tiny")
                .u32("general.file_type", 3)
                .u32("llama.context_length", 256)
                .u32("llama.embedding_length", 64)
                .u32("llama.block_count", 2)
                .u32("llama.attention.head_count", 4)
                .u32("llama.attention.head_count_kv", 2)
                .text("tokenizer.ggml.model", "gpt2")
                .text("tokenizer.chat_template", "{{ messages }}")
                .texts("tokenizer.ggml.tokens", "a", "b", "c");
    }

    /** The same with weights. */
    static byte[] file() {
        return model().weights().bytes();
    }

    /** Of at least so many bytes. */
    static byte[] file(int size) {
        return model().weights()
                .tensor("big", 0, (size + 3) / 4, (size + 3) / 4 * 4)
                .bytes();
    }

    GgufBytes weights() {
        return tensor("token_embd.weight", 3, new long[] {64, 3}, 2 * 3 * 20).tensor("output_norm.weight", 0, 64, 256);
    }

    GgufBytes version(int version) {
        this.version = version;
        return this;
    }

    GgufBytes alignment(int alignment) {
        this.alignment = alignment;
        return this;
    }

    GgufBytes text(String key, String value) {
        key(key, STRING);
        text(metadata, value);
        return this;
    }

    GgufBytes u16(String key, int value) {
        key(key, U16);
        write(metadata, 2, value);
        return this;
    }

    GgufBytes u32(String key, long value) {
        key(key, U32);
        write(metadata, 4, value);
        return this;
    }

    GgufBytes texts(String key, String... values) {
        key(key, ARRAY);
        write(metadata, 4, STRING);
        write(metadata, 8, values.length);
        for (String value : values) {
            text(metadata, value);
        }
        return this;
    }

    /** A list's head with nothing or anything after it. */
    GgufBytes list(String key, int type, long count, int bytes) {
        key(key, ARRAY);
        write(metadata, 4, type);
        write(metadata, 8, count);
        metadata.writeBytes(new byte[bytes]);
        return this;
    }

    GgufBytes whole32s(String key, int... values) {
        key(key, ARRAY);
        write(metadata, 4, I32);
        write(metadata, 8, values.length);
        for (int value : values) {
            write(metadata, 4, value);
        }
        return this;
    }

    GgufBytes raw(String key, int type, byte... value) {
        key(key, type);
        metadata.writeBytes(value);
        return this;
    }

    GgufBytes tensor(String name, int type, long elements, int bytes) {
        return tensor(name, type, new long[] {elements}, bytes);
    }

    GgufBytes tensor(String name, int type, long[] dimensions, int bytes) {
        return tensorAt(name, type, dimensions, offset, bytes);
    }

    GgufBytes tensorAt(String name, int type, long[] dimensions, long at, int bytes) {
        text(infos, name);
        write(infos, 4, dimensions.length);
        for (long dimension : dimensions) {
            write(infos, 8, dimension);
        }
        write(infos, 4, type);
        write(infos, 8, at);
        byte[] weights = new byte[(bytes + alignment - 1) / alignment * alignment];
        // Random, for weights do not shrink in a zip.
        new Random(tensors).nextBytes(weights);
        data.add(weights);
        offset += weights.length;
        tensors++;
        return this;
    }

    byte[] bytes() {
        return bytes(tensors, keys);
    }

    byte[] bytes(long tensorCount, long keyCount) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
        write(out, 4, version);
        write(out, 8, tensorCount);
        write(out, 8, keyCount);
        out.writeBytes(metadata.toByteArray());
        out.writeBytes(infos.toByteArray());
        if (!data.isEmpty()) {
            out.writeBytes(new byte[(alignment - out.size() % alignment) % alignment]);
        }
        data.forEach(out::writeBytes);
        return out.toByteArray();
    }

    private void key(String key, int type) {
        text(metadata, key);
        write(metadata, 4, type);
        keys++;
    }

    private static void text(ByteArrayOutputStream out, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        write(out, 8, bytes.length);
        out.writeBytes(bytes);
    }

    private static void write(ByteArrayOutputStream out, int bytes, long value) {
        byte[] all = ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(value)
                .array();
        out.write(all, 0, bytes);
    }
}
