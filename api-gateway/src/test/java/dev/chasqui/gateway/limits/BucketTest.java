package dev.chasqui.gateway.limits;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BucketTest {
    private static final long START = 1_767_268_800_000L;
    private static final long MINUTE = 60_000;

    private final Bucket bucket = new Bucket();

    @BeforeEach
    void sixtyAMinute() {
        bucket.resize(60, START);
    }

    @Test
    void isFullAtFirstAndFillsEvenly() {
        assertThat(bucket.remaining(START)).isEqualTo(60);
        bucket.take(60, START);

        assertThat(bucket.remaining(START)).isZero();
        assertThat(bucket.untilOne(START)).isEqualTo(1000);
        assertThat(bucket.untilOne(START + 999)).isEqualTo(1);
        assertThat(bucket.untilOne(START + 1000)).isZero();
        assertThat(bucket.remaining(START + 30_500)).isEqualTo(30);
        assertThat(bucket.untilFull(START + 30_500)).isEqualTo(29_500);
        assertThat(bucket.remaining(START + 10 * MINUTE)).isEqualTo(60);
    }

    @Test
    void moreThanItHoldsIsMissingForLonger() {
        bucket.take(150, START);

        assertThat(bucket.remaining(START)).isZero();
        assertThat(bucket.untilFull(START)).isEqualTo(150_000);
        assertThat(bucket.untilAny(START)).isEqualTo(90_001);
        assertThat(bucket.untilAny(START + 90_000)).isEqualTo(1);
        assertThat(bucket.untilAny(START + 90_001)).isZero();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 7, 59_999, 60_001, 1_000_000_000_000L})
    void nothingIsLostByRounding(long perMinute) {
        bucket.resize(perMinute, START);
        bucket.take(perMinute, START);
        long now = START;
        for (int i = 0; i < 1000; i++) {
            now += bucket.untilOne(now);
            assertThat(bucket.untilOne(now)).isZero();
            bucket.take(1, now);
        }

        // Each was taken in the first millisecond in which it was there.
        long exact = Math.floorDiv(1000 * MINUTE + perMinute - 1, perMinute);
        assertThat(now - START).isBetween(Math.min(exact, 1), exact);
        assertThat(bucket.untilFull(now) + now - START).isEqualTo(MINUTE + exact);
    }

    @Test
    void muchAtOnceIsStillANumber() {
        bucket.resize(1_000_000_000_000L, START);
        for (int i = 0; i < 100; i++) {
            bucket.take(Long.MAX_VALUE, START);
        }

        assertThat(bucket.untilFull(START)).isPositive();
        assertThat(bucket.remaining(START)).isZero();
    }

    @Test
    void whoGetsMoreHasItAtOnce() {
        bucket.take(60, START);
        bucket.resize(100, START);

        assertThat(bucket.remaining(START)).isEqualTo(40);
    }

    @Test
    void whoGetsLessWaitsNoLongerThanBefore() {
        bucket.take(45, START);
        bucket.resize(4, START);

        assertThat(bucket.remaining(START)).isEqualTo(1);
        assertThat(bucket.untilFull(START)).isEqualTo(45_000);
    }

    @Test
    void withoutALimitNothingIsMissing() {
        bucket.resize(0, START);
        bucket.take(1000, START);

        assertThat(bucket.isLimited()).isFalse();
        assertThat(bucket.untilOne(START)).isZero();
        assertThat(bucket.untilFull(START)).isZero();
        assertThat(bucket.fullAt(START)).isZero();
        bucket.resize(10, START);
        assertThat(bucket.remaining(START)).isEqualTo(10);
    }

    @Test
    void aClockThatGoesBackChangesNothing() {
        bucket.take(60, START);

        assertThat(bucket.untilOne(START - MINUTE)).isEqualTo(1000);
        assertThat(bucket.untilOne(START - MINUTE + 1000)).isZero();
    }

    @Test
    void whatOthersTookIsMissingUnlessItHasComeBackToThem() {
        bucket.tookElsewhere(20, START + 50_000, START);
        assertThat(bucket.remaining(START)).isEqualTo(40);

        bucket.tookElsewhere(20, START + 5_000, START);
        assertThat(bucket.remaining(START)).isEqualTo(35);

        bucket.tookElsewhere(20, START - 1, START);
        assertThat(bucket.remaining(START)).isEqualTo(35);

        bucket.tookElsewhere(20, 0, START);
        assertThat(bucket.remaining(START)).isEqualTo(15);
    }

    @Test
    void goesOnFromWhenItWasToBeFull() {
        Bucket before = new Bucket();
        before.resize(60, START);
        before.take(100, START);
        bucket.take(1, START + 10_000);
        bucket.resume(before.fullAt(START), START + 10_000);

        assertThat(bucket.untilFull(START + 10_000)).isEqualTo(91_000);
    }
}
