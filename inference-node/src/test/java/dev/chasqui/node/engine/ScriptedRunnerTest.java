package dev.chasqui.node.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class ScriptedRunnerTest extends ModelRunnerContract {
    @Override
    protected ModelRunner open(int slots, int contextTokens, int batchTokens) {
        return new ScriptedRunner(slots, contextTokens, batchTokens, Words.SIZE, new ManualTicker());
    }

    @Override
    protected List<AdapterSet> adapters() {
        return List.of(
                new AdapterSet(List.of(new AdapterSet.Use(0, 1))), new AdapterSet(List.of(new AdapterSet.Use(0, 2))));
    }

    @Override
    protected TokenSampler greedy() {
        return ScriptedSampler.seeded(0);
    }

    @Override
    protected TokenSampler failing() {
        return ScriptedSampler.failingAt(0, 0);
    }

    @Override
    protected int[] prompt(int length, int number) {
        return new Random(number).ints(length, 0, Words.SIZE).toArray();
    }

    @Test
    void refusesPositionsThatDoNotFollowOn() {
        ModelRunner runner = open(2, 16, 16);
        Batch batch = new Batch();
        batch.add(1, 1, 0, true);

        assertThatThrownBy(() -> runner.decode(batch))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("position 1");
    }

    @Test
    void refusesMoreThanAContextHolds() {
        ModelRunner runner = open(2, 4, 16);
        Batch batch = new Batch();
        for (int i = 0; i < 5; i++) {
            batch.add(i, i, 0, false);
        }

        assertThatThrownBy(() -> runner.decode(batch))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("context");
    }

    @Test
    void refusesRowsWithoutOutput() {
        ModelRunner runner = open(2, 4, 16);
        Batch batch = new Batch();
        batch.add(1, 0, 0, false);
        runner.decode(batch);

        assertThatThrownBy(() -> runner.logprob(0, 1, 0)).isInstanceOf(AssertionError.class);
    }

    @Test
    void hasNoSpaceBeyondItsCapacityAndComputesNothingThen() {
        ScriptedRunner runner = new ScriptedRunner(2, 16, 16, Words.SIZE, new ManualTicker());
        runner.kvCapacity = 3;
        Batch batch = new Batch();
        for (int i = 0; i < 4; i++) {
            batch.add(i, i, 0, false);
        }

        assertThat(runner.decode(batch)).isEqualTo(ModelRunner.Outcome.NO_SPACE);
        assertThat(runner.length(0)).isZero();
    }
}
