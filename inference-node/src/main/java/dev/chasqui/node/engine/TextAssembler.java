package dev.chasqui.node.engine;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Turns token pieces into text: never ends inside a character, and never lets out a stop string or what may become one.
 * Holds back at most the longest stop string and three bytes. Works on bytes, because both characters and stop strings cross
 * token borders.
 */
final class TextAssembler {
    private final byte[][] stops;
    private final List<String> stopTexts;
    private byte[] held = new byte[64];
    private int size;
    private long delivered;
    private @Nullable String stop;

    TextAssembler(List<String> stops) {
        this.stopTexts = stops;
        this.stops = stops.stream().map(s -> s.getBytes(StandardCharsets.UTF_8)).toArray(byte[][]::new);
    }

    /** Adds a piece and returns the text that is now certain. After {@link #stopped} nothing more may be added. */
    String add(byte[] piece) {
        if (size + piece.length > held.length) {
            held = Arrays.copyOf(held, Math.max(held.length * 2, size + piece.length));
        }
        System.arraycopy(piece, 0, held, size, piece.length);
        size += piece.length;
        int end = cutAtStop();
        if (end < 0) {
            end = size - Math.max(unfinishedStop(), unfinishedCharacter());
            return take(end);
        }
        String text = take(end);
        size = 0;
        return text;
    }

    /** The rest, once the answer has ended without a stop string; an unfinished character becomes U+FFFD. */
    String rest() {
        return take(size);
    }

    /** The stop string that came, if one did. */
    @Nullable
    String stopped() {
        return stop;
    }

    /** Bytes that were returned as text. */
    long deliveredBytes() {
        return delivered;
    }

    /** Bytes held back. */
    int heldBytes() {
        return size;
    }

    private String take(int end) {
        String text = new String(held, 0, end, StandardCharsets.UTF_8);
        System.arraycopy(held, end, held, 0, size - end);
        size -= end;
        delivered += end;
        return text;
    }

    /**
     * Where the stop string begins that was complete first, or -1. Of those that end together it is the longest. So the text
     * does not depend on how tokens cut it.
     */
    private int cutAtStop() {
        int cut = -1;
        int firstEnd = Integer.MAX_VALUE;
        for (int i = 0; i < stops.length; i++) {
            int from = find(stops[i]);
            int end = from + stops[i].length;
            if (from >= 0 && (end < firstEnd || (end == firstEnd && from < cut))) {
                cut = from;
                firstEnd = end;
                stop = stopTexts.get(i);
            }
        }
        return cut;
    }

    private int find(byte[] wanted) {
        for (int from = 0; from + wanted.length <= size; from++) {
            if (matches(wanted, from, wanted.length)) {
                return from;
            }
        }
        return -1;
    }

    /** Length of the longest tail that a stop string begins with. */
    private int unfinishedStop() {
        int longest = 0;
        for (byte[] candidate : stops) {
            for (int n = Math.min(candidate.length - 1, size); n > longest; n--) {
                if (matches(candidate, size - n, n)) {
                    longest = n;
                    break;
                }
            }
        }
        return longest;
    }

    private boolean matches(byte[] candidate, int from, int length) {
        return from + length <= size && Arrays.equals(held, from, from + length, candidate, 0, length);
    }

    /** Length of a tail that is the start of a UTF-8 character whose other bytes have not come yet. */
    private int unfinishedCharacter() {
        for (int n = 1; n <= 3 && n <= size; n++) {
            int b = held[size - n] & 0xFF;
            if (b >= 0xC0) {
                int need = b >= 0xF8 ? 0 : b >= 0xF0 ? 4 : b >= 0xE0 ? 3 : 2;
                return need > n ? n : 0;
            }
            if (b < 0x80) {
                return 0;
            }
        }
        return 0;
    }
}
