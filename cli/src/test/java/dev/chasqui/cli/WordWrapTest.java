package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class WordWrapTest {
    private static final String TEXT =
            "Rivers are a vital resource.\n\n- unbelievablylongwordsthatfillwholelines, 河流是生命之源河流是生命之源 and\tmore words  here";

    @Test
    void linesEndBetweenWords() {
        assertThat(shown("one two three four five six", 11, 1)).containsExactly("one two", "three four", "five six");
        assertThat(shown("abcdefghijklmnopqrstuvwxyz", 11, 1)).containsExactly("abcdefghij", "klmnopqrst", "uvwxyz");
        assertThat(shown("a\n\nb", 11, 1)).containsExactly("a", "", "b");
    }

    @ParameterizedTest
    @ValueSource(ints = {10, 11, 17, 30, 79})
    void piecesMakeNoDifferenceAndNothingIsLost(int columns) {
        List<String> whole = shown(TEXT, columns, TEXT.length());
        for (int piece : List.of(1, 2, 3, 7)) {
            assertThat(shown(TEXT, columns, piece)).isEqualTo(whole);
        }
        assertThat(String.join("", whole).replaceAll("\\s", "")).isEqualTo(TEXT.replaceAll("\\s", ""));
    }

    @Test
    void whereTheWidthIsNotKnownTextStaysAsItIs() {
        assertThat(new WordWrap().put(TEXT, 0)).isEqualTo(TEXT);
    }

    @Test
    void theWindowMayChangeItsWidthAtAnyTime() {
        Random random = new Random(5);
        WordWrap wrap = new WordWrap();
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < TEXT.length(); i++) {
            out.append(wrap.put(TEXT.substring(i, i + 1), random.nextInt(40)));
        }
        assertThat(out.toString()).startsWith("Rivers").endsWith("here");
    }

    /** The lines that a terminal would show, which knows of escape sequences just the two that are written. */
    private static List<String> shown(String text, int columns, int piece) {
        WordWrap wrap = new WordWrap();
        StringBuilder written = new StringBuilder();
        for (int i = 0; i < text.length(); i += piece) {
            written.append(wrap.put(text.substring(i, Math.min(text.length(), i + piece)), columns));
        }
        StringBuilder screen = new StringBuilder();
        for (int i = 0; i < written.length(); i++) {
            if (written.charAt(i) != '\u001b') {
                screen.append(written.charAt(i));
                continue;
            }
            int end = written.indexOf("D\u001b[K", i);
            int back = Integer.parseInt(written.substring(i + 2, end));
            while (back > 0) {
                back -= screen.charAt(screen.length() - 1) > 0x2fff ? 2 : 1;
                screen.setLength(screen.length() - 1);
            }
            i = end + 3;
        }
        return screen.toString().lines().map(String::stripTrailing).toList();
    }
}
