package dev.chasqui.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How likely a prompt's own tokens were. */
final class PromptLogprobsTest {
    private static final int BATCH = 64;

    private final EngineBench bench = new EngineBench(4, 512, BATCH, 16);

    @AfterEach
    void close() {
        bench.close();
        assertThat(bench.runner.saved).isZero();
    }

    @Test
    void everyTokenOfAPromptIsTold() {
        Ask ask = Ask.tokens(200, 1).max(3).promptLogprobs(2);
        bench.run(ask);

        assertThat(ask.answer.promptLogprobs()).hasSize(200).isEqualTo(EngineBench.promptLogprobs(ask));
        assertThat(ask.answer.text()).isEqualTo(EngineBench.alone(ask));
    }

    @Test
    void theyAreToldThoughTheBeginningIsCached() {
        bench.run(Ask.tokens(200, 1).max(1));
        Ask ask = Ask.tokens(200, 1).max(1).promptLogprobs(0);
        bench.run(ask);

        assertThat(ask.answer.promptLogprobs()).isEqualTo(EngineBench.promptLogprobs(ask));
        assertThat(ask.answer.completion().cachedTokens()).isZero();
    }

    @Test
    void othersBeginWithWhatWasComputedForThem() {
        Ask told = Ask.tokens(300, 1).max(2).promptLogprobs(0);
        Ask other = Ask.tokens(310, 1).max(2);
        bench.submit(List.of(told, other));
        bench.run();

        assertThat(told.answer.promptLogprobs()).isEqualTo(EngineBench.promptLogprobs(told));
        assertThat(other.answer.completion().cachedTokens()).isEqualTo(300);
        assertThat(other.answer.text()).isEqualTo(EngineBench.alone(other));
    }

    @Test
    void severalPromptsTogetherLookAtNoMoreRowsThanABatchHas() {
        List<Ask> asks = List.of(
                Ask.tokens(100, 1).max(1).promptLogprobs(0),
                Ask.tokens(90, 2).max(1).promptLogprobs(1),
                Ask.tokens(80, 3).max(1),
                Ask.tokens(70, 4).max(1).promptLogprobs(0));
        bench.submit(asks);
        bench.run(); // the runner refuses what is too much

        assertThat(asks)
                .allSatisfy(ask -> assertThat(ask.answer.promptLogprobs()).isEqualTo(EngineBench.promptLogprobs(ask)));
    }

    @Test
    void anInterruptedStepIsToldOnce() {
        Ask ask = Ask.tokens(100, 1).max(1).promptLogprobs(0);
        bench.submit(ask);
        bench.step();
        bench.runner.halfWay = bench.runner::interrupt;
        bench.step();
        bench.runner.halfWay = () -> {};
        bench.run();

        assertThat(bench.runner.interruptions).isEqualTo(1);
        assertThat(ask.answer.promptLogprobs()).isEqualTo(EngineBench.promptLogprobs(ask));
    }

    @Test
    void withoutATokenTheAnswerEndsBehindItsPrompt() {
        Ask ask = Ask.tokens(100, 1).max(0).promptLogprobs(0);
        bench.run(ask);

        assertThat(ask.answer.promptLogprobs()).hasSize(100);
        assertThat(ask.answer.chunks()).isEmpty();
        Completion completion = ask.answer.completion();
        assertThat(completion.completionTokens()).isZero();
        assertThat(completion.promptTokens()).isEqualTo(100);
        assertThat(completion.reason()).isEqualTo(Completion.Reason.MAX_TOKENS);
        assertThat(bench.engine.status().promptTokens()).isEqualTo(100);
        assertThat(bench.engine.status().completionTokens()).isZero();
    }

    @Test
    void anAnswerThatGoesOnHereTellsNothingOfItsPrompt() {
        Ask ask = Ask.tokens(100, 1).max(8).promptLogprobs(0).begun(new int[] {5, 6}, 0);
        bench.run(ask);

        assertThat(ask.answer.promptLogprobs()).isEmpty();
        assertThat(ask.answer.completion().completionTokens()).isEqualTo(8);
    }
}
