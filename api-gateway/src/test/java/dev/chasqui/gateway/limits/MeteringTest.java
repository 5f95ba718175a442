package dev.chasqui.gateway.limits;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.chasqui.gateway.SetClock;
import dev.chasqui.gateway.nodes.EventLoop;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.storage.Database;
import dev.chasqui.gateway.storage.DatabaseAddress;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** One gateway's limits. Nothing is shared, so that the test's thread can stand for the event loop. */
class MeteringTest {
    private static final String KEY = "key_1";

    private final EventLoop loop = new EventLoop("test");
    private final Database database = new Database(new DatabaseAddress.InMemory(), loop);
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final SetClock clock = new SetClock();
    private final Metering metering = new Metering(database, loop, "one", clock, registry);

    @AfterEach
    void close() {
        database.close();
        loop.close();
    }

    private Admission admit(Quota quota) {
        return metering.admit(KEY, quota);
    }

    private RequestError refused(Quota quota) {
        RequestError error = catchThrowableOfType(RequestError.class, () -> admit(quota));
        assertThat(error).isNotNull();
        assertThat(error.status()).isEqualTo(429);
        assertThat(error.code()).isEqualTo("rate_limit_exceeded");
        return error;
    }

    private double refusals(String limit) {
        return registry.counter("ratelimit.refused", "limit", limit).count();
    }

    @Test
    void asManyRequestsAsAreInTheBucketAreLetInAndThenOneByOne() {
        Quota quota = new Quota(20, 0, 0);
        for (int i = 0; i < 20; i++) {
            admit(quota).end();
        }

        RequestError error = refused(quota);
        assertThat(error.sentence())
                .isEqualTo("This key or account may ask 20 times a minute (limit requests_per_minute);"
                        + " try again in 3 s.");
        assertThat(error.retryAfter()).isEqualTo(Duration.ofSeconds(3));
        assertThat(refusals("requests")).isEqualTo(1);
        clock.pass(Duration.ofMillis(2999));
        assertThat(refused(quota).retryAfter()).isEqualTo(Duration.ofMillis(1));
        clock.pass(Duration.ofMillis(1));
        admit(quota);
        refused(quota);
    }

    @Test
    void tokensAreTakenWhenTheyAreComputedAndMayBecomeLessThanNone() {
        Quota quota = new Quota(0, 1000, 0);
        Admission first = admit(quota);
        first.used(900, 800, 0);
        admit(quota).end();
        first.used(0, 0, 350);
        first.end();

        RequestError error = refused(quota);
        assertThat(error.sentence())
                .isEqualTo("This key or account may use 1000 tokens a minute (limit tokens_per_minute);"
                        + " try again in 16 s.");
        assertThat(refusals("tokens")).isEqualTo(1);
        clock.pass(Objects.requireNonNull(error.retryAfter()).minusMillis(1));
        refused(quota);
        clock.pass(Duration.ofMillis(1));
        admit(quota);
    }

    @Test
    void theLimitThatLastsLongestIsSaid() {
        Quota quota = new Quota(1, 60, 0);
        admit(quota).used(60, 0, 0);
        assertThat(refused(quota).sentence()).contains("may ask once a minute (limit requests_per_minute)", "60 s");
        clock.pass(Duration.ofMinutes(5));
        admit(quota).used(100, 0, 100);

        assertThat(refused(quota).sentence()).contains("(limit tokens_per_minute)", "141 s");
    }

    @Test
    void aRequestThatEndsMakesPlaceForOneMore() {
        Quota quota = new Quota(0, 0, 2);
        Admission first = admit(quota);
        admit(quota);

        RequestError error = refused(quota);
        assertThat(error.sentence())
                .isEqualTo("This key or account may have 2 requests running at the same time (limit parallel);"
                        + " try again in 1 s.");
        assertThat(error.retryAfter()).isEqualTo(Duration.ofSeconds(1));
        assertThat(refusals("parallel")).isEqualTo(1);
        first.end();
        first.end();
        admit(quota);
        refused(quota);
    }

    @Test
    void headersSayWhereItStands() {
        Quota quota = new Quota(60, 10_000, 3);
        Admission admission = admit(quota);
        admission.used(1500, 0, 90);

        assertThat(admission.headers())
                .containsExactly(
                        Map.entry("x-ratelimit-limit-requests", "60"),
                        Map.entry("x-ratelimit-remaining-requests", "59"),
                        Map.entry("x-ratelimit-reset-requests", "1s"),
                        Map.entry("x-ratelimit-limit-tokens", "10000"),
                        Map.entry("x-ratelimit-remaining-tokens", "8410"),
                        Map.entry("x-ratelimit-reset-tokens", "9.54s"));
        assertThat(metering.headers(KEY, quota)).isEqualTo(admission.headers());
        assertThat(metering.headers("key_2", new Quota(0, 5, 0)))
                .containsEntry("x-ratelimit-remaining-tokens", "5")
                .containsEntry("x-ratelimit-reset-tokens", "0s")
                .hasSize(3);
        assertThat(metering.headers("key_2", new Quota(0, 0, 5))).isEmpty();
        assertThat(metering.known()).isEqualTo(1);
    }

    @Test
    void whoHasNoLimitIsNeverRefused() {
        for (int i = 0; i < 1000; i++) {
            Admission admission = admit(Quota.NONE);
            admission.used(1_000_000, 0, 1_000_000);
            assertThat(admission.headers()).isEmpty();
        }

        assertThat(metering.headers(KEY, Quota.NONE)).isEmpty();
        assertThat(refusals("requests") + refusals("tokens") + refusals("parallel"))
                .isZero();
    }

    @Test
    void aLimitThatIsChangedHoldsFromTheNextRequestOn() {
        Quota few = new Quota(2, 0, 0);
        admit(few);
        admit(few);
        refused(few);

        admit(new Quota(4, 0, 0));
        refused(few);
        admit(Quota.NONE);
        admit(few);
    }

    @Test
    void subjectsDoNotShareTheirLimits() {
        Quota quota = new Quota(1, 1, 1);
        admit(quota).used(1, 0, 1);
        refused(quota);

        metering.admit("key_2", quota);
    }

    @Test
    void limitsAreNumbersThatMakeSense() {
        assertThatThrownBy(() -> new Quota(0, -1, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("tokens_per_minute: -1 (expected: 0 to 1000000000000)");
        assertThat(Quota.NONE.isNone()).isTrue();
        assertThat(new Quota(0, 0, 1).isNone()).isFalse();
    }

    @Test
    void whatOneOfTwoRefusesIsCountedForNeither() {
        Quota one = new Quota(1, 0, 0);
        Quota ten = new Quota(10, 0, 0);
        metering.admit(KEY, ten, "user_1", one).end();
        assertThatThrownBy(() -> metering.admit(KEY, ten, "user_1", one)).isInstanceOf(RequestError.class);
        assertThatThrownBy(() -> metering.admit("key_2", one, KEY, one)).isInstanceOf(RequestError.class);

        assertThat(metering.headers(KEY, ten)).containsEntry("x-ratelimit-remaining-requests", "9");
        assertThat(metering.headers("key_2", one)).containsEntry("x-ratelimit-remaining-requests", "1");
    }
}
