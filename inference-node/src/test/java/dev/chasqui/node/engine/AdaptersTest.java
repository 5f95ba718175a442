package dev.chasqui.node.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Sequences with different LoRA adapters on one engine. */
final class AdaptersTest {
    private static final long MILLISECOND = 1_000_000;

    private final EngineBench bench = new EngineBench(4, 512, 64, 16);

    @AfterEach
    void close() {
        bench.close();
    }

    @Test
    void eachAnswersAsAlone() {
        List<Ask> asks = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            Ask ask = Ask.tokens(40, i % 2).max(30);
            asks.add(i % 3 == 0 ? ask : ask.adapter(i % 3, 1));
        }
        bench.run(asks.toArray(Ask[]::new));

        Set<String> texts = new HashSet<>();
        for (Ask ask : asks) {
            ask.answer.completion();
            assertThat(ask.answer.text()).isEqualTo(EngineBench.alone(ask));
            texts.add(ask.answer.text());
        }
        assertThat(texts).hasSize(6);
    }

    @Test
    void everySetGetsItsTurnInTime() {
        bench.runner.cost = ScriptedRunner.StepCost.linear(10 * MILLISECOND, MILLISECOND);
        List<Ask> asks = List.of(
                bench.submit(Ask.tokens(5, 1).endless()),
                bench.submit(Ask.tokens(5, 2).endless()),
                bench.submit(Ask.tokens(5, 3).endless().adapter(0, 1)),
                bench.submit(Ask.tokens(5, 4).endless().adapter(1, 1)));
        bench.steps(200);

        for (Ask ask : asks) {
            // Two turns of others, each of them a step too long.
            assertThat(longestGap(ask))
                    .isLessThanOrEqualTo(2 * (Turns.TURN_NANOS + 12 * MILLISECOND) + 12 * MILLISECOND);
            assertThat(ask.answer.chunks().size()).isGreaterThan(50);
        }
    }

    @Test
    void aLongPromptOfAnotherSetDoesNotStallAnAnswer() {
        try (EngineBench machine = new EngineBench(4, 8192, 512, 64)) {
            machine.runner.cost = ScriptedRunner.StepCost.linear(5 * MILLISECOND, 400_000);
            Ask answering = machine.submit(Ask.tokens(10, 1).endless());
            machine.steps(20);
            Ask prompt = machine.submit(Ask.tokens(4000, 2).max(1).adapter(0, 1));
            for (int steps = 0; !prompt.answer.ended(); steps++) {
                assertThat(steps).isLessThan(2000);
                machine.step();
            }

            assertThat(longestGap(answering)).isLessThan(2 * Scheduler.GAP_NANOS);
        }
    }

    @Test
    void aSetAloneNeverWaits() {
        bench.runner.cost = ScriptedRunner.StepCost.linear(200 * MILLISECOND, 0);
        Ask ask = Ask.tokens(5, 1).endless().max(20).adapter(3, 1);
        bench.run(ask);

        assertThat(bench.runner.decodes).isEqualTo(20);
    }

    @Test
    void whatAnotherSetComputedIsNoBeginning() {
        bench.run(Ask.tokens(200, 1).max(1));
        Ask other = Ask.tokens(200, 1).max(1).adapter(0, 1);
        bench.run(other);
        Ask stronger = Ask.tokens(200, 1).max(1).adapter(0, 2);
        bench.run(stronger);
        Ask again = Ask.tokens(200, 1).max(1).adapter(0, 1);
        bench.run(again);

        assertThat(other.answer.completion().cachedTokens()).isZero();
        assertThat(stronger.answer.completion().cachedTokens()).isZero();
        assertThat(again.answer.completion().cachedTokens()).isEqualTo(199);
    }

    @Test
    void whatWasPutAwayComesBackForItsOwnSetOnly() {
        try (EngineBench narrow = new EngineBench(1, 512, 64, 16)) {
            narrow.run(Ask.tokens(200, 1).max(1).adapter(0, 1));
            narrow.run(Ask.tokens(150, 2).max(1));
            Ask plain = Ask.tokens(200, 1).max(1);
            narrow.run(plain);
            Ask own = Ask.tokens(200, 1).max(1).adapter(0, 1);
            narrow.run(own);

            assertThat(plain.answer.completion().cachedTokens()).isZero();
            assertThat(own.answer.completion().cachedTokens()).isEqualTo(199);
            assertThat(narrow.runner.restores).isEqualTo(1);
        }
    }

    @Test
    void nobodyFollowsALeaderOfAnotherSet() {
        Ask leader = bench.submit(Ask.tokens(300, 1).max(1));
        bench.step();
        Ask other = bench.submit(Ask.tokens(300, 1).max(1).adapter(0, 1));
        Ask follower = bench.submit(Ask.tokens(300, 1).max(1));
        bench.run();

        assertThat(other.answer.completion().cachedTokens()).isZero();
        assertThat(follower.answer.completion().cachedTokens()).isEqualTo(299);
        assertThat(other.answer.text()).isEqualTo(EngineBench.alone(other));
        assertThat(leader.answer.text()).isEqualTo(EngineBench.alone(leader));
    }

    @Test
    void setsThatComputeTheSameAreEqual() {
        AdapterSet.Use one = new AdapterSet.Use(1, 0.5f);
        AdapterSet.Use two = new AdapterSet.Use(2, 1);

        assertThat(new AdapterSet(List.of(two, one))).isEqualTo(new AdapterSet(List.of(one, two)));
        assertThat(new AdapterSet(List.of(new AdapterSet.Use(1, 0)))).isEqualTo(AdapterSet.NONE);
        assertThat(new AdapterSet(List.of(one))).isNotEqualTo(new AdapterSet(List.of(two)));
        assertThatThrownBy(() -> new AdapterSet(List.of(one, one))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new AdapterSet.Use(0, Float.NaN)).isInstanceOf(IllegalArgumentException.class);
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
