package dev.chasqui.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What ends an answer. */
final class AnswerEndTest {
    private final EngineBench bench = new EngineBench(2, 64, 32, 4);

    @AfterEach
    void close() {
        bench.close();
    }

    @Test
    void theModelEndsIt() {
        Completion completion =
                complete(Ask.tokens(5).saying(Words.concat(Words.bytes("ab"), end(), Words.bytes("cd"))), "ab");

        assertThat(completion.reason()).isEqualTo(Completion.Reason.END_OF_ANSWER);
        assertThat(completion.completionTokens()).isEqualTo(3);
    }

    @Test
    void theModelEndsItAtOnce() {
        Completion completion = complete(Ask.tokens(5).saying(Words.END), "");

        assertThat(completion.reason()).isEqualTo(Completion.Reason.END_OF_ANSWER);
        assertThat(completion.completionTokens()).isEqualTo(1);
        assertThat(completion.decodeNanos()).isZero();
    }

    @Test
    void itsTokensAreUsedUp() {
        Completion completion =
                complete(Ask.tokens(5).saying(Words.bytes("abcdef")).max(3), "abc");

        assertThat(completion.reason()).isEqualTo(Completion.Reason.MAX_TOKENS);
        assertThat(completion.completionTokens()).isEqualTo(3);
    }

    @Test
    void theLastTextComesWithTheEnd() {
        Ask ask = Ask.tokens(5).saying(Words.bytes("abcdef")).max(3);
        complete(ask, "abc");

        assertThat(ask.answer.rest().text()).isEqualTo("c");
        assertThat(ask.answer.rest().tokens()).isEqualTo(1);
    }

    @Test
    void anEndWithTheLastTokenAllowedIsTheModelsOwn() {
        Completion completion = complete(
                Ask.tokens(5).saying(Words.concat(Words.bytes("ab"), end())).max(3), "ab");

        assertThat(completion.reason()).isEqualTo(Completion.Reason.END_OF_ANSWER);
    }

    @Test
    void theContextIsFull() {
        Ask ask = Ask.tokens(50).endless();
        Completion completion = complete(ask, "abcdefghijklmn");

        assertThat(completion.reason()).isEqualTo(Completion.Reason.CONTEXT_FULL);
        assertThat(completion.promptTokens() + completion.completionTokens()).isEqualTo(64);
    }

    @Test
    void aStopStringComes() {
        Completion completion =
                complete(Ask.tokens(5).saying(Words.bytes("say stop now")).stops("stop"), "say ");

        assertThat(completion.reason()).isEqualTo(Completion.Reason.STOP_STRING);
        assertThat(completion.stop()).isEqualTo("stop");
        assertThat(completion.completionTokens()).isEqualTo(8);
    }

    @Test
    void aStopStringWithTheLastTokenAllowedIsAStop() {
        Completion completion =
                complete(Ask.tokens(5).saying(Words.bytes("a.b")).stops("b").max(3), "a.");

        assertThat(completion.reason()).isEqualTo(Completion.Reason.STOP_STRING);
    }

    @Test
    void anUnfinishedStopStringComesOutAtTheEnd() {
        assertThat(complete(Ask.tokens(5).saying(Words.bytes("say sto")).stops("stop"), "say sto")
                        .reason())
                .isEqualTo(Completion.Reason.MAX_TOKENS);
        assertThat(complete(
                                Ask.tokens(5)
                                        .saying(Words.concat(Words.bytes("sto"), end()))
                                        .stops("stop"),
                                "sto")
                        .reason())
                .isEqualTo(Completion.Reason.END_OF_ANSWER);
    }

    @Test
    void noChunkEverHoldsWhatMayBecomeAStop() {
        Ask ask = Ask.tokens(5).saying(Words.bytes("xsstopy")).stops("stop");
        bench.run(ask);

        assertThat(ask.answer.chunks()).extracting(TokenChunk::text).containsExactly("x", "s", "");
        assertThat(ask.answer.text()).isEqualTo("xs");
    }

    @Test
    void freesTheSlotAndTheSampler() {
        Ask ask = Ask.tokens(5).saying(Words.bytes("abc"));
        bench.run(ask);

        assertThat(ask.sampler.timesClosed()).isEqualTo(1);
        assertThat(bench.engine.status().slotsInUse()).isZero();
    }

    private Completion complete(Ask ask, String text) {
        bench.run(ask);
        Completion completion = ask.answer.completion();
        assertThat(ask.answer.text()).isEqualTo(text);
        return completion;
    }

    private static int[] end() {
        return new int[] {Words.END};
    }
}
