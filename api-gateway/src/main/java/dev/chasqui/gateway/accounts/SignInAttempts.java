package dev.chasqui.gateway.accounts;

import dev.chasqui.gateway.requests.RequestError;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Counts wrong passwords: five for an e-mail address and twenty for a network address, then one more a minute, and one
 * every ten seconds. Bounded: the longest unheard of are forgotten. The event loop owns it.
 */
final class SignInAttempts {
    private static final int MOST = 10_000;
    private static final int BY_EMAIL = 5;
    private static final long EMAIL_MS = 60_000;
    private static final int BY_ADDRESS = 20;
    private static final long ADDRESS_MS = 10_000;

    /** @param until when the last of them is forgotten, each having taken its time */
    private record Wrong(long until) {}

    private final Clock clock;
    private final Map<String, Wrong> wrong = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Wrong> eldest) {
            return size() > MOST;
        }
    };

    SignInAttempts(Clock clock) {
        this.clock = clock;
    }

    /** @throws RequestError where there were too many */
    void require(String email, String address) {
        require("e-mail " + Account.key(email), BY_EMAIL, EMAIL_MS);
        require("from " + address, BY_ADDRESS, ADDRESS_MS);
    }

    void failed(String email, String address) {
        add("e-mail " + Account.key(email), EMAIL_MS);
        add("from " + address, ADDRESS_MS);
    }

    void succeeded(String email) {
        wrong.remove("e-mail " + Account.key(email));
    }

    private void require(String name, int most, long each) {
        @Nullable Wrong known = wrong.get(name);
        long wait = known == null ? 0 : known.until() - clock.millis() - (most - 1) * each;
        if (wait > 0) {
            Duration after = Duration.ofSeconds((wait + 999) / 1000);
            throw RequestError.http(
                    429,
                    "Too many wrong passwords; try again in " + after.toSeconds() + " s.",
                    "too_many_sign_ins",
                    after);
        }
    }

    private void add(String name, long each) {
        long now = clock.millis();
        @Nullable Wrong known = wrong.get(name);
        wrong.put(name, new Wrong(Math.max(now, known == null ? 0 : known.until()) + each));
    }
}
