package dev.chasqui.gateway.accounts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.chasqui.gateway.SetClock;
import dev.chasqui.gateway.requests.RequestError;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class SignInAttemptsTest {
    private final SetClock clock = new SetClock();
    private final SignInAttempts attempts = new SignInAttempts(clock);

    @Test
    void aSixthWrongPasswordWaitsAMinute() {
        for (int i = 0; i < 5; i++) {
            attempts.begin("ana@example.com", "10.0.0." + i);
        }

        assertThat(refusal("ANA@example.com", "10.0.0.9")).isEqualTo(Duration.ofSeconds(60));
        clock.pass(Duration.ofSeconds(60));
        assertThatCode(() -> attempts.begin("ana@example.com", "10.0.0.9")).doesNotThrowAnyException();
        assertThat(refusal("ana@example.com", "10.0.0.9")).isEqualTo(Duration.ofSeconds(60));
    }

    @Test
    void aNetworkAddressHasTwenty() {
        for (int i = 0; i < 20; i++) {
            attempts.begin(i + "@example.com", "10.0.0.1");
        }

        assertThat(refusal("ana@example.com", "10.0.0.1")).isEqualTo(Duration.ofSeconds(10));
        assertThatCode(() -> attempts.begin("ana@example.com", "10.0.0.2")).doesNotThrowAnyException();
    }

    @Test
    void whatIsRefusedDoesNotCount() {
        for (int i = 0; i < 20; i++) {
            attempts.begin(i + "@example.com", "10.0.0.1");
        }
        for (int i = 0; i < 10; i++) {
            refusal("ana@example.com", "10.0.0.1");
        }

        for (int i = 0; i < 5; i++) {
            attempts.begin("ana@example.com", "10.0.0.2");
        }
    }

    @Test
    void theRightPasswordAndOneThatNobodyLookedAtAreTakenBack() {
        for (int i = 0; i < 100; i++) {
            attempts.begin("ana@example.com", "10.0.0.1");
            attempts.succeeded("ana@example.com", "10.0.0.1");
            attempts.begin("ben@example.com", "10.0.0.1");
            attempts.withdraw("ben@example.com", "10.0.0.1");
        }
    }

    @Test
    void accountsFromOneAddressAreBounded() {
        for (int i = 0; i < 20; i++) {
            attempts.register("10.0.0.1");
        }

        RequestError refused = catchThrowableOfType(RequestError.class, () -> attempts.register("10.0.0.1"));
        assertThat(refused.status()).isEqualTo(429);
        assertThatCode(() -> attempts.begin("ana@example.com", "10.0.0.1")).doesNotThrowAnyException();
    }

    private Duration refusal(String email, String address) {
        RequestError refused = catchThrowableOfType(RequestError.class, () -> attempts.begin(email, address));
        assertThat(refused.code()).isEqualTo("too_many_sign_ins");
        return Objects.requireNonNull(refused.retryAfter());
    }
}
