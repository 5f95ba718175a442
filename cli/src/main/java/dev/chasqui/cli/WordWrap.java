package dev.chasqui.cli;

import org.jline.utils.WCWidth;

/**
 * Breaks text that comes in pieces between words. A word is written as it comes; where it turns out to be too long for its
 * line, it is taken back and written on the next one.
 */
final class WordWrap {
    private static final int LEAST_WIDTH = 10;
    private static final int TAB = 8;

    private final StringBuilder word = new StringBuilder();
    private int wordWidth;
    private int column;

    /** Where in the piece at hand the word begins; negative where it began in an earlier one. */
    private int wordAt;

    /**
     * What to write for this piece.
     *
     * @param columns of the terminal at this moment; 0 where nobody knows, and nothing is broken
     */
    String put(String text, int columns) {
        if (columns < LEAST_WIDTH) {
            return text;
        }
        // Behind the last column terminals differ in where the cursor is.
        int width = columns - 1;
        StringBuilder out = new StringBuilder();
        wordAt = word.length() == 0 ? 0 : -1;
        text.codePoints().forEach(c -> {
            if (c == '\n') {
                out.append('\n');
                begin(0, out);
            } else if (c == ' ' || c == '\t') {
                space(c, width, out);
            } else {
                letter(c, width, out);
            }
        });
        return out.toString();
    }

    private void space(int c, int width, StringBuilder out) {
        int next = c == ' ' ? column + 1 : (column / TAB + 1) * TAB;
        boolean fits = next <= width;
        out.append(fits ? (char) c : '\n');
        begin(fits ? next : 0, out);
    }

    private void letter(int c, int width, StringBuilder out) {
        int wide = Math.max(0, WCWidth.wcwidth(c));
        if (column + wide > width) {
            if (wordWidth > 0 && wordWidth < column) {
                moveWord(out);
            } else {
                out.append('\n');
                begin(0, out);
            }
        }
        out.appendCodePoint(c);
        word.appendCodePoint(c);
        wordWidth += wide;
        column += wide;
    }

    private void moveWord(StringBuilder out) {
        if (wordAt >= 0) {
            out.insert(wordAt, '\n');
            wordAt++;
        } else {
            out.append("\u001b[").append(wordWidth).append("D\u001b[K\n").append(word);
        }
        column = wordWidth;
    }

    private void begin(int at, StringBuilder out) {
        word.setLength(0);
        wordWidth = 0;
        column = at;
        wordAt = out.length();
    }
}
