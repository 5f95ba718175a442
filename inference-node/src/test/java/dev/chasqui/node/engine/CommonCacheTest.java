package dev.chasqui.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** One KV cache for all sequences, smaller than all their contexts. */
final class CommonCacheTest {
    private static final int SLOTS = 8;

    private final EngineBench bench = new EngineBench(SLOTS, 256, 64, 64);

    @AfterEach
    void close() {
        bench.close();
    }

    @Test
    void givesAwayNoMoreThanThereIs() {
        hold(512);
        List<Ask> asks = IntStream.range(0, SLOTS)
                .mapToObj(i -> bench.submit(Ask.tokens(150, i).endless().max(80)))
                .toList();

        bench.steps(10);

        assertThat(bench.engine.status().slotsInUse()).isEqualTo(2);
        assertThat(bench.engine.status().queued()).isEqualTo(SLOTS - 2);
        assertThat(bench.engine.status().kvCapacity()).isEqualTo(512);
        bench.run();
        assertThat(asks)
                .allSatisfy(ask ->
                        assertThat(ask.answer.completion().completionTokens()).isEqualTo(80));
    }

    @Test
    void nobodyFailsAndEveryTextIsAsAlone() {
        hold(300);
        List<Ask> asks = IntStream.range(0, 40)
                .mapToObj(i -> bench.submit(Ask.tokens(20 + i * 5, i).max(40)))
                .toList();

        bench.run();

        assertThat(asks).allSatisfy(ask -> assertThat(ask.answer.text()).isEqualTo(EngineBench.alone(ask)));
    }

    @Test
    void aBeginningThatARunningSequenceHasTakesNoRoom() {
        // The scripted runner shares no cells.
        bench.runner.saidKvTokens = 400;
        bench.submit(Ask.tokens(200).endless().max(20));
        bench.steps(6);
        for (int i = 0; i < 3; i++) {
            bench.submit(Ask.tokens(200 + i).endless().max(20));
        }

        bench.steps(1);

        assertThat(bench.engine.status().slotsInUse()).isEqualTo(4);
    }

    @Test
    void whoIsAloneAlwaysGetsASlot() {
        hold(256);
        Ask ask = Ask.tokens(250).endless().max(100);

        bench.run(ask);

        assertThat(ask.answer.completion().reason()).isEqualTo(Completion.Reason.CONTEXT_FULL);
    }

    private void hold(int tokens) {
        bench.runner.kvCapacity = tokens;
        bench.runner.saidKvTokens = tokens;
    }
}
