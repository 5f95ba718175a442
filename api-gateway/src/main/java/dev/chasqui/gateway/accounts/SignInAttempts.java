package dev.chasqui.gateway.accounts;

import dev.chasqui.gateway.requests.RequestError;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Counts wrong passwords: five for an e-mail address and twenty for a network address, then one more a minute, and one
 * every ten seconds; and new accounts like the latter. An attempt counts as wrong until it is known to be right, so that
 * many at once are no more than one after the other. Bounded: the longest unheard of are forgotten. The event loop owns
 * it.
 */
final class SignInAttempts {
    private static final int MOST = 10_000;
    private static final int BY_EMAIL = 5;
    private static final long EMAIL_MS = 60_000;
    private static final int BY_ADDRESS = 20;
    private static final long ADDRESS_MS = 10_000;

    private final Clock clock;
    /** When the last wrong one of each is forgotten, each having taken its time. */
    private final Map<String, Long> until = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Long> eldest) {
            return size() > MOST;
        }
    };

    SignInAttempts(Clock clock) {
        this.clock = clock;
    }

    /**
     * Somebody tries a password.
     *
     * @throws RequestError where there were too many wrong ones
     */
    void begin(String email, String address) {
        String tries = "Too many wrong passwords";
        require(email(email), BY_EMAIL, EMAIL_MS, tries);
        require(from(address), BY_ADDRESS, ADDRESS_MS, tries);
        add(email(email), EMAIL_MS);
        add(from(address), ADDRESS_MS);
    }

    /** It was the right one. */
    void succeeded(String email, String address) {
        until.remove(email(email));
        add(from(address), -ADDRESS_MS);
    }

    /** Nobody has looked whether it was the right one. */
    void withdraw(String email, String address) {
        add(email(email), -EMAIL_MS);
        add(from(address), -ADDRESS_MS);
    }

    /**
     * Somebody makes an account.
     *
     * @throws RequestError where too many were made from there
     */
    void register(String address) {
        String name = "registers " + from(address);
        require(name, BY_ADDRESS, ADDRESS_MS, "Too many accounts were made from your network");
        add(name, ADDRESS_MS);
    }

    private static String email(String email) {
        return "e-mail " + Account.key(email);
    }

    private static String from(String address) {
        return "from " + address;
    }

    private void require(String name, int most, long each, String tooMany) {
        @Nullable Long known = until.get(name);
        long wait = known == null ? 0 : known - clock.millis() - (most - 1) * each;
        if (wait > 0) {
            Duration after = Duration.ofSeconds((wait + 999) / 1000);
            throw RequestError.http(
                    429, tooMany + "; try again in " + after.toSeconds() + " s.", "too_many_sign_ins", after);
        }
    }

    private void add(String name, long each) {
        long now = clock.millis();
        @Nullable Long known = until.get(name);
        long next = Math.max(now, known == null ? 0 : known) + each;
        if (next > now) {
            until.put(name, next);
        } else {
            until.remove(name);
        }
    }
}
