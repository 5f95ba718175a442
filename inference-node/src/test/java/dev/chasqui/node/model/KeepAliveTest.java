package dev.chasqui.node.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class KeepAliveTest {
    @ParameterizedTest
    @CsvSource({"300,300", "5m,300", "1h30m,5400", "0,0", "0s,0", "1.5,1.5", "2h,7200", "10s,10"})
    void readsSecondsAndTimes(String text, double seconds) {
        assertThat(KeepAlive.parse(text).seconds()).isEqualTo(seconds);
    }

    @ParameterizedTest
    @ValueSource(strings = {"-1", "-0.5", "-300"})
    void anythingNegativeIsForEver(String text) {
        assertThat(KeepAlive.parse(text)).isEqualTo(KeepAlive.FOREVER);
        assertThat(KeepAlive.FOREVER.seconds()).isNegative();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "m", "5x", "five", "1m2h", "NaN", "1e5", "5 m"})
    void refusesWhatIsNoTime(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> KeepAlive.parse(text))
                .withMessageStartingWith("keep-alive: " + text + " (expected: ");
    }

    @Test
    void hugeTimesAreForEver() {
        assertThat(KeepAlive.ofSeconds(1e300)).isEqualTo(KeepAlive.FOREVER);
        assertThat(KeepAlive.ofSeconds(Double.POSITIVE_INFINITY)).isEqualTo(KeepAlive.FOREVER);
        assertThat(KeepAlive.ofSeconds(60).time()).isEqualTo(Duration.ofMinutes(1));
    }
}
