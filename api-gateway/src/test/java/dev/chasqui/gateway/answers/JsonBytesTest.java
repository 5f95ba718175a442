package dev.chasqui.gateway.answers;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

class JsonBytesTest {

    @Test
    void anyTextSurvives() {
        Random random = new Random(1);
        for (int i = 0; i < 2_000; i++) {
            String text = random.ints(random.nextInt(40), 0, 0x3000)
                    .map(p -> p % 3 == 0 ? p % 0x80 : p % 17 == 0 ? 0x1f600 + p % 50 : p)
                    .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                    .toString();
            String json = new String(new JsonBytes(1).string(text).toArray(), StandardCharsets.UTF_8);
            assertThat(JsonMapper.shared().readTree(json).stringValue()).isEqualTo(text);
            assertThat(json).doesNotContain("\n").doesNotContain("\r");
        }
    }

    @Test
    void escapesInAShortWay() {
        assertThat(text(new JsonBytes(1).string("a\"b\\c\n\r\t\b\f\u0001\u001f\u007f/é€😀")))
                .isEqualTo("\"a\\\"b\\\\c\\n\\r\\t\\b\\f\\u0001\\u001f\u007f/é€😀\"");
    }

    @Test
    void halfACharacterBecomesTheReplacement() {
        assertThat(text(new JsonBytes(1).string("a\ud83d"))).isEqualTo("\"a\ufffd\"");
        assertThat(text(new JsonBytes(1).string("\ude00\ud83dx"))).isEqualTo("\"\ufffd\ufffdx\"");
    }

    @Test
    void numbersAreAlwaysJson() {
        assertThat(text(new JsonBytes(1).number(1.23456, 3, 1e9))).isEqualTo("1.235");
        assertThat(text(new JsonBytes(1).number(20, 3, 1e9))).isEqualTo("20");
        assertThat(text(new JsonBytes(1).number(Double.NEGATIVE_INFINITY, 3, 9999)))
                .isEqualTo("-9999");
        assertThat(text(new JsonBytes(1).number(Double.NaN, 3, 9999))).isEqualTo("0");
    }

    private static String text(JsonBytes bytes) {
        return new String(bytes.toArray(), StandardCharsets.UTF_8);
    }

    @Test
    void givesBackWhatALongTextTook() {
        JsonBytes json = new JsonBytes(16);
        json.string("x".repeat(1_000_000));
        json.clear();

        assertThat(json.array().length).isLessThan(100_000);
        assertThat(json.string("y").toArray()).containsExactly('"', 'y', '"');
    }
}
