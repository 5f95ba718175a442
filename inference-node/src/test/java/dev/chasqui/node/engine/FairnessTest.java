package dev.chasqui.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Who stalls whom, in virtual time. */
final class FairnessTest {
    private static final long MILLISECOND = 1_000_000;

    @Test
    void aLongPromptDoesNotStallAnAnswer() {
        try (EngineBench bench = machine(5 * MILLISECOND, 400_000)) {
            Ask answering = bench.submit(Ask.tokens(10, 1).endless());
            bench.steps(20);
            Ask prompt = bench.submit(Ask.tokens(4000, 2).max(1));
            runUntilEnded(bench, prompt);

            assertThat(longestGap(answering)).isLessThanOrEqualTo(Scheduler.GAP_NANOS * 5 / 4);
        }
    }

    @Test
    void aLongPromptStillGetsMostOfTheTime() {
        try (EngineBench bench = machine(5 * MILLISECOND, 400_000)) {
            bench.submit(Ask.tokens(10, 1).endless());
            bench.steps(20);
            long began = bench.ticker.nanos();
            Ask prompt = bench.submit(Ask.tokens(4000, 2).max(1));
            runUntilEnded(bench, prompt);

            // Alone it would take 1.64 s.
            assertThat(bench.ticker.nanos() - began).isLessThan(2_200 * MILLISECOND);
        }
    }

    @Test
    void aPromptWhoseTokensCostMoreAndMoreDoesNotStallAnAnswer() {
        try (EngineBench bench = machine(0, 0)) {
            bench.runner.cost = (batch, ticker) -> {
                long took = 5 * MILLISECOND;
                for (int row = 0; row < batch.size(); row++) {
                    took += 200_000 + 200L * batch.position(row);
                }
                ticker.advance(took);
            };
            Ask answering = bench.submit(Ask.tokens(10, 1).endless());
            bench.steps(20);
            Ask prompt = bench.submit(Ask.tokens(4000, 2).max(1));
            runUntilEnded(bench, prompt);

            assertThat(longestGap(answering)).isLessThanOrEqualTo(Scheduler.GAP_NANOS * 3 / 2);
        }
    }

    @Test
    void deepInAPromptItsPiecesAreWholeTiles() {
        try (EngineBench bench = machine(0, 0)) {
            List<Integer> deep = new ArrayList<>();
            bench.runner.cost = (batch, ticker) -> {
                StepSize size = batch.stepSize();
                ticker.advance(MILLISECOND + 400_000L * size.tokens() + 500 * size.tiled() + 3000 * size.single());
                if (size.tokens() > 1 && batch.position(0) > PromptPieces.DEEP) {
                    deep.add(size.tokens());
                }
            };
            bench.submit(Ask.tokens(10, 1).endless().max(4000));
            bench.steps(20);
            Ask prompt = bench.submit(Ask.tokens(3001, 2).max(1));
            runUntilEnded(bench, prompt);

            assertThat(deep).isNotEmpty().allMatch(count -> count % StepSize.TILE == 0);
        }
    }

    @Test
    void aTileIsComputedWhereItTakesSomewhatTooLong() {
        try (EngineBench bench = machine(5 * MILLISECOND, 2_500_000)) {
            List<Integer> pieces = new ArrayList<>();
            ScriptedRunner.StepCost cost = bench.runner.cost;
            bench.runner.cost = (batch, ticker) -> {
                cost.pass(batch, ticker);
                pieces.add(batch.size());
            };
            Ask answering = bench.submit(Ask.tokens(10, 1).endless());
            bench.steps(20);
            pieces.clear();
            Ask prompt = bench.submit(Ask.tokens(1000, 2).max(1));
            runUntilEnded(bench, prompt);

            assertThat(pieces).filteredOn(size -> size > 1).contains(StepSize.TILE);
            assertThat(pieces).allMatch(size -> size < 2 * StepSize.TILE);
            assertThat(longestGap(answering)).isLessThan(3 * Scheduler.GAP_NANOS);
        }
    }

    @Test
    void theMoreWaitTheMoreAnAnswerWaitsForThem() {
        try (EngineBench bench = new EngineBench(16, 8192, 512, 64)) {
            bench.runner.cost = ScriptedRunner.StepCost.linear(5 * MILLISECOND, 400_000);
            Ask answering = bench.submit(Ask.tokens(10, 1).endless().max(4000));
            bench.steps(20);
            List<Ask> crowd = new ArrayList<>();
            for (int i = 0; i < 15; i++) {
                crowd.add(bench.submit(Ask.tokens(300, 2 + i).max(1)));
            }
            crowd.forEach(ask -> runUntilEnded(bench, ask));

            assertThat(longestGap(answering)).isBetween(Scheduler.GAP_NANOS, Scheduler.GAP_NANOS * 5 / 2);
        }
    }

    @Test
    void onASlowMachineAPromptGetsOnInSmallPieces() {
        try (EngineBench bench = machine(50 * MILLISECOND, 20 * MILLISECOND)) {
            Ask answering = bench.submit(Ask.tokens(10, 1).endless());
            bench.steps(20);
            Ask prompt = bench.submit(Ask.tokens(500, 2).max(1));
            runUntilEnded(bench, prompt);

            assertThat(longestGap(answering)).isLessThanOrEqualTo((50 + 20 + 50 + 16 * 20) * MILLISECOND);
        }
    }

    @Test
    void aWholeBatchIsUsedWhereNobodyAnswers() {
        try (EngineBench bench = machine(5 * MILLISECOND, 400_000)) {
            Ask prompt = bench.submit(Ask.tokens(4000, 2).max(1));
            runUntilEnded(bench, prompt);

            assertThat(bench.runner.decodes).isEqualTo(8);
        }
    }

    @Test
    void oneSlowStepDoesNotSlowPromptsForever() {
        try (EngineBench bench = machine(5 * MILLISECOND, 400_000)) {
            bench.submit(Ask.tokens(10, 1).endless());
            bench.steps(20);
            runUntilEnded(bench, bench.submit(Ask.tokens(4000, 2).max(1)));
            long before = timeOf(bench, Ask.tokens(4000, 3).max(1));
            ScriptedRunner.StepCost usual = bench.runner.cost;
            bench.runner.cost = (batch, ticker) -> {
                usual.pass(batch, ticker);
                ticker.advance(20_000 * MILLISECOND);
            };
            Ask unlucky = bench.submit(Ask.tokens(4000, 4).max(1));
            bench.steps(12);
            bench.runner.cost = usual;
            runUntilEnded(bench, unlucky);

            assertThat(timeOf(bench, Ask.tokens(4000, 6).max(1))).isLessThan(before * 3 / 2);
        }
    }

    @Test
    void shortPromptsGoBeforeALongOne() {
        try (EngineBench bench = machine(5 * MILLISECOND, 400_000)) {
            bench.submit(Ask.tokens(10, 1).endless());
            bench.steps(20);
            Ask longer = bench.submit(Ask.tokens(4000, 2).max(1));
            bench.step();
            Ask shorter = bench.submit(Ask.tokens(50, 3).max(1));
            bench.steps(2);

            assertThat(shorter.answer.ended()).isTrue();
            assertThat(longer.answer.ended()).isFalse();
        }
    }

    @Test
    void anUrgentPromptGoesBeforeAShorterOne() {
        try (EngineBench bench = machine(5 * MILLISECOND, 400_000)) {
            bench.submit(Ask.tokens(10, 1).endless());
            bench.steps(20);
            Ask shorter = bench.submit(Ask.tokens(1500, 2).max(1));
            Ask urgent = bench.submit(Ask.tokens(2000, 3).max(1).priority(-1));
            runUntilEnded(bench, urgent);

            assertThat(shorter.answer.ended()).isFalse();
        }
    }

    @Test
    void aLongPromptIsNotStarvedByShortOnes() {
        try (EngineBench bench = machine(5 * MILLISECOND, 400_000)) {
            bench.submit(Ask.tokens(10, 1).endless().max(4000));
            bench.steps(20);
            Ask longer = bench.submit(Ask.tokens(3000, 2).max(1));
            long began = bench.ticker.nanos();
            int number = 3;
            List<Ask> shorts = new ArrayList<>();
            while (!longer.answer.ended()) {
                // More than the machine can do: each step brings a prompt that would use it up alone.
                if (shorts.size() < 1000 && bench.engine.status().queued() < 8) {
                    shorts.add(bench.submit(Ask.tokens(400, number++).max(1)));
                }
                bench.step();
                assertThat(bench.ticker.nanos() - began).isLessThan(30_000 * MILLISECOND);
            }

            assertThat(bench.ticker.nanos() - began).isLessThan(10_000 * MILLISECOND);
        }
    }

    private static EngineBench machine(long stepNanos, long tokenNanos) {
        EngineBench bench = new EngineBench(4, 8192, 512, 64);
        bench.runner.cost = ScriptedRunner.StepCost.linear(stepNanos, tokenNanos);
        return bench;
    }

    private static long timeOf(EngineBench bench, Ask ask) {
        long began = bench.ticker.nanos();
        bench.submit(ask);
        runUntilEnded(bench, ask);
        return bench.ticker.nanos() - began;
    }

    private static void runUntilEnded(EngineBench bench, Ask ask) {
        for (int steps = 0; !ask.answer.ended(); steps++) {
            assertThat(steps).isLessThan(10_000);
            bench.step();
        }
    }

    private static long longestGap(Ask ask) {
        List<Long> times = ask.answer.times();
        long longest = 0;
        for (int i = 1; i < times.size(); i++) {
            longest = Math.max(longest, times.get(i) - times.get(i - 1));
        }
        return longest;
    }
}
