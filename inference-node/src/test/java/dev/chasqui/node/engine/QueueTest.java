package dev.chasqui.node.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Who gets in, and who waits how long. */
final class QueueTest {
    private final EngineBench bench = new EngineBench(2, 64, 32, 3);

    @AfterEach
    void close() {
        bench.close();
    }

    @Test
    void takesAsManyAsItHasSlotsAndPlacesInTheQueue() {
        for (int i = 0; i < 5; i++) {
            bench.submit(Ask.tokens(5, i).endless());
        }

        assertFull(() -> bench.submit(Ask.tokens(5, 9)));
        bench.step();
        assertFull(() -> bench.submit(Ask.tokens(5, 9)));
        assertThat(bench.engine.status().queued()).isEqualTo(3);
        assertThat(bench.engine.status().slotsInUse()).isEqualTo(2);
        assertThat(bench.engine.status().rejected()).isEqualTo(2);
    }

    @Test
    void aRefusalSaysWhenToComeBack() {
        bench.runner.cost = ScriptedRunner.StepCost.linear(1_000_000_000, 0);
        bench.run(Ask.tokens(5, 1).max(6).saying(Words.bytes("abcdef")));
        for (int i = 0; i < 5; i++) {
            bench.submit(Ask.tokens(5, i).endless());
        }

        // A request takes six seconds on one of two slots; two that began together end together, six seconds later at
        // worst.
        assertThat(refused()).isEqualTo(Duration.ofSeconds(9));
    }

    @Test
    void tellsEachOneARefusalOfHisOwnTime() {
        bench.runner.cost = ScriptedRunner.StepCost.linear(1_000_000_000, 0);
        bench.run(Ask.tokens(5, 1).max(6).saying(Words.bytes("abcdef")));
        for (int i = 0; i < 5; i++) {
            bench.submit(Ask.tokens(5, i).endless());
        }

        assertThat(List.of(refused(), refused(), refused()))
                .containsExactly(Duration.ofSeconds(9), Duration.ofSeconds(12), Duration.ofSeconds(15));
        bench.ticker.advance(100_000_000_000L);
        assertThat(refused()).isEqualTo(Duration.ofSeconds(9));
        for (int i = 0; i < 30; i++) {
            assertThat(refused()).isLessThanOrEqualTo(Duration.ofSeconds(60));
        }
    }

    @Test
    void neverSaysToComeBackAtOnceOrInAnHour() {
        for (int i = 0; i < 5; i++) {
            bench.submit(Ask.tokens(5, i).max(1));
        }
        assertThat(assertFull(() -> bench.submit(Ask.tokens(5, 9))).retryAfter())
                .isEqualTo(Duration.ofSeconds(1));

        bench.runner.cost = ScriptedRunner.StepCost.linear(3_600_000_000_000L, 0);
        bench.run();
        for (int i = 0; i < 5; i++) {
            bench.submit(Ask.tokens(5, i).endless());
        }
        assertThat(assertFull(() -> bench.submit(Ask.tokens(5, 9))).retryAfter())
                .isEqualTo(Duration.ofSeconds(60));
    }

    @Test
    void takesAllRequestsOfACallOrNone() {
        bench.submit(List.of(
                Ask.tokens(5, 1).endless(),
                Ask.tokens(5, 2).endless(),
                Ask.tokens(5, 3).endless()));
        List<Ask> three = List.of(Ask.tokens(5, 4), Ask.tokens(5, 5), Ask.tokens(5, 6));

        assertFull(() -> bench.submit(three));

        assertThat(three)
                .allSatisfy(ask -> assertThat(ask.sampler.timesClosed()).isZero());
        bench.steps(5);
        assertThat(three).allSatisfy(ask -> assertThat(ask.answer.ahead()).isEmpty());
        bench.submit(three.subList(0, 2));
        assertThat(bench.engine.status().queued()).isEqualTo(3);
    }

    @Test
    void takesNoneWhereOnePromptIsTooLong() {
        List<Ask> two = List.of(Ask.tokens(5, 4), Ask.tokens(64, 5));

        assertThatThrownBy(() -> bench.submit(two))
                .asInstanceOf(InstanceOfAssertFactories.type(EngineException.class))
                .returns(EngineException.Reason.CONTEXT_LENGTH_EXCEEDED, EngineException::reason)
                .extracting(Throwable::getMessage)
                .isEqualTo("prompt: 64 tokens (expected: fewer; this model's maximum context length is 64 tokens)");
        assertThat(bench.step()).isFalse();
        assertThat(two).allSatisfy(ask -> assertThat(ask.sampler.timesClosed()).isZero());
    }

    @Test
    void takesALongestPrompt() {
        Ask ask = Ask.tokens(63, 5);
        bench.run(ask);

        assertThat(ask.answer.completion().completionTokens()).isEqualTo(1);
    }

    @Test
    void saysBeforehandWhetherThereIsRoom() {
        bench.submit(List.of(Ask.tokens(5, 1), Ask.tokens(5, 2), Ask.tokens(5, 3)));

        bench.engine.checkRoom(2);
        assertFull(() -> bench.engine.checkRoom(3));
        bench.run();
        bench.engine.checkRoom(5);
    }

    @Test
    void servesInOrderOfArrival() {
        List<Ask> asks = List.of(
                Ask.tokens(5, 1).endless().max(4),
                Ask.tokens(5, 2).endless().max(8),
                Ask.tokens(5, 3).endless().max(20),
                Ask.tokens(5, 4).endless().max(20),
                Ask.tokens(5, 5).endless().max(20));
        asks.forEach(bench::submit);
        bench.steps(6);
        assertThat(asks.get(2).answer.chunks()).isNotEmpty();
        assertThat(asks.get(3).answer.chunks()).isEmpty();
        bench.steps(5);
        assertThat(asks.get(3).answer.chunks()).isNotEmpty();
        assertThat(asks.get(4).answer.chunks()).isEmpty();
    }

    @Test
    void tellsWhoWaitsHowManyAreInFront() {
        Ask first = bench.submit(Ask.tokens(5, 1).endless().max(4));
        Ask second = bench.submit(Ask.tokens(5, 2).endless());
        Ask third = bench.submit(Ask.tokens(5, 3).endless());
        Ask fourth = bench.submit(Ask.tokens(5, 4).endless());
        bench.step();
        assertThat(first.answer.ahead()).containsOnly(0);
        assertThat(second.answer.ahead()).containsOnly(0);
        assertThat(last(third.answer.ahead())).isEqualTo(1);
        assertThat(last(fourth.answer.ahead())).isEqualTo(2);
        assertThat(fourth.answer.ahead()).isSortedAccordingTo((a, b) -> b - a);

        bench.steps(5);
        assertThat(first.answer.ended()).isTrue();
        assertThat(last(fourth.answer.ahead())).isEqualTo(1);
    }

    @Test
    void movesUpWhenSomebodyInFrontLeaves() {
        bench.submit(List.of(Ask.tokens(5, 1).endless(), Ask.tokens(5, 2).endless()));
        Ask third = bench.submit(Ask.tokens(5, 3).endless());
        Ask fourth = bench.submit(Ask.tokens(5, 4).endless());
        bench.step();
        third.generation.cancel();
        bench.step();

        assertThat(last(fourth.answer.ahead())).isEqualTo(1);
    }

    @Test
    void servesTheMostUrgentFirst() {
        occupyBothSlots();
        Ask ordinary = bench.submit(Ask.tokens(5, 3).max(1));
        Ask patient = bench.submit(Ask.tokens(5, 4).max(1).priority(1));
        Ask urgent = bench.submit(Ask.tokens(5, 5).max(1).priority(-100));
        bench.run();

        assertThat(firstText(urgent)).isLessThan(firstText(ordinary));
        assertThat(firstText(ordinary)).isLessThan(firstText(patient));
    }

    @Test
    void tellsWhoWaitsThatSomebodyWentBefore() {
        occupyBothSlots();
        Ask ordinary = bench.submit(Ask.tokens(5, 3).endless());
        bench.step();
        assertThat(last(ordinary.answer.ahead())).isEqualTo(1);
        Ask urgent = bench.submit(Ask.tokens(5, 4).endless().priority(-1));
        bench.step();

        assertThat(last(urgent.answer.ahead())).isEqualTo(1);
        assertThat(last(ordinary.answer.ahead())).isEqualTo(2);
    }

    @Test
    void whoHasWaitedLongEnoughGoesBeforeTheUrgent() {
        occupyBothSlots();
        Ask patient = bench.submit(Ask.tokens(5, 3).max(1).priority(5));
        bench.ticker.advance(Duration.ofSeconds(69));
        Ask soon = bench.submit(Ask.tokens(5, 4).max(1).priority(-2));
        bench.ticker.advance(Duration.ofSeconds(2));
        Ask late = bench.submit(Ask.tokens(5, 5).max(1).priority(-2));
        bench.run();

        assertThat(firstText(soon)).isLessThan(firstText(patient));
        assertThat(firstText(patient)).isLessThan(firstText(late));
    }

    @Test
    void aPriorityOutOfRangeIsRefused() {
        assertThatThrownBy(() -> bench.submit(Ask.tokens(5, 1).priority(101)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("priority: 101 (expected: -100 to 100)");
    }

    /** One gets free long before the other. */
    private void occupyBothSlots() {
        bench.submit(Ask.tokens(5, 1).endless().max(10));
        bench.submit(Ask.tokens(5, 2).endless().max(50));
        bench.step();
    }

    private static long firstText(Ask ask) {
        return ask.answer.times().get(0);
    }

    private Duration refused() {
        return Objects.requireNonNull(
                assertFull(() -> bench.submit(Ask.tokens(5, 9))).retryAfter());
    }

    private static int last(List<Integer> numbers) {
        return numbers.get(numbers.size() - 1);
    }

    private static EngineException assertFull(Runnable submit) {
        EngineException full = org.junit.jupiter.api.Assertions.assertThrows(EngineException.class, submit::run);
        assertThat(full.reason()).isEqualTo(EngineException.Reason.QUEUE_FULL);
        return full;
    }
}
