package dev.chasqui.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Likely next tokens that are computed ahead: faster where the text repeats itself, the same text in any case. */
final class DraftTest {
    private static final long MILLISECOND = 1_000_000;

    private final EngineBench bench = EngineBench.withSlots(2);

    @AfterEach
    void close() {
        bench.close();
    }

    @Test
    void aTextThatRepeatsItselfTakesFewerSteps() {
        Ask ask = Ask.tokens(10, 3).saying(poem(200));
        bench.run(ask);

        assertThat(ask.answer.completion().completionTokens()).isEqualTo(200);
        assertThat(ask.answer.text()).isEqualTo(Words.text(poem(200), List.of()));
        assertThat(bench.runner.decodes).isLessThan(100);
        assertThat(bench.engine.status().draftedTokens()).isGreaterThan(100);
        assertThat(ask.answer.completion().acceptedTokens())
                .isEqualTo(200 - bench.runner.decodes)
                .isLessThanOrEqualTo(ask.answer.completion().draftedTokens());
        assertThat((long) ask.answer.completion().draftedTokens())
                .isEqualTo(bench.engine.status().draftedTokens());
        assertThat((long) ask.answer.completion().acceptedTokens())
                .isEqualTo(bench.engine.status().acceptedTokens());
    }

    @Test
    void aTextThatQuotesThePromptTakesFewerSteps() {
        int[] quoted = Ask.tokens(150, 5).prompt;
        Ask ask = Ask.prompt(Words.concat(quoted, Words.bytes("Say that again: ")))
                .saying(quoted);
        bench.run(ask);

        assertThat(bench.runner.decodes).isLessThan(90);
    }

    @Test
    void aTextWithoutRepetitionComputesNothingAhead() {
        int[] letters = new int[64];
        Arrays.setAll(letters, i -> i * 3 % 251);
        Ask ask = Ask.tokens(3, 1).saying(letters);
        bench.run(ask);

        assertThat(bench.engine.status().draftedTokens()).isZero();
        assertThat(ask.answer.completion().draftedTokens()).isZero();
        assertThat(bench.runner.decodes).isEqualTo(64);
    }

    @Test
    void nothingIsComputedAheadWhereItDoesNotPay() {
        bench.runner.cost = ScriptedRunner.StepCost.linear(0, MILLISECOND);
        Ask ask = Ask.tokens(10, 3).saying(poem(200));
        bench.run(ask);

        assertThat(bench.engine.status().draftedTokens()).isZero();
        assertThat(bench.runner.decodes).isEqualTo(200);
    }

    @Test
    void nothingIsComputedAheadWhereThatIsOff() {
        EngineOptions off = new EngineOptions(16, 0, false);
        try (EngineBench plain = new EngineBench(2, 512, 64, Beginnings.WORTHWHILE, off)) {
            Ask ask = Ask.tokens(10, 3).saying(poem(200));
            plain.run(ask);

            assertThat(plain.engine.status().draftedTokens()).isZero();
            assertThat(plain.runner.decodes).isEqualTo(200);
        }
    }

    @Test
    void nothingIsComputedAheadWithAMemoryThatCannotBeCut() {
        bench.runner.cutsTails = false;
        Ask ask = Ask.tokens(10, 3).saying(poem(200));
        bench.run(ask);

        assertThat(bench.engine.status().draftedTokens()).isZero();
        assertThat(ask.answer.completion().completionTokens()).isEqualTo(200);
    }

    @Test
    void aStopStringInsideADraftEndsTheAnswerThere() {
        int[] text = poem(200);
        text[150] = 'X';
        Ask ask = Ask.tokens(10, 3).saying(text).stops("X");
        bench.run(ask);

        assertThat(ask.answer.completion().reason()).isEqualTo(Completion.Reason.STOP_STRING);
        assertThat(ask.answer.text()).isEqualTo(Words.text(Arrays.copyOf(text, 150), List.of()));
        assertThat(bench.engine.status().draftedTokens()).isPositive();
    }

    @Test
    void theLastTokenAllowedIsNotOvershot() {
        for (int max = 100; max < 120; max++) {
            Ask ask = Ask.tokens(10, max).saying(poem(max));
            bench.run(ask);

            assertThat(ask.answer.completion().completionTokens()).isEqualTo(max);
            assertThat(ask.answer.completion().reason()).isEqualTo(Completion.Reason.MAX_TOKENS);
        }
    }

    @Test
    void theContextIsNotOvershot() {
        Ask ask = Ask.tokens(10, 3).saying(poem(600));
        bench.run(ask);

        assertThat(ask.answer.completion().reason()).isEqualTo(Completion.Reason.CONTEXT_FULL);
        assertThat(ask.answer.completion().completionTokens()).isEqualTo(502);
    }

    private static int[] poem(int length) {
        int[] verse = Words.bytes("a rose is a rose; ");
        int[] poem = new int[length];
        Arrays.setAll(poem, i -> verse[i % verse.length]);
        return poem;
    }
}
