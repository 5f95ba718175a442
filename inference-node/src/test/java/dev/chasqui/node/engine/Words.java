package dev.chasqui.node.engine;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * A vocabulary: a token for each byte, one that ends an answer, one without text, and some of several bytes, among them parts
 * of characters.
 */
final class Words implements TokenText {
    static final int END = 256;
    static final int SILENT = 257;
    private static final List<byte[]> LONGER = List.of(
            utf8("the "),
            utf8("stop"),
            utf8("st"),
            utf8("op"),
            utf8("é"),
            utf8("日本"),
            utf8("😀"),
            new byte[] {(byte) 0xF0, (byte) 0x9F},
            new byte[] {(byte) 0x98, (byte) 0x80},
            new byte[] {(byte) 0x98, (byte) 0x80, (byte) 0xE2});
    static final int SIZE = 258 + LONGER.size();

    @Override
    public byte[] piece(int token) {
        if (token < 256) {
            return new byte[] {(byte) token};
        }
        return token < 258 ? new byte[0] : LONGER.get(token - 258);
    }

    @Override
    public boolean endsAnswer(int token) {
        return token == END;
    }

    /** A token for each byte of a text. */
    static int[] bytes(String text) {
        return bytes(utf8(text));
    }

    static int[] bytes(byte[] text) {
        int[] tokens = new int[text.length];
        for (int i = 0; i < text.length; i++) {
            tokens[i] = text[i] & 0xFF;
        }
        return tokens;
    }

    /** The token whose text this is. */
    static int word(String text) {
        for (int token = 0; token < SIZE; token++) {
            if (Arrays.equals(new Words().piece(token), utf8(text)) && token != END && token != SILENT) {
                return token;
            }
        }
        throw new IllegalArgumentException("no token for " + text);
    }

    static int[] concat(int[]... parts) {
        return Arrays.stream(parts).flatMapToInt(Arrays::stream).toArray();
    }

    /** The text of tokens before the first of them that ends an answer, read the slow and plain way. */
    static String text(int[] tokens, List<String> stops) {
        return before(stops, piecesUntilEnd(tokens));
    }

    /** Whether a stop string is in these tokens' text. */
    static boolean stopped(int[] tokens, List<String> stops) {
        return cut(stops, piecesUntilEnd(tokens)) >= 0;
    }

    /** A text up to the stop string that is complete first. */
    static String before(List<String> stops, byte[] all) {
        int cut = cut(stops, all);
        return new String(all, 0, cut < 0 ? all.length : cut, StandardCharsets.UTF_8);
    }

    private static int cut(List<String> stops, byte[] all) {
        for (int end = 1; end <= all.length && !stops.isEmpty(); end++) {
            int longest = 0;
            for (String stop : stops) {
                byte[] bytes = utf8(stop);
                int from = end - bytes.length;
                if (from >= 0 && Arrays.equals(all, from, end, bytes, 0, bytes.length)) {
                    longest = Math.max(longest, bytes.length);
                }
            }
            if (longest > 0) {
                return end - longest;
            }
        }
        return -1;
    }

    private static byte[] piecesUntilEnd(int[] tokens) {
        Words words = new Words();
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int token : tokens) {
            if (token == END) {
                break;
            }
            all.writeBytes(words.piece(token));
        }
        return all.toByteArray();
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
