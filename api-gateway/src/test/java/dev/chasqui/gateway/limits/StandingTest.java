package dev.chasqui.gateway.limits;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StandingTest {
    @ParameterizedTest
    @CsvSource({
        "0,0s",
        "6,6ms",
        "999,999ms",
        "1000,1s",
        "9540,9.54s",
        "9541,9.55s",
        "9500,9.5s",
        "59999,60s",
        "60000,1m0s",
        "89001,1m30s",
        "3599000,59m59s",
        "3600000,1h0m0s",
        "93784000,26h3m4s"
    })
    void durationsAreWrittenAsOpenAiDoes(long millis, String text) {
        assertThat(Standing.duration(millis)).isEqualTo(text);
    }
}
