package dev.chasqui.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Many sequences in one batch. */
final class BatchingTest {
    private final EngineBench bench = EngineBench.withSlots(4);

    @AfterEach
    void close() {
        bench.close();
    }

    @Test
    void answersInACrowdAsAlone() {
        List<Ask> asks = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            asks.add(Ask.tokens(3 + 9 * i, i).max(5 + 2 * i));
        }

        bench.run(asks.toArray(Ask[]::new));

        assertThat(asks).allSatisfy(ask -> {
            ask.answer.completion();
            assertThat(ask.answer.text()).isEqualTo(EngineBench.alone(ask));
        });
    }

    @Test
    void computesAllAnswersInOneBatch() {
        bench.submit(List.of(
                Ask.tokens(5, 1).endless(),
                Ask.tokens(5, 2).endless(),
                Ask.tokens(5, 3).endless(),
                Ask.tokens(5, 4).endless()));
        bench.step();
        int decodes = bench.runner.decodes;

        bench.steps(10);

        assertThat(bench.runner.decodes).isEqualTo(decodes + 10);
        assertThat(bench.engine.status().completionTokens()).isEqualTo(4 + 40);
    }

    @Test
    void neverExceedsABatch() {
        for (int i = 0; i < 8; i++) {
            bench.submit(Ask.tokens(200 + i, i).max(20));
        }
        bench.run();

        assertThat(bench.runner.mostRows).isEqualTo(bench.runner.batchTokens());
    }

    @Test
    void tellsHowFarAPromptIs() {
        Ask ask = bench.submit(Ask.tokens(150).max(1));
        bench.run();

        assertThat(ask.answer.prompts()).extracting(progress -> progress[0]).containsExactly(64, 128, 150);
        assertThat(ask.answer.prompts())
                .allSatisfy(progress -> assertThat(progress[1]).isEqualTo(150));
    }

    @Test
    void startsWhoComesLaterWhileOthersAnswer() {
        Ask early = bench.submit(Ask.tokens(5, 1).endless());
        bench.steps(5);
        Ask late = bench.submit(Ask.tokens(5, 2).max(3));
        bench.steps(5);

        assertThat(late.answer.completion().completionTokens()).isEqualTo(3);
        assertThat(early.answer.ended()).isFalse();
        assertThat(early.answer.chunks()).hasSize(9);
    }

    @Test
    void hasNothingToDoWithoutRequests() {
        assertThat(bench.step()).isFalse();
        assertThat(bench.runner.decodes).isZero();
    }

    @Test
    void measuresWaitingPromptAndAnswer() {
        bench.runner.cost = ScriptedRunner.StepCost.linear(10_000_000, 0);
        bench.submit(List.of(
                Ask.tokens(5, 1).max(3),
                Ask.tokens(5, 2).max(3),
                Ask.tokens(5, 3).max(3),
                Ask.tokens(5, 4).max(3)));
        Ask last = bench.submit(Ask.tokens(100, 5).max(4));
        bench.run();

        Completion completion = last.answer.completion();
        assertThat(completion.queueNanos()).isEqualTo(30_000_000);
        assertThat(completion.promptNanos()).isEqualTo(20_000_000);
        assertThat(completion.decodeNanos()).isEqualTo(30_000_000);
        assertThat(completion.promptTokens()).isEqualTo(100);
    }
}
