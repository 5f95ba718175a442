package dev.chasqui.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class ComebackTest {
    private static final long NOW = 123_456;

    /** A request takes eight seconds, so that with four slots a place comes free every two. */
    private final Comeback comeback = new Comeback(4);

    ComebackTest() {
        comeback.served(Duration.ofSeconds(8).toNanos());
    }

    @Test
    void eachIsToldATimeOfHisOwnAsPlacesComeFree() {
        assertThat(told(4)).containsExactly(10L, 12L, 14L, 16L);
        assertThat(comeback.after(3, NOW)).isEqualTo(Duration.ofSeconds(22));
    }

    @Test
    void promisesAreForgottenOnceNobodyIsHere() {
        told(20);

        comeback.idle();

        assertThat(told(2)).containsExactly(10L, 12L);
    }

    @Test
    void beyondTheLongestTimeTheyAreSpread() {
        told(30);

        List<Long> crowd = told(60);

        assertThat(crowd).allSatisfy(wait -> assertThat(wait).isBetween(30L, 60L));
        for (long from = 30; from < 60; from += 10) {
            long first = from;
            assertThat(crowd.stream().filter(wait -> wait >= first && wait < first + 10))
                    .hasSizeBetween(15, 25);
        }
    }

    @Test
    void nobodyIsToldLessThanASecond() {
        Comeback quick = new Comeback(64);
        quick.served(1000);

        assertThat(quick.after(1, NOW)).isEqualTo(Comeback.SHORTEST);
    }

    private List<Long> told(int count) {
        return Stream.generate(() -> comeback.after(1, NOW).toSeconds())
                .limit(count)
                .toList();
    }
}
