package dev.chasqui.gateway.oauth;

import dev.chasqui.gateway.requests.RequestError;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Seals what a browser keeps in a cookie between leaving for a provider and coming back, so that any gateway can go on and nothing is
 * stored for people who never come back. The key comes from the provider's secret, which all gateways have: whoever can read the
 * database can forge nothing. Verifier and nonce come from the key too, and so are not even in the cookie.
 */
final class RoundTrips {
    static final Duration LIFE = Duration.ofMinutes(10);

    private static final String ALGORITHM = "HmacSHA256";
    private static final int STATE_BYTES = 32;
    private static final SecureRandom SOURCE = new SecureRandom();
    private static final Base64.Encoder ENCODER = Base64.getUrlEncoder().withoutPadding();

    private final byte[] key;
    private final Clock clock;

    /** @param secret of the provider's */
    RoundTrips(byte[] secret, Clock clock) {
        key = mac(secret, "chasqui: the way to a provider and back");
        this.clock = clock;
    }

    RoundTrip begin(String returnTo, String session) {
        byte[] state = new byte[STATE_BYTES];
        SOURCE.nextBytes(state);
        return new RoundTrip(ENCODER.encodeToString(state), clock.millis() + LIFE.toMillis(), session, returnTo);
    }

    String sealed(RoundTrip trip) {
        String content =
                String.join("\n", trip.state(), Long.toString(trip.expiresAt()), trip.session(), trip.returnTo());
        return ENCODER.encodeToString(content.getBytes(StandardCharsets.UTF_8)) + "." + word("seal", content);
    }

    /**
     * The way that a browser comes back by.
     *
     * @param cookie as {@link #sealed} wrote it
     * @param state that the provider sent back
     * @throws RequestError where it is not the browser that left, or left too long ago
     */
    RoundTrip opened(@Nullable String cookie, @Nullable String state) {
        RoundTrip trip = cookie == null ? null : parsed(cookie);
        if (trip == null || state == null || !same(trip.state(), state)) {
            throw RequestError.http(
                    400,
                    "This is not the browser that left to sign in, or it left twice (expected: begin anew).",
                    "state_invalid",
                    null);
        }
        if (trip.expiresAt() <= clock.millis()) {
            throw RequestError.http(
                    400,
                    "Signing in took more than " + LIFE.toMinutes() + " minutes (expected: begin anew).",
                    "state_expired",
                    null);
        }
        return trip;
    }

    private @Nullable RoundTrip parsed(String cookie) {
        int dot = cookie.indexOf('.');
        try {
            byte[] bytes = Base64.getUrlDecoder().decode(cookie.substring(0, Math.max(0, dot)));
            String content = new String(bytes, StandardCharsets.UTF_8);
            if (!same(word("seal", content), cookie.substring(dot + 1))) {
                return null;
            }
            String[] parts = content.split("\n", 4);
            return new RoundTrip(parts[0], Long.parseLong(parts[1]), parts[2], parts[3]);
        } catch (IllegalArgumentException nonsense) {
            return null;
        }
    }

    /** The secret whose hash goes along, and which the code must come with. */
    String verifier(RoundTrip trip) {
        return word("verifier", trip.state());
    }

    /** What the provider must write into its answer. */
    String nonce(RoundTrip trip) {
        return word("nonce", trip.state());
    }

    /** What goes along of a verifier (S256 of RFC 7636). */
    static String challenge(String verifier) {
        return ENCODER.encodeToString(sha256(verifier));
    }

    private String word(String purpose, String content) {
        return ENCODER.encodeToString(mac(key, purpose + "\n" + content));
    }

    private static boolean same(String one, String other) {
        return MessageDigest.isEqual(one.getBytes(StandardCharsets.UTF_8), other.getBytes(StandardCharsets.UTF_8));
    }

    static byte[] sha256(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
    }

    private static byte[] mac(byte[] key, String text) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(new SecretKeySpec(key, ALGORITHM));
            return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JVM has HMAC with SHA-256", e);
        }
    }
}
