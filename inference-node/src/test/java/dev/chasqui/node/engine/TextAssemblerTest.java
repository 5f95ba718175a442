package dev.chasqui.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class TextAssemblerTest {
    private static final String ALPHABET = "ab<|é日😀";

    @Test
    void stopsAcrossPieces() {
        assertThat(assemble(List.of("<|end|>"), "hi <", "|en", "d|", "> there")).isEqualTo("hi ");
    }

    @Test
    void stopsAtTheVeryStart() {
        assertThat(assemble(List.of("###"), "#", "#", "#", "x")).isEmpty();
    }

    @Test
    void stopsInsideAPiece() {
        assertThat(assemble(List.of("\n\n"), "one\n\ntwo")).isEqualTo("one");
    }

    @Test
    void stopsWithAStringOfManyByteCharacters() {
        assertThat(assemble(List.of("日本"), "in 日", "本 we")).isEqualTo("in ");
    }

    @Test
    void stopStringsMayEndInsideAPieceThatHoldsHalfACharacter() {
        TextAssembler assembler = new TextAssembler(List.of("é"));
        assertThat(assembler.add(new byte[] {'a', (byte) 0xC3})).isEqualTo("a");
        assertThat(assembler.add(new byte[] {(byte) 0xA9, (byte) 0xE2})).isEmpty();
        assertThat(assembler.stopped()).isEqualTo("é");
    }

    @Test
    void aStopStringDoesNotMatchInsideAnotherCharacter() {
        assertThat(assemble(List.of("\u0080"), "\u2080\u2080")).isEqualTo("\u2080\u2080");
    }

    @Test
    void takesTheStopThatIsCompleteFirst() {
        TextAssembler assembler = new TextAssembler(List.of("abcd", "bc"));
        assertThat(assembler.add(utf8("xabcd"))).isEqualTo("xa");
        assertThat(assembler.stopped()).isEqualTo("bc");
    }

    @Test
    void takesTheLongestOfStopsThatEndTogether() {
        TextAssembler assembler = new TextAssembler(List.of("c", "abc", "bc"));
        assertThat(assembler.add(utf8("xabc"))).isEqualTo("x");
        assertThat(assembler.stopped()).isEqualTo("abc");
    }

    @Test
    void goesOnAfterAFalseStart() {
        assertThat(assemble(List.of("aab"), "a", "a", "a", "b", "c")).isEqualTo("a");
        assertThat(assemble(List.of("stop"), "s", "t", "o", "n", "e")).isEqualTo("stone");
    }

    @Test
    void holdsNoMoreThanItMust() {
        TextAssembler assembler = new TextAssembler(List.of("stop"));
        assertThat(assembler.add(utf8("a"))).isEqualTo("a");
        assertThat(assembler.add(utf8("bst"))).isEqualTo("b");
        assertThat(assembler.heldBytes()).isEqualTo(2);
        assertThat(assembler.add(utf8("a"))).isEqualTo("sta");
        assertThat(assembler.heldBytes()).isZero();
    }

    @Test
    void anySplitOfAnyBytesGivesTheSameText() {
        Random random = new Random(42);
        for (int round = 0; round < 100_000; round++) {
            byte[] bytes = bytes(random);
            List<String> stops = stops(random);
            String expected = Words.before(stops, bytes);

            assertThat(assemble(stops, List.of(bytes)))
                    .as("whole, seed round %d", round)
                    .isEqualTo(expected);
            assertThat(assemble(stops, split(bytes, random)))
                    .as("split, seed round %d", round)
                    .isEqualTo(expected);
        }
    }

    private static byte[] bytes(Random random) {
        if (random.nextInt(3) == 0) {
            byte[] noise = new byte[random.nextInt(12)];
            random.nextBytes(noise);
            return noise;
        }
        byte[] text = utf8(text(random, random.nextInt(12)));
        for (int i = 0; i < text.length && random.nextInt(4) == 0; i++) {
            text[random.nextInt(text.length)] = (byte) random.nextInt(256);
        }
        return text;
    }

    private static List<String> stops(Random random) {
        List<String> stops = new ArrayList<>();
        for (int i = random.nextInt(4); i > 0; i--) {
            stops.add(text(random, 1 + random.nextInt(4)));
        }
        return stops;
    }

    private static String text(Random random, int characters) {
        int[] alphabet = ALPHABET.codePoints().toArray();
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < characters; i++) {
            text.appendCodePoint(alphabet[random.nextInt(alphabet.length)]);
        }
        return text.toString();
    }

    private static List<byte[]> split(byte[] bytes, Random random) {
        List<byte[]> pieces = new ArrayList<>();
        int from = 0;
        while (from < bytes.length) {
            int to = Math.min(bytes.length, from + random.nextInt(4));
            pieces.add(Arrays.copyOfRange(bytes, from, to));
            from = to;
        }
        return pieces;
    }

    private static String assemble(List<String> stops, String... pieces) {
        return assemble(
                stops, Arrays.stream(pieces).map(TextAssemblerTest::utf8).toList());
    }

    private static String assemble(List<String> stops, List<byte[]> pieces) {
        TextAssembler assembler = new TextAssembler(stops);
        StringBuilder text = new StringBuilder();
        for (byte[] piece : pieces) {
            text.append(assembler.add(piece));
            if (assembler.stopped() != null) {
                return text.toString();
            }
        }
        return text.append(assembler.rest()).toString();
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
