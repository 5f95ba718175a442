package dev.chasqui.node.store;

import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.SeekableByteChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The head of a GGUF file, read and checked before native code maps the file: every count, length and offset is held
 * against the length of the file, and what llama.cpp would refuse, or abort on, is refused here with a reason. Tensor
 * data is not read. Memory stays small whatever the file claims.
 *
 * <p>Layout: magic, version, counts of tensors and of metadata; metadata as key, type, value; tensors as name,
 * dimensions, type, offset; then, aligned, the tensors' data one after the other.
 */
final class GgufFile {
    private static final int MAGIC = 0x46554747; // "GGUF"
    private static final int MAX_KEYS = 16_384;
    private static final int MAX_TENSORS = 65_536;
    private static final int MAX_KEY_BYTES = 65_535;
    /** Longer texts are checked and passed over; nothing that is asked for later is that long. */
    private static final int MAX_KEPT_TEXT = 1 << 20;
    /** llama.cpp's own bound for texts and lists. */
    private static final long MAX_NATIVE = 1L << 30;
    /** Per-layer lists are kept; vocabularies are longer and are only counted. */
    private static final int MAX_KEPT_LIST = 4096;

    private static final int MAX_TOKENS = 1 << 22;
    private static final int MAX_NAME_BYTES = 63;
    private static final int MAX_DIMENSIONS = 4;
    private static final int DEFAULT_ALIGNMENT = 32;
    private static final int MAX_ALIGNMENT = 1 << 20;

    /** A tensor's shape, the length of a row first, and place: {@code offset} counts from the start of the data. */
    record Tensor(String name, TensorType type, List<Long> shape, long elements, long bytes, long offset) {}

    /** A list of the metadata: how many there are, and the values where they are whole numbers and few. */
    record Values(ValueType type, long count, List<Long> kept) {}

    /** Types of metadata values, in the order of their numbers. */
    enum ValueType {
        UINT8(1),
        INT8(1),
        UINT16(2),
        INT16(2),
        UINT32(4),
        INT32(4),
        FLOAT32(4),
        BOOL(1),
        STRING(0),
        ARRAY(0),
        UINT64(8),
        INT64(8),
        FLOAT64(8);

        /** 0 where it varies. */
        final int bytes;

        ValueType(int bytes) {
            this.bytes = bytes;
        }

        boolean isWhole() {
            return this != FLOAT32 && this != FLOAT64 && this != BOOL && bytes > 0;
        }
    }

    private static final ValueType[] TYPES = ValueType.values();

    private final int version;
    /** Long, Float, Double, Boolean, String or {@link Values}. */
    private final Map<String, Object> metadata;

    private final List<Tensor> tensors;
    private final long length;

    private GgufFile(int version, Map<String, Object> metadata, List<Tensor> tensors, long length) {
        this.version = version;
        this.metadata = metadata;
        this.tensors = tensors;
        this.length = length;
    }

    /**
     * @param name what messages call the file
     * @throws BadModelFile where it is not a file that llama.cpp can take
     * @throws IOException where the file cannot be read
     */
    static GgufFile read(SeekableByteChannel file, String name) throws IOException {
        try {
            return new Reader(name, new GgufInput(file)).read();
        } catch (EOFException e) {
            throw new BadModelFile(name + " ends in the middle of its header");
        }
    }

    int version() {
        return version;
    }

    long length() {
        return length;
    }

    List<Tensor> tensors() {
        return tensors;
    }

    @Nullable
    Object value(String key) {
        return metadata.get(key);
    }

    /** Empty where it is absent or no text. */
    String text(String key) {
        return metadata.get(key) instanceof String text ? text : "";
    }

    /** A whole number; the greatest of a list; {@code absent} where there is none or it is below 0. */
    long whole(String key, long absent) {
        Object value = metadata.get(key);
        if (value instanceof Values list && !list.kept().isEmpty()) {
            long most = absent;
            for (long one : list.kept()) {
                most = Math.max(most, one);
            }
            return most;
        }
        return value instanceof Long number && number >= 0 ? number : absent;
    }

    /** Elements of a list; 0 where there is none. */
    long count(String key) {
        return metadata.get(key) instanceof Values list ? list.count() : 0;
    }

    /** One pass over a file. */
    private static final class Reader {
        private final String file;
        private final GgufInput in;

        Reader(String file, GgufInput in) {
            this.file = file;
            this.in = in;
        }

        GgufFile read() throws IOException {
            int version = version();
            long tensorCount = count("tensors", MAX_TENSORS);
            long keyCount = count("metadata entries", MAX_KEYS);
            Map<String, Object> metadata = metadata((int) keyCount);
            long alignment = alignment(metadata);
            List<Tensor> tensors = tensors((int) tensorCount);
            if (!tensors.isEmpty()) {
                checkPlaces(tensors, alignment);
            }
            return new GgufFile(version, metadata, tensors, in.length());
        }

        private BadModelFile badTensor(String name, String what) {
            return bad("tensor " + FileNames.shown(name) + ": " + what);
        }

        private BadModelFile bad(String what) {
            return new BadModelFile(file + ": " + what);
        }

        private int version() throws IOException {
            if (in.length() < 4 || in.i32() != MAGIC) {
                throw bad("not a GGUF file (expected: its first bytes to be GGUF)");
            }
            int version = in.i32();
            if (version != 0 && (version & 0xffff) == 0) {
                throw bad("GGUF version " + Integer.toUnsignedString(version)
                        + ": made for a machine with another byte order (expected: little-endian)");
            }
            if (version != 2 && version != 3) {
                throw bad("GGUF version " + Integer.toUnsignedString(version) + " (expected: 2 or 3)");
            }
            return version;
        }

        private long count(String what, int max) throws IOException {
            long count = in.u64();
            if (count > max) {
                throw bad(count + " " + what + " (expected: at most " + max + ")");
            }
            return count;
        }

        private Map<String, Object> metadata(int count) throws IOException {
            Map<String, Object> metadata = new HashMap<>();
            for (int i = 0; i < count; i++) {
                String key = shortText("the name of a metadata entry", MAX_KEY_BYTES);
                if (key.isEmpty()) {
                    throw bad("metadata entry " + i + " has no name");
                }
                Object value = value(key, type(key));
                if (metadata.put(key, value) != null) {
                    throw bad(FileNames.shown(key) + ": given twice");
                }
            }
            return metadata;
        }

        private ValueType type(String key) throws IOException {
            int id = in.i32();
            if (id < 0 || id >= TYPES.length) {
                throw bad(FileNames.shown(key) + ": type " + id + " (expected: 0 to " + (TYPES.length - 1) + ")");
            }
            return TYPES[id];
        }

        private Object value(String key, ValueType type) throws IOException {
            return switch (type) {
                case STRING -> longText(key);
                case ARRAY -> list(key);
                case BOOL -> in.u8() != 0;
                case FLOAT32 -> Float.intBitsToFloat(in.i32());
                case FLOAT64 -> Double.longBitsToDouble(in.i64());
                default -> whole(type);
            };
        }

        private long whole(ValueType type) throws IOException {
            return switch (type) {
                case UINT8 -> in.u8();
                case INT8 -> (byte) in.u8();
                case UINT16 -> in.u16();
                case INT16 -> (short) in.u16();
                case UINT32 -> in.u32();
                case INT32 -> in.i32();
                case UINT64 -> in.u64();
                case INT64 -> in.i64();
                default -> throw new IllegalArgumentException(type.name());
            };
        }

        private Values list(String key) throws IOException {
            ValueType type = type(key);
            long count = in.u64();
            if (type == ValueType.ARRAY) {
                throw bad(FileNames.shown(key) + ": a list of lists (expected: a flat list)");
            }
            long leastBytes = type == ValueType.STRING ? Long.BYTES : type.bytes;
            if (count > MAX_NATIVE || count > in.remaining() / leastBytes) {
                throw bad(FileNames.shown(key) + ": a list of " + count + " values (expected: one that fits the file)");
            }
            if (type == ValueType.STRING) {
                if (key.equals("tokenizer.ggml.tokens")) {
                    checkVocabulary(count);
                } else {
                    skipTexts(key, count);
                }
                return new Values(type, count, List.of());
            }
            if (!type.isWhole() || count > MAX_KEPT_LIST) {
                in.skip(count * type.bytes);
                return new Values(type, count, List.of());
            }
            List<Long> kept = new ArrayList<>();
            for (long i = 0; i < count; i++) {
                kept.add(whole(type));
            }
            return new Values(type, count, kept);
        }

        private void skipTexts(String key, long count) throws IOException {
            for (long i = 0; i < count; i++) {
                in.skip(textLength(key));
            }
        }

        /** Two tokens of one text make llama.cpp abort the process. Hashes stand for the texts. */
        private void checkVocabulary(long count) throws IOException {
            if (count > MAX_TOKENS) {
                throw bad(count + " tokens (expected: at most " + MAX_TOKENS + ")");
            }
            long[] hashes = new long[(int) count];
            int named = 0;
            for (long i = 0; i < count; i++) {
                long hash = in.textHash(textLength("a token"));
                // llama.cpp gives each empty token a name of its own.
                if (hash != 0) {
                    hashes[named++] = hash;
                }
            }
            Arrays.sort(hashes, 0, named);
            for (int i = 1; i < named; i++) {
                if (hashes[i] == hashes[i - 1]) {
                    throw bad("two tokens of the vocabulary have one text");
                }
            }
        }

        private long textLength(String what) throws IOException {
            long bytes = in.u64();
            if (bytes > in.remaining() || bytes > MAX_NATIVE) {
                throw bad(FileNames.shown(what) + ": a text of " + bytes + " bytes (expected: one that fits the file)");
            }
            return bytes;
        }

        private String longText(String key) throws IOException {
            long bytes = textLength(key);
            if (bytes > MAX_KEPT_TEXT) {
                in.skip(bytes);
                return "";
            }
            return in.text((int) bytes);
        }

        private String shortText(String what, int max) throws IOException {
            long bytes = textLength(what);
            if (bytes > max) {
                throw bad(what + ": " + bytes + " bytes (expected: at most " + max + ")");
            }
            return in.text((int) bytes);
        }

        private long alignment(Map<String, Object> metadata) {
            Object value = metadata.get("general.alignment");
            if (value == null) {
                return DEFAULT_ALIGNMENT;
            }
            if (!(value instanceof Long alignment)
                    || alignment < 1
                    || alignment > MAX_ALIGNMENT
                    || Long.bitCount(alignment) != 1) {
                String given = value instanceof Long number ? number.toString() : "not a whole number";
                throw bad("general.alignment: " + given + " (expected: a power of two up to " + MAX_ALIGNMENT + ")");
            }
            return alignment;
        }

        private List<Tensor> tensors(int count) throws IOException {
            List<Tensor> tensors = new ArrayList<>();
            Set<String> names = new HashSet<>();
            for (int i = 0; i < count; i++) {
                String name = shortText("the name of tensor " + i, MAX_NAME_BYTES);
                // llama.cpp keeps names as C strings, so two that differ after a NUL are one to it.
                int nul = name.indexOf('\0');
                if (!names.add(nul < 0 ? name : name.substring(0, nul))) {
                    throw badTensor(name, "given twice");
                }
                tensors.add(tensor(name));
            }
            return List.copyOf(tensors);
        }

        private Tensor tensor(String name) throws IOException {
            long dimensions = in.u32();
            if (dimensions > MAX_DIMENSIONS) {
                throw badTensor(name, dimensions + " dimensions (expected: at most " + MAX_DIMENSIONS + ")");
            }
            List<Long> shape = new ArrayList<>();
            long rowElements = 1;
            long elements = 1;
            for (int i = 0; i < dimensions; i++) {
                long size = in.i64();
                if (size < 0) {
                    throw badTensor(name, "a dimension of " + size + " (expected: 0 or more)");
                }
                shape.add(size);
                rowElements = i == 0 ? size : rowElements;
                elements = product(name, elements, size);
            }
            int typeId = in.i32();
            TensorType type = TensorType.of(typeId);
            if (type == null) {
                throw badTensor(name, "tensor type " + typeId + " (expected: one that this llama.cpp knows)");
            }
            if (rowElements % type.blockElements != 0) {
                throw badTensor(
                        name,
                        "rows of " + rowElements + " elements (expected: a multiple of " + type.blockElements + " for "
                                + type + ")");
            }
            long bytes = product(name, elements / type.blockElements, type.blockBytes);
            return new Tensor(name, type, List.copyOf(shape), elements, bytes, in.u64());
        }

        private long product(String tensor, long a, long b) {
            try {
                return Math.multiplyExact(a, b);
            } catch (ArithmeticException e) {
                throw badTensor(tensor, "larger than any file can be");
            }
        }

        /** llama.cpp wants the tensors' data in their order and without holes. */
        private void checkPlaces(List<Tensor> tensors, long alignment) {
            long dataStart = padded(in.position(), alignment);
            long next = 0;
            for (Tensor tensor : tensors) {
                if (tensor.offset() != next) {
                    throw badTensor(tensor.name(), "offset " + tensor.offset() + " (expected: " + next + ")");
                }
                if (tensor.bytes() > in.length() - dataStart - next) {
                    throw bad("the data of tensor " + FileNames.shown(tensor.name()) + " ends at byte "
                            + Long.toUnsignedString(dataStart + next + tensor.bytes()) + ", the file at " + in.length()
                            + ": it is cut off or damaged");
                }
                next = padded(next + tensor.bytes(), alignment);
            }
        }

        private static long padded(long value, long alignment) {
            return (value + alignment - 1) & -alignment;
        }
    }
}
