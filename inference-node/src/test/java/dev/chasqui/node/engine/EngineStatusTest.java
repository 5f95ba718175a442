package dev.chasqui.node.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the engine says of itself. */
final class EngineStatusTest {
    private final EngineBench bench = new EngineBench(2, 64, 32, 3);

    @AfterEach
    void close() {
        bench.close();
    }

    @Test
    void startsEmpty() {
        EngineStatus status = bench.engine.status();

        assertThat(status).isEqualTo(new EngineStatus(2, 0, 0, 3, 0, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
    }

    @Test
    void countsWhoWillWaitBeforeTheEngineSawHim() {
        bench.submit(Ask.tokens(5).max(2));
        bench.submit(Ask.tokens(5).max(2));
        assertThat(bench.engine.status().queued()).isZero();
        bench.submit(Ask.tokens(5).max(2));
        assertThat(bench.engine.status().queued()).isEqualTo(1);

        bench.step();
        assertThat(bench.engine.status().queued()).isEqualTo(1);
        assertThat(bench.engine.status().slotsInUse()).isEqualTo(2);
    }

    @Test
    void countsWhatWasDone() {
        Ask first = Ask.tokens(20, 1).saying(Words.bytes("abc"));
        Ask second = Ask.tokens(20, 2).saying(Words.bytes("abcde"));
        bench.run(first, second);

        EngineStatus status = bench.engine.status();
        assertThat(status.requests()).isEqualTo(2);
        assertThat(status.promptTokens()).isEqualTo(40);
        assertThat(status.cachedTokens()).isZero();
        assertThat(status.completionTokens()).isEqualTo(8);
        assertThat(status.steps()).isEqualTo(bench.runner.decodes);
        assertThat(status.slotsInUse()).isZero();
        assertThat(status.queued()).isZero();
        // Both prompts and all but the last token of each answer stay for reuse.
        assertThat(status.kvTokens()).isEqualTo(40 + 2 + 4);
    }

    @Test
    void measuresTokensASecond() {
        try (EngineBench busy = new EngineBench(2, 4096, 32, 3)) {
            busy.runner.cost = ScriptedRunner.StepCost.linear(20_000_000, 0);
            busy.submit(Ask.tokens(5, 1).endless());
            busy.submit(Ask.tokens(5, 2).endless());
            busy.steps(400);

            assertThat(busy.engine.status().tokensPerSecond()).isCloseTo(100, within(2.0));
        }
    }

    @Test
    void isAtRestWithoutRequests() {
        bench.runner.cost = ScriptedRunner.StepCost.linear(200_000_000, 0);
        Ask ask = bench.submit(Ask.tokens(5, 1).endless());
        bench.steps(40);
        assertThat(bench.engine.status().tokensPerSecond()).isPositive();
        ask.generation.cancel();
        bench.step();

        assertThat(bench.engine.status().tokensPerSecond()).isZero();
    }
}
