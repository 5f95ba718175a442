package dev.chasqui.node.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What trouble below does to whom. */
final class FailureTest {
    private final EngineBench bench = EngineBench.withSlots(2);

    @AfterEach
    void close() {
        bench.close();
    }

    @Test
    void aFailedStepFailsWhoRanAndNobodyElse() {
        Ask first = bench.submit(Ask.tokens(5, 1).endless());
        Ask second = bench.submit(Ask.tokens(5, 2).endless());
        Ask waiting = bench.submit(Ask.tokens(5, 3).max(4));
        bench.steps(3);
        bench.runner.failure = new IllegalStateException("the card fell out");
        bench.run();

        assertThat(first.answer.failure())
                .returns(EngineException.Reason.INTERNAL, EngineException::reason)
                .hasMessageContaining("the card fell out")
                .hasCauseInstanceOf(IllegalStateException.class);
        assertThat(second.answer.failure().reason()).isEqualTo(EngineException.Reason.INTERNAL);
        assertThat(first.sampler.timesClosed()).isEqualTo(1);
        waiting.answer.completion();
        assertThat(waiting.answer.text()).isEqualTo(EngineBench.alone(waiting));
    }

    @Test
    void afterAFailureNothingThatWasCachedIsTrusted() {
        bench.run(Ask.tokens(100, 1).max(1));
        bench.submit(Ask.tokens(5, 2).endless());
        bench.step();
        bench.runner.failure = new IllegalStateException("the card fell out");
        bench.run();
        Ask again = Ask.tokens(100, 1).max(4);
        bench.run(again);

        assertThat(again.answer.completion().cachedTokens()).isZero();
        assertThat(again.answer.text()).isEqualTo(EngineBench.alone(again));
    }

    @Test
    void aSamplerThatCannotChooseFailsItsRequestOnly() {
        Ask failing = bench.submit(Ask.tokens(5, 1).sampler(ScriptedSampler.failingAt(0, 2)));
        Ask other = bench.submit(Ask.tokens(5, 2).max(12));
        bench.run();

        assertThat(failing.answer.failure().reason()).isEqualTo(EngineException.Reason.INTERNAL);
        assertThat(failing.sampler.timesClosed()).isEqualTo(1);
        other.answer.completion();
        assertThat(other.answer.text()).isEqualTo(EngineBench.alone(other));
    }

    @Test
    void withoutSpaceIdleTokensGoFirst() {
        bench.run(Ask.tokens(100, 1).max(1));
        bench.runner.kvCapacity = 150;
        Ask ask = Ask.tokens(100, 2).max(20);
        bench.run(ask);

        ask.answer.completion();
        assertThat(ask.answer.text()).isEqualTo(EngineBench.alone(ask));
    }

    @Test
    void withoutSpaceTheYoungestWaitsAndGoesOnLater() {
        bench.runner.kvCapacity = 150;
        Ask older = bench.submit(Ask.tokens(100, 1).max(30));
        bench.step();
        Ask younger = bench.submit(Ask.tokens(100, 2).max(30));
        bench.run();

        older.answer.completion();
        assertThat(older.answer.text()).isEqualTo(EngineBench.alone(older));
        younger.answer.completion();
        assertThat(younger.answer.text()).isEqualTo(EngineBench.alone(younger));
        assertThat(last(younger.answer.times())).isGreaterThan(last(older.answer.times()));
        assertThat(younger.sampler.timesClosed()).isEqualTo(1);
    }

    @Test
    void withoutSpaceTheLeastUrgentWaitsThoughItCameFirst() {
        bench.runner.kvCapacity = 150;
        Ask patient = bench.submit(Ask.tokens(100, 1).max(30).priority(3));
        bench.step();
        Ask urgent = bench.submit(Ask.tokens(100, 2).max(30));
        bench.run();

        assertThat(urgent.answer.text()).isEqualTo(EngineBench.alone(urgent));
        assertThat(patient.answer.text()).isEqualTo(EngineBench.alone(patient));
        assertThat(last(patient.answer.times())).isGreaterThan(last(urgent.answer.times()));
    }

    @Test
    void oneThatFitsNowhereFailsAlone() {
        bench.runner.kvCapacity = 50;
        Ask big = Ask.tokens(100, 1);
        bench.run(big);
        Ask small = Ask.tokens(20, 2).max(3);
        bench.run(small);

        assertThat(big.answer.failure().reason()).isEqualTo(EngineException.Reason.INTERNAL);
        assertThat(small.answer.completion().completionTokens()).isEqualTo(3);
    }

    @Test
    void aRequestIsNotLostWhereItsSlotCannotBeCleared() {
        bench.run(Ask.tokens(100, 1).max(1), Ask.tokens(100, 2).max(1));
        Ask ask = bench.submit(Ask.tokens(50, 3));
        bench.runner.truncateFailure = new IllegalStateException("gone");

        assertThatThrownBy(bench.engine::step).hasMessage("gone");
        bench.close();

        assertThat(ask.answer.failure().reason()).isEqualTo(EngineException.Reason.SHUTTING_DOWN);
        assertThat(ask.sampler.timesClosed()).isEqualTo(1);
    }

    @Test
    void interruptedStepsAreDoneAgain() {
        Ask ask = bench.submit(Ask.tokens(200, 1).max(20));
        Ask other = bench.submit(Ask.tokens(30, 2).max(20));
        int[] steps = {0};
        bench.runner.halfWay = () -> {
            if (steps[0]++ % 3 == 1) {
                bench.runner.interrupt();
            }
        };
        bench.run();

        assertThat(bench.runner.interruptions).isPositive();
        ask.answer.completion();
        assertThat(ask.answer.text()).isEqualTo(EngineBench.alone(ask));
        assertThat(other.answer.text()).isEqualTo(EngineBench.alone(other));
    }

    private static long last(List<Long> times) {
        return times.get(times.size() - 1);
    }
}
