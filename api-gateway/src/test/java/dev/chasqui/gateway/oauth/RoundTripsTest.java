package dev.chasqui.gateway.oauth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.chasqui.gateway.requests.RequestError;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Base64;
import org.junit.jupiter.api.Test;

class RoundTripsTest {
    private static final Clock NOW = Clock.fixed(Instant.parse("2026-12-01T08:00:00Z"), ZoneOffset.UTC);
    private final RoundTrips trips = at(Duration.ZERO, "a secret");

    private static RoundTrips at(Duration later, String secret) {
        return new RoundTrips(secret.getBytes(StandardCharsets.UTF_8), Clock.offset(NOW, later));
    }

    @Test
    void whatIsSealedIsReadByWhoeverHasTheSecret() {
        RoundTrip trip = trips.begin("/?a=b#c", "0123");

        assertThat(at(Duration.ofMinutes(9), "a secret").opened(trips.sealed(trip), trip.state()))
                .isEqualTo(trip);
        assertThat(trips.sealed(trip)).doesNotContain(trips.verifier(trip)).matches("[A-Za-z0-9_.-]+");
        assertThat(trips.verifier(trip)).hasSize(43).isNotEqualTo(trips.nonce(trip));
    }

    @Test
    void tenMinutesLaterItIsTooLate() {
        RoundTrip trip = trips.begin("/", "");

        refused(at(RoundTrips.LIFE, "a secret"), trips.sealed(trip), trip.state(), "state_expired");
    }

    @Test
    void whatIsForgedIsRefused() {
        RoundTrip trip = trips.begin("/", "");
        String sealed = trips.sealed(trip);
        String content = trip.state() + "\n" + trip.expiresAt() + "\nanother session\n/";
        String forged = Base64.getUrlEncoder().withoutPadding().encodeToString(content.getBytes(StandardCharsets.UTF_8))
                + sealed.substring(sealed.indexOf('.'));

        refused(trips, forged, trip.state(), "state_invalid");
        refused(at(Duration.ZERO, "another secret"), sealed, trip.state(), "state_invalid");
        for (String nonsense : new String[] {"", ".", "a", "a.b", "!!!.x", sealed + "x", sealed.replace(".", "")}) {
            refused(trips, nonsense, trip.state(), "state_invalid");
        }
    }

    private static void refused(RoundTrips trips, String cookie, String state, String code) {
        assertThatThrownBy(() -> trips.opened(cookie, state))
                .isInstanceOfSatisfying(
                        RequestError.class, error -> assertThat(error.code()).isEqualTo(code));
    }
}
