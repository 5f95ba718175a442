package dev.chasqui.node.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Percentage.withPercentage;

import java.util.Random;
import org.junit.jupiter.api.Test;

final class StepTimesTest {
    private final StepTimes times = new StepTimes();

    @Test
    void knowsNothingAtFirst() {
        assertThat(times.known()).isFalse();
        assertThat(shallow(1)).isZero();
        assertThat(shallow(512)).isZero();
    }

    @Test
    void remembersWhatAStepTook() {
        record(8, 1000);

        assertThat(times.known()).isTrue();
        assertThat(shallow(8)).isEqualTo(1000);
    }

    @Test
    void expectsTwiceTheTokensToTakeTwiceTheTime() {
        record(8, 1000);

        assertThat(shallow(12)).isEqualTo(1500);
        assertThat(shallow(16)).isEqualTo(2000);
        assertThat(shallow(64)).isEqualTo(8000);
    }

    @Test
    void expectsFewerTokensToTakeNoLonger() {
        record(64, 1000);

        assertThat(shallow(8)).isEqualTo(1000);
    }

    @Test
    void expectsWhatLiesOnTheLineBetweenKnownSizes() {
        record(1, 1000);
        record(256, 100_000);

        assertThat(shallow(2)).isBetween(1000L, 2000L);
        assertThat(shallow(128)).isEqualTo(1000 + 99_000 * 127 / 255);
        assertThat(shallow(192)).isEqualTo((shallow(128) + shallow(256)) / 2);
    }

    @Test
    void followsAMachineThatGetsSlower() {
        record(8, 1000);
        for (int i = 0; i < 30; i++) {
            record(8, 3000);
        }

        assertThat(shallow(8)).isBetween(2990L, 3000L);
    }

    @Test
    void doesNotBelieveThatTwiceTheTokensTakeMoreThanTwiceTheTime() {
        record(64, 1_000_000);
        record(32, 1000);

        assertThat(shallow(64)).isEqualTo(2000);
    }

    @Test
    void doesNotBelieveThatHalfTheTokensTakeLessThanHalfTheTime() {
        record(32, 1000);
        record(64, 4000);

        assertThat(shallow(32)).isEqualTo(2000);
    }

    @Test
    void learnsWhatAttentionCostsAtAnyDepth() {
        Random random = new Random(1);
        for (int i = 0; i < 2000; i++) {
            StepSize size = random.nextBoolean()
                    ? StepSize.piece(64 * (1 + random.nextInt(4)), random.nextInt(2000))
                    : StepSize.piece(1 + random.nextInt(16), random.nextInt(2000));
            times.record(size, trueTime(size));
        }

        for (StepSize size : new StepSize[] {
            StepSize.piece(1, 0), StepSize.piece(8, 1500), StepSize.piece(64, 100), StepSize.piece(128, 1800)
        }) {
            assertThat((double) times.estimate(size)).isCloseTo(trueTime(size), withPercentage(15));
        }
    }

    @Test
    void oneStepThatSomethingElseSlowedDownIsSoonForgotten() {
        for (int i = 0; i < 100; i++) {
            times.record(StepSize.piece(64, 10 * i), trueTime(StepSize.piece(64, 10 * i)));
        }
        times.record(StepSize.piece(64, 500), 60_000_000_000L);
        for (int i = 0; i < 40; i++) {
            times.record(StepSize.piece(64, 20 * i), trueTime(StepSize.piece(64, 20 * i)));
        }

        assertThat((double) times.estimate(StepSize.piece(64, 500)))
                .isCloseTo(trueTime(StepSize.piece(64, 500)), withPercentage(20));
    }

    private static long trueTime(StepSize size) {
        return 2_000_000 + 700_000L * size.tokens() + 800 * size.tiled() + 3000 * size.single();
    }

    private void record(int tokens, long took) {
        times.record(new StepSize(tokens, 0, 0), took);
    }

    private long shallow(int tokens) {
        return times.estimate(new StepSize(tokens, 0, 0));
    }
}
