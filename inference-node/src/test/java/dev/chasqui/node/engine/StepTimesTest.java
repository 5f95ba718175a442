package dev.chasqui.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class StepTimesTest {
    private final StepTimes times = new StepTimes();

    @Test
    void knowsNothingAtFirst() {
        assertThat(times.estimate(1)).isZero();
        assertThat(times.estimate(512)).isZero();
    }

    @Test
    void remembersWhatAStepTook() {
        times.record(8, 1000);

        assertThat(times.estimate(8)).isEqualTo(1000);
        assertThat(times.estimate(15)).isEqualTo(1000);
    }

    @Test
    void expectsTwiceTheTokensToTakeTwiceTheTime() {
        times.record(8, 1000);

        assertThat(times.estimate(16)).isEqualTo(2000);
        assertThat(times.estimate(64)).isEqualTo(8000);
    }

    @Test
    void expectsFewerTokensToTakeNoLonger() {
        times.record(64, 1000);

        assertThat(times.estimate(8)).isEqualTo(1000);
    }

    @Test
    void expectsWhatLiesOnTheLineBetweenKnownSizes() {
        times.record(1, 1000);
        times.record(256, 100_000);

        assertThat(times.estimate(2)).isBetween(1000L, 2000L);
        assertThat(times.estimate(128)).isEqualTo(1000 + 99_000 * 127 / 255);
    }

    @Test
    void followsAMachineThatGetsSlower() {
        times.record(8, 1000);
        for (int i = 0; i < 30; i++) {
            times.record(8, 3000);
        }

        assertThat(times.estimate(8)).isBetween(2990L, 3000L);
    }

    @Test
    void doesNotBelieveThatTwiceTheTokensTakeMoreThanTwiceTheTime() {
        times.record(64, 1_000_000);
        times.record(32, 1000);

        assertThat(times.estimate(64)).isEqualTo(2000);
    }

    @Test
    void doesNotBelieveThatHalfTheTokensTakeLessThanHalfTheTime() {
        times.record(32, 1000);
        times.record(64, 4000);

        assertThat(times.estimate(32)).isEqualTo(2000);
    }

    @Test
    void findsHowManyTokensFitIntoATime() {
        times.record(32, 1000);
        times.record(64, 1900);

        assertThat(times.tokensWithin(2000, 16, 512)).isEqualTo(64);
        assertThat(times.tokensWithin(4000, 16, 512)).isEqualTo(128);
        assertThat(times.tokensWithin(1_000_000, 16, 512)).isEqualTo(512);
        assertThat(times.tokensWithin(1, 16, 512)).isEqualTo(16);
    }
}
