package dev.chasqui.gateway.answers;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * JSON text as it grows, in UTF-8. Made for answers that go out a few bytes at a time: one array is used again and
 * again, and a string is escaped while it is copied.
 */
public final class JsonBytes {
    private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);

    private static final int MOST_KEPT = 64 * 1024;

    private byte[] bytes;
    private int size;

    /** @param capacity to begin with */
    public JsonBytes(int capacity) {
        bytes = new byte[capacity];
    }

    /** How many bytes it holds. */
    public int size() {
        return size;
    }

    /** The bytes themselves, from 0 to {@link #size}; valid until the next change. */
    public byte[] array() {
        return bytes;
    }

    /** A copy of what it holds. */
    public byte[] toArray() {
        return Arrays.copyOf(bytes, size);
    }

    /** Begins anew, and gives back what an unusually long text has taken. */
    public void clear() {
        size = 0;
        if (bytes.length > MOST_KEPT) {
            bytes = new byte[1024];
        }
    }

    /** JSON that was written before. */
    public JsonBytes raw(byte[] more) {
        reserve(more.length);
        System.arraycopy(more, 0, bytes, size, more.length);
        size += more.length;
        return this;
    }

    /** ASCII that is JSON already. */
    @SuppressWarnings("deprecation") // The low bytes are the characters: this is the fastest copy of ASCII.
    public JsonBytes raw(String ascii) {
        int length = ascii.length();
        reserve(length);
        ascii.getBytes(0, length, bytes, size);
        size += length;
        return this;
    }

    /** A whole number. */
    public JsonBytes number(long value) {
        return raw(Long.toString(value));
    }

    /** A number with at most {@code decimals} of them; JSON has no infinities, so they become the bound given. */
    public JsonBytes number(double value, int decimals, double bound) {
        double finite = Double.isNaN(value) ? 0 : Math.max(-bound, Math.min(bound, value));
        double scale = Math.pow(10, decimals);
        double rounded = Math.rint(finite * scale) / scale;
        return rounded == (long) rounded ? number((long) rounded) : raw(Double.toString(rounded));
    }

    /** A number as it is; what is none becomes 0. */
    public JsonBytes number(float value) {
        return raw(Float.isFinite(value) ? Float.toString(value) : "0");
    }

    /** A string with its quotes. */
    public JsonBytes string(String text) {
        return raw("\"").escaped(text).raw("\"");
    }

    /** What stands between the quotes of a string. */
    public JsonBytes escaped(String text) {
        int length = text.length();
        // Three bytes a char is the most for UTF-8; only escapes need more, and they reserve for themselves.
        reserve(3 * length);
        for (int i = 0; i < length; i++) {
            char c = text.charAt(i);
            if (c < 0x80) {
                if (c >= 0x20 && c != '"' && c != '\\') {
                    bytes[size++] = (byte) c;
                } else {
                    escape(c);
                    reserve(3 * (length - i - 1));
                }
            } else if (c < 0x800) {
                bytes[size++] = (byte) (0xc0 | (c >> 6));
                bytes[size++] = (byte) (0x80 | (c & 0x3f));
            } else if (Character.isHighSurrogate(c) && i + 1 < length && Character.isLowSurrogate(text.charAt(i + 1))) {
                int point = Character.toCodePoint(c, text.charAt(++i));
                bytes[size++] = (byte) (0xf0 | (point >> 18));
                bytes[size++] = (byte) (0x80 | ((point >> 12) & 0x3f));
                bytes[size++] = (byte) (0x80 | ((point >> 6) & 0x3f));
                bytes[size++] = (byte) (0x80 | (point & 0x3f));
            } else {
                char whole = Character.isSurrogate(c) ? '\ufffd' : c;
                bytes[size++] = (byte) (0xe0 | (whole >> 12));
                bytes[size++] = (byte) (0x80 | ((whole >> 6) & 0x3f));
                bytes[size++] = (byte) (0x80 | (whole & 0x3f));
            }
        }
        return this;
    }

    private void escape(char c) {
        switch (c) {
            case '"' -> raw("\\\"");
            case '\\' -> raw("\\\\");
            case '\n' -> raw("\\n");
            case '\r' -> raw("\\r");
            case '\t' -> raw("\\t");
            case '\b' -> raw("\\b");
            case '\f' -> raw("\\f");
            default -> {
                raw("\\u00");
                reserve(2);
                bytes[size++] = HEX[c >> 4];
                bytes[size++] = HEX[c & 0xf];
            }
        }
    }

    private void reserve(int more) {
        if (bytes.length - size < more) {
            bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, size + more));
        }
    }
}
