package dev.chasqui.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Objects;
import org.junit.jupiter.api.Test;

/** A small model's guesses: faster where they are right, the same text in any case, and next to no loss where they are wrong. */
final class DraftModelTest {
    private static final long MILLISECOND = 1_000_000;

    @Test
    void rightGuessesTakeFewerStepsAndLessTime() {
        long without = time(0, 0);
        long with = time(0.95, MILLISECOND / 10);

        assertThat(with).isLessThan(without / 2);
    }

    @Test
    void wrongGuessesCostNextToNothing() {
        assertThat(time(0.02, MILLISECOND / 2)).isLessThan(time(0, 0) * 102 / 100);
    }

    @Test
    void guessesAsDearAsTheModelItselfCostNextToNothing() {
        assertThat(time(0.95, 10 * MILLISECOND)).isLessThan(time(0, 0) * 102 / 100);
    }

    @Test
    void countsWhatItGuessed() {
        try (EngineBench bench = bench(0.9, MILLISECOND / 10)) {
            Ask ask = Ask.tokens(40, 1).max(200).sampler(endless());
            bench.run(ask);
            Completion completion = ask.answer.completion();
            assertThat(completion.acceptedTokens())
                    .isPositive()
                    .isEqualTo(completion.completionTokens() - bench.runner.decodes)
                    .isLessThanOrEqualTo(completion.draftedTokens());
        }
    }

    @Test
    void inCompanyItIsNotAsked() {
        try (EngineBench bench = bench(0.9, MILLISECOND / 10)) {
            bench.submit(Ask.tokens(40, 1).endless());
            bench.submit(Ask.tokens(40, 2).endless());
            bench.steps(50);

            assertThat(drafter(bench).calls).isZero();
        }
    }

    @Test
    void oneThatFailsIsNotAskedAgain() {
        try (EngineBench bench = bench(0.9, MILLISECOND / 10)) {
            drafter(bench).fails = true;
            Ask ask = Ask.tokens(40, 1).max(100);
            bench.run(ask);

            assertThat(ask.answer.text()).isEqualTo(EngineBench.alone(ask));
            assertThat(drafter(bench).calls).isEqualTo(1);
        }
    }

    @Test
    void whatIsTooLongForItIsAnsweredWithoutIt() {
        try (EngineBench bench = bench(0.9, MILLISECOND / 10)) {
            Ask ask = Ask.tokens(4090, 1).max(100);
            bench.run(ask);

            assertThat(ask.answer.completion().completionTokens()).isBetween(1, 6);
            assertThat(drafter(bench).calls).isZero();
        }
    }

    @Test
    void isClosedWithTheEngine() {
        EngineBench bench = bench(0.9, 1);
        bench.close();

        assertThat(drafter(bench).closed()).isTrue();
    }

    /** What twenty long answers take, one after the other, where a step takes ten milliseconds and a bit for each token. */
    private static long time(double sure, long guessNanos) {
        try (EngineBench bench = bench(sure, guessNanos)) {
            long began = bench.ticker.nanos();
            for (int i = 0; i < 20; i++) {
                Ask ask = Ask.tokens(40, i).max(500).sampler(endless());
                bench.run(ask);
                assertThat(ask.answer.completion().completionTokens()).isEqualTo(500);
            }
            return bench.ticker.nanos() - began;
        }
    }

    private static ScriptedSampler endless() {
        return ScriptedSampler.seeded(0).withoutEnd();
    }

    private static EngineBench bench(double sure, long guessNanos) {
        EngineBench bench = new EngineBench(2, 4096, 64, 4, Beginnings.WORTHWHILE, sure, guessNanos);
        bench.runner.cost = ScriptedRunner.StepCost.linear(10 * MILLISECOND, MILLISECOND / 10);
        return bench;
    }

    private static ScriptedDrafter drafter(EngineBench bench) {
        return Objects.requireNonNull(bench.drafter);
    }
}
