package dev.chasqui.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Requests that end before their answer does. */
final class CancellationTest {
    private final EngineBench bench = EngineBench.withSlots(1);

    @AfterEach
    void close() {
        bench.close();
    }

    @Test
    void cancelsWhileQueued() {
        Ask running = bench.submit(Ask.tokens(5, 1).endless());
        Ask queued = bench.submit(Ask.tokens(5, 2));
        bench.step();

        queued.generation.cancel();
        bench.step();

        assertCancelled(queued);
        assertThat(queued.answer.chunks()).isEmpty();
        assertThat(running.answer.ended()).isFalse();
        assertThat(bench.engine.status().queued()).isZero();
    }

    @Test
    void cancelsBeforeTheEngineHasSeenIt() {
        Ask ask = bench.submit(Ask.tokens(5, 1));
        ask.generation.cancel();

        assertThat(bench.step()).isFalse();
        assertCancelled(ask);
        assertThat(bench.runner.decodes).isZero();
    }

    @Test
    void cancelsInTheMiddleOfAPrompt() {
        Ask ask = bench.submit(Ask.tokens(300));
        bench.steps(2);
        ask.generation.cancel();

        assertThat(bench.step()).isFalse();
        assertCancelled(ask);
        assertThat(bench.engine.status().slotsInUse()).isZero();
        assertThat(bench.runner.length(0)).isEqualTo(128);
    }

    @Test
    void cancelsInTheMiddleOfAnAnswer() {
        Ask ask = bench.submit(Ask.tokens(5).endless());
        bench.steps(10);
        ask.generation.cancel();

        assertThat(bench.step()).isFalse();
        assertCancelled(ask);
        assertThat(ask.answer.text()).isEqualTo("abcdefghij");
    }

    @Test
    void cancelCutsALongStepShort() {
        bench.runner.cost = ScriptedRunner.StepCost.linear(0, 2_000_000);
        Ask learning = Ask.tokens(64, 9).max(1);
        bench.run(learning);
        Ask ask = bench.submit(Ask.tokens(300));
        bench.runner.halfWay = ask.generation::cancel;

        bench.step();

        assertThat(bench.runner.interruptions).isEqualTo(1);
        bench.runner.halfWay = () -> {};
        bench.step();
        assertCancelled(ask);
    }

    @Test
    void cancelCutsAStepShortWhoseLengthNobodyKnowsYet() {
        Ask ask = bench.submit(Ask.tokens(300));
        bench.runner.halfWay = ask.generation::cancel;

        bench.step();

        assertThat(bench.runner.interruptions).isEqualTo(1);
    }

    @Test
    void cancelLetsAShortStepFinish() {
        try (EngineBench two = EngineBench.withSlots(2)) {
            Ask leaving = two.submit(Ask.tokens(5, 1).endless());
            Ask staying = two.submit(Ask.tokens(5, 2).endless());
            two.steps(3);
            two.runner.halfWay = leaving.generation::cancel;
            two.step();
            two.runner.halfWay = () -> {};

            assertThat(two.runner.interruptions).isZero();
            assertThat(staying.answer.chunks()).hasSize(4);
        }
    }

    @Test
    void othersLoseNothingByACancelThatCutsTheirStepShort() {
        try (EngineBench two = EngineBench.withSlots(2)) {
            two.runner.cost = ScriptedRunner.StepCost.linear(100_000_000, 1_000_000);
            Ask staying = two.submit(Ask.tokens(5, 2).max(30));
            two.steps(3);
            Ask leaving = two.submit(Ask.tokens(100, 1));
            two.runner.halfWay = leaving.generation::cancel;
            two.step();
            two.runner.halfWay = () -> {};
            two.run();

            assertThat(two.runner.interruptions).isEqualTo(1);
            staying.answer.completion();
            assertThat(staying.answer.text()).isEqualTo(EngineBench.alone(staying));
            assertCancelled(leaving);
        }
    }

    @Test
    void cancelsInARowDoNotStopOthersFromGettingOn() {
        try (EngineBench many = new EngineBench(4, 512, 64, 1000)) {
            many.runner.cost = ScriptedRunner.StepCost.linear(100_000_000, 1_000_000);
            Ask staying = many.submit(Ask.tokens(5, 2).endless());
            many.steps(3);
            int number = 10;
            for (int i = 0; i < 20; i++) {
                Ask leaving = many.submit(Ask.tokens(100, number++));
                many.runner.halfWay = leaving.generation::cancel;
                many.step();
            }

            assertThat(staying.answer.chunks().size()).isGreaterThanOrEqualTo(3 + 10);
        }
    }

    @Test
    void whoeverLeavesAfterAStepWasCutShortDoesNotWaitLongForTheNext() {
        try (EngineBench many = new EngineBench(4, 4096, 2048, 1000)) {
            many.runner.cost = ScriptedRunner.StepCost.linear(0, 500_000);
            many.run(Ask.tokens(64, 9).max(1));
            many.submit(Ask.tokens(2000, 1).endless());
            Ask first = many.submit(Ask.tokens(1000, 2).endless());
            Ask second = many.submit(Ask.tokens(1000, 3).endless());
            many.runner.halfWay = first.generation::cancel;
            many.step();
            many.runner.halfWay = second.generation::cancel;
            long left = many.ticker.nanos();
            many.step();

            assertThat(many.runner.interruptions).isEqualTo(1);
            assertThat(Duration.ofNanos(many.ticker.nanos() - left)).isLessThanOrEqualTo(Duration.ofMillis(40));
            many.step();
            assertCancelled(second);
        }
    }

    @Test
    void cancelCutsAStepShortThatTakesLongerThanItShould() {
        try (EngineBench two = EngineBench.withSlots(2)) {
            Ask leaving = two.submit(Ask.tokens(5, 1).endless());
            Ask staying = two.submit(Ask.tokens(5, 2).endless());
            two.steps(3);
            two.runner.halfWay = () -> {
                leaving.generation.cancel();
                two.ticker.advance(Duration.ofMillis(26));
            };
            two.step();
            two.runner.halfWay = () -> {};

            assertThat(two.runner.interruptions).isEqualTo(1);
            two.step();
            assertCancelled(leaving);
            assertThat(staying.answer.text()).isEqualTo("abcd");
        }
    }

    @Test
    void whoeverLeavesJustBeforeALongStepDoesNotWaitForItsEnd() {
        Ask leaving = bench.submit(Ask.tokens(300));
        Ask next = bench.submit(Ask.tokens(5, 2));
        next.answer.whenQueued = () -> {
            if (next.answer.ahead().size() == 2) { // The second time it is told the other one has its slot.
                leaving.generation.cancel();
            }
        };
        bench.step();
        assertThat(bench.runner.decodes).isZero();

        bench.step();
        assertCancelled(leaving);
        assertThat(next.answer.chunks()).hasSize(1);
    }

    @Test
    void cancelTwiceIsOneCancel() {
        Ask ask = bench.submit(Ask.tokens(5).endless());
        bench.step();
        ask.generation.cancel();
        ask.generation.cancel();
        bench.step();
        ask.generation.cancel();
        bench.step();

        assertCancelled(ask);
        assertThat(bench.engine.status().cancelled()).isEqualTo(1);
    }

    @Test
    void cancelAfterTheEndChangesNothing() {
        Ask ask = bench.submit(Ask.tokens(5).max(2));
        bench.run();
        ask.generation.cancel();
        bench.step();

        assertThat(ask.answer.completion().reason()).isNotNull();
        assertThat(bench.engine.status().cancelled()).isZero();
    }

    @Test
    void givesTheSlotOfACancelledRequestToTheNextAtOnce() {
        Ask first = bench.submit(Ask.tokens(5, 1).endless());
        Ask second = bench.submit(Ask.tokens(5, 2).max(3));
        bench.steps(3);
        first.generation.cancel();
        bench.step();

        assertThat(second.answer.chunks()).hasSize(1);
    }

    @Test
    void endsARequestWhoseDeadlinePassedInTheQueue() {
        bench.submit(Ask.tokens(5, 1).endless());
        Ask waiting = bench.submit(Ask.tokens(5, 2).deadline(bench.ticker.nanos() + 1_000_000));
        bench.step();
        bench.ticker.advance(Duration.ofMillis(2));
        bench.step();

        assertThat(waiting.answer.failure().reason()).isEqualTo(EngineException.Reason.DEADLINE_EXCEEDED);
    }

    @Test
    void endsARunningRequestAtItsDeadline() {
        Ask ask = bench.submit(Ask.tokens(5).endless().deadline(bench.ticker.nanos() + 50_000_000));
        bench.runner.cost = ScriptedRunner.StepCost.linear(10_000_000, 0);
        bench.run();

        assertThat(ask.answer.failure().reason()).isEqualTo(EngineException.Reason.DEADLINE_EXCEEDED);
        assertThat(ask.answer.text()).isEqualTo("abcde");
        assertThat(ask.sampler.timesClosed()).isEqualTo(1);
        assertThat(bench.engine.status().cancelled()).isZero();
    }

    private static void assertCancelled(Ask ask) {
        assertThat(ask.answer.failure().reason()).isEqualTo(EngineException.Reason.CANCELLED);
        assertThat(ask.sampler.timesClosed()).isEqualTo(1);
    }
}
