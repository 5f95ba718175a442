package dev.chasqui.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Text and log-probabilities as a sink gets them. */
final class AnswerTextTest {
    private final EngineBench bench = new EngineBench(2, 128, 32, 4);

    @AfterEach
    void close() {
        bench.close();
    }

    @Test
    void neverCutsACharacter() {
        String text = "naïve 日本語 😀👨‍👩‍👧 ok";
        Ask ask = say(Words.bytes(text));

        assertThat(ask.answer.text()).isEqualTo(text);
        assertThat(ask.answer.chunks()).allSatisfy(chunk -> {
            assertThat(chunk.text()).doesNotContain("\uFFFD");
            assertThat(Character.isHighSurrogate(lastChar(chunk.text()))).isFalse();
        });
    }

    @Test
    void tokensInsideACharacterComeWithIt() {
        Ask ask = say(Words.bytes("a😀b"));

        assertThat(ask.answer.chunks()).extracting(TokenChunk::text).containsExactly("a", "😀", "b");
        assertThat(ask.answer.chunks()).extracting(TokenChunk::tokens).containsExactly(1, 4, 1);
    }

    @Test
    void invalidBytesBecomeReplacementCharacters() {
        assertThat(say('a', 0xFF, 'b', 0xE2, 'c', 0x80).answer.text()).isEqualTo("a\uFFFDb\uFFFDc\uFFFD");
    }

    @Test
    void anUnfinishedCharacterAtTheEndIsSaid() {
        assertThat(say('a', 0xF0, 0x9F).answer.text()).isEqualTo("a\uFFFD");
    }

    @Test
    void tokensWithoutTextAreCounted() {
        Ask ask = say('a', Words.SILENT, Words.SILENT, 'b');

        assertThat(ask.answer.text()).isEqualTo("ab");
        assertThat(ask.answer.chunks()).extracting(TokenChunk::tokens).containsExactly(1, 1, 1, 1);
    }

    @Test
    void eachTokenHasItsLogprob() {
        Ask ask = Ask.tokens(5).saying(Words.bytes("abc")).logprobs(3);
        bench.run(ask);

        assertThat(ask.answer.chunks())
                .allSatisfy(chunk -> assertThat(chunk.logprobs()).hasSize(1));
        int[] sequence = Words.concat(ask.prompt, Words.bytes("abc"));
        for (int i = 0; i < 3; i++) {
            TokenLogprob logprob = ask.answer.chunks().get(i).logprobs().get(0);
            long state = ScriptedRunner.state(sequence, 5 + i, AdapterSet.NONE);
            assertThat(logprob.token()).isEqualTo("abc".charAt(i));
            assertThat(logprob.logprob()).isEqualTo(ScriptedRunner.logprob(state, "abc".charAt(i), Words.SIZE));
            assertThat(logprob.top()).hasSize(3);
            assertThat(logprob.top().get(0).token()).isEqualTo(ScriptedSampler.token(state, 0, Words.SIZE));
        }
    }

    @Test
    void noLogprobsUnlessAskedFor() {
        assertThat(say(Words.bytes("abc")).answer.chunks())
                .allSatisfy(chunk -> assertThat(chunk.logprobs()).isEmpty());
        Ask ask = Ask.tokens(5).saying(Words.bytes("abc")).logprobs(0);
        bench.run(ask);
        assertThat(ask.answer.chunks())
                .allSatisfy(chunk -> assertThat(chunk.logprobs())
                        .singleElement()
                        .satisfies(logprob -> assertThat(logprob.top()).isEmpty()));
    }

    @Test
    void logprobsWaitForTheirText() {
        Ask ask = Ask.tokens(5).saying(Words.bytes("é!")).logprobs(0);
        bench.run(ask);

        assertThat(ask.answer.chunks()).extracting(TokenChunk::text).containsExactly("é", "!");
        assertThat(logprobTokens(ask.answer.chunks().get(0))).containsExactly(0xC3, 0xA9);
    }

    @Test
    void tokensOfAStopStringHaveNoLogprobs() {
        Ask ask = Ask.tokens(5).saying(Words.bytes("ab<end>")).stops("<end>").logprobs(0);
        bench.run(ask);

        assertThat(ask.answer.text()).isEqualTo("ab");
        assertThat(ask.answer.chunks().stream().flatMap(chunk -> logprobTokens(chunk).stream()))
                .containsExactly((int) 'a', (int) 'b');
    }

    @Test
    void aTokenThatIsPartlyTextAndPartlyStopHasItsLogprob() {
        Ask ask = Ask.tokens(5).saying(Words.word("the "), 'x').stops(" x").logprobs(0);
        bench.run(ask);

        assertThat(ask.answer.text()).isEqualTo("the");
        assertThat(ask.answer.chunks().stream().flatMap(chunk -> logprobTokens(chunk).stream()))
                .containsExactly(Words.word("the "));
    }

    @Test
    void theEndOfAnswerTokenHasNoLogprob() {
        Ask ask = Ask.tokens(5).saying('a', Words.END).logprobs(0);
        bench.run(ask);

        assertThat(ask.answer.chunks().stream().flatMap(chunk -> logprobTokens(chunk).stream()))
                .containsExactly((int) 'a');
    }

    @Test
    void heldBackLogprobsComeAtTheEnd() {
        Ask ask = Ask.tokens(5).saying(Words.bytes("ab")).stops("abc").logprobs(0);
        bench.run(ask);

        assertThat(ask.answer.text()).isEqualTo("ab");
        assertThat(ask.answer.chunks()).singleElement().satisfies(chunk -> {
            assertThat(chunk.tokens()).isEqualTo(2);
            assertThat(logprobTokens(chunk)).containsExactly((int) 'a', (int) 'b');
        });
    }

    private Ask say(int... tokens) {
        Ask ask = Ask.tokens(5).saying(tokens);
        bench.run(ask);
        ask.answer.completion();
        return ask;
    }

    private static List<Integer> logprobTokens(TokenChunk chunk) {
        return chunk.logprobs().stream().map(TokenLogprob::token).toList();
    }

    private static char lastChar(String text) {
        return text.isEmpty() ? ' ' : text.charAt(text.length() - 1);
    }

    @Test
    void textIsTheSameHoweverTokensCutIt() {
        byte[] bytes = "st😀op stop".getBytes(StandardCharsets.UTF_8);
        Ask bytewise = say(Words.bytes(bytes));
        Ask wordwise =
                say(Words.word("st"), Words.word("😀"), Words.word("op"), ' ', Words.word("st"), Words.word("op"));

        assertThat(wordwise.answer.text()).isEqualTo(bytewise.answer.text()).isEqualTo("st😀op stop");
    }
}
