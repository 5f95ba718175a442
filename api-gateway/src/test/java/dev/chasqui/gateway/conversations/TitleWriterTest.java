package dev.chasqui.gateway.conversations;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TitleWriterTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\u0000',
            value = {
                "\"Rye Bread\"|Rye Bread",
                "**Title: Rye Bread**|Rye Bread",
                "# Rye Bread.|Rye Bread",
                "«Pain de seigle»|Pain de seigle",
            })
    void whatModelsPutAroundATitleIsTakenAway(String text, String title) {
        assertThat(TitleWriter.cleaned(text)).isEqualTo(title);
    }

    @Test
    void onlyTheFirstLineCounts() {
        assertThat(TitleWriter.cleaned("  Rye Bread \n\nAnd more")).isEqualTo("Rye Bread");
    }

    @Test
    void aSpeechIsNoTitle() {
        assertThat(TitleWriter.cleaned("word ".repeat(40))).isEmpty();
        assertThat(TitleWriter.cleaned(" \n")).isEmpty();
    }

    @Test
    void whatSaysTheTaskOverIsNoTitle() {
        assertThat(TitleWriter.cleaned("Two to six words, in its language.")).isEmpty();
    }

    @Test
    void wordsAreNotCut() {
        assertThat(TitleWriter.words(" How  do\nI bake? ")).isEqualTo("How do I bake?");
        assertThat(TitleWriter.words("word ".repeat(40))).hasSizeLessThan(62).endsWith("word…");
        assertThat(TitleWriter.words("😀".repeat(100))).isEqualTo("😀".repeat(30) + "…");
    }
}
