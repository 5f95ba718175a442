package dev.chasqui.llama;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A model's tokens. The bytes of each are read once, so that {@link #piece} costs no native call. */
public final class Vocabulary {
    private static final byte[] NOTHING = {};

    /** Bytes of a token, with some to spare; asking a second time takes milliseconds. */
    private static final int USUAL_PIECE = 12;

    private static final int END_OF_GENERATION = 1;
    private static final int CONTROL = 2;
    private static final int HIDDEN = 4;
    /** Bytes of a character, which one token stands for that stands for all that are unknown. */
    private static final int LONGEST_CHARACTER = 4;

    private final SharedHandle model;
    private final byte[][] pieces;
    private final byte[] flags;
    /** Counted for the first long text. */
    private volatile short @Nullable [] reach;

    private Vocabulary(SharedHandle model, byte[][] pieces, byte[] flags) {
        this.model = model;
        this.pieces = pieces;
        this.flags = flags;
    }

    static Vocabulary read(SharedHandle model, long address, int size) {
        int[] ends = new int[size];
        byte[] flags = new byte[size];
        byte[] bytes = new byte[USUAL_PIECE * size];
        int length = pieces(address, ends, flags, bytes);
        if (length > bytes.length) {
            bytes = new byte[length];
            pieces(address, ends, flags, bytes);
        }
        byte[][] pieces = new byte[size][];
        int start = 0;
        for (int token = 0; token < size; token++) {
            pieces[token] = Arrays.copyOfRange(bytes, start, ends[token]);
            start = ends[token];
        }
        return new Vocabulary(model, pieces, flags);
    }

    /** Returns how many bytes all pieces have, whether they found room or not. */
    private static int pieces(long address, int[] ends, byte[] flags, byte[] bytes) {
        long[] error = new long[1];
        int length = Shim.cq_vocab_pieces(address, ends, flags, bytes, bytes.length, error);
        if (length < 0) {
            throw Shim.failure(error);
        }
        return length;
    }

    public int size() {
        return pieces.length;
    }

    /**
     * The tokens of a text.
     *
     * @param addSpecial put the start token in front where the model wants one
     * @param parseSpecial recognise special tokens in the text; else they are plain text
     */
    public int[] tokenize(String text, boolean addSpecial, boolean parseSpecial) {
        byte[] bytes = Shim.utf8(text);
        int[] tokens = new int[bytes.length / 2 + 16];
        int count = tokenize(bytes, addSpecial, parseSpecial, tokens);
        if (count > tokens.length) {
            tokens = new int[count];
            count = tokenize(bytes, addSpecial, parseSpecial, tokens);
        }
        return Arrays.copyOf(tokens, count);
    }

    /**
     * So many tokens a text has at least, found in far less time than its tokens. Spaces count for nothing, as what renders a text
     * may leave some out.
     */
    public int leastTokens(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        short[] furthest = reach;
        if (furthest == null) {
            furthest = countReach();
            reach = furthest;
        }
        int tokens = 0;
        for (int at = 0; at < bytes.length; ) {
            if (bytes[at] >= 0 && bytes[at] <= ' ') {
                at++;
                continue;
            }
            tokens++;
            at += furthest[pair(bytes[at], at + 1 < bytes.length ? bytes[at + 1] : 0)];
        }
        return tokens;
    }

    /** For each two bytes: how many bytes from the first one on the token can hold that it is in. */
    private short[] countReach() {
        short[] counted = new short[1 << 16];
        for (int first = 0; first < 256; first++) {
            Arrays.fill(counted, first << 8, first + 1 << 8, (short) (first < 0x80 ? 1 : LONGEST_CHARACTER));
        }
        for (byte[] piece : pieces) {
            int length = Math.min(piece.length, Short.MAX_VALUE);
            for (int at = 0; at + 1 < length; at++) {
                int pair = pair(piece[at], piece[at + 1]);
                counted[pair] = (short) Math.max(counted[pair], length - at);
            }
        }
        return counted;
    }

    private static int pair(byte first, byte second) {
        return (first & 0xff) << 8 | second & 0xff;
    }

    private int tokenize(byte[] text, boolean addSpecial, boolean parseSpecial, int[] out) {
        long[] error = new long[1];
        long address = model.enter();
        try {
            int count = Shim.cq_tokenize(
                    address, text, text.length, addSpecial ? 1 : 0, parseSpecial ? 1 : 0, out, out.length, error);
            if (count < 0) {
                throw Shim.failure(error);
            }
            return count;
        } finally {
            model.exit();
        }
    }

    /**
     * The bytes that a token stands for, which alone need not be valid UTF-8. Shared: do not change them.
     *
     * @param special whether control tokens give their text; else they give nothing
     */
    public byte[] piece(int token, boolean special) {
        check(token);
        return !special && (flags[token] & HIDDEN) != 0 ? NOTHING : pieces[token];
    }

    /** Whether the token ends an answer. */
    public boolean isEndOfGeneration(int token) {
        check(token);
        return (flags[token] & END_OF_GENERATION) != 0;
    }

    /** Whether the token steers the model and is no text. */
    boolean isControl(int token) {
        check(token);
        return (flags[token] & CONTROL) != 0;
    }

    /** The text of tokens, special ones included; bytes that are no valid UTF-8 come as U+FFFD. */
    public String detokenize(int[] tokens) {
        for (int token : tokens) {
            check(token);
        }
        int length = 0;
        for (int token : tokens) {
            length += pieces[token].length + 1;
        }
        byte[] out = new byte[length + 16];
        long[] error = new long[1];
        long address = model.enter();
        try {
            int count = Shim.cq_detokenize(address, tokens, tokens.length, out, out.length, error);
            if (count < 0) {
                throw Shim.failure(error);
            }
            return new String(out, 0, count, StandardCharsets.UTF_8);
        } finally {
            model.exit();
        }
    }

    private void check(int token) {
        if (token < 0 || token >= pieces.length) {
            throw Check.invalid("token", token, "0 to " + (pieces.length - 1));
        }
    }
}
