package dev.chasqui.gateway.accounts;

/**
 * A time during which an account is signed in.
 *
 * @param tokenHash names it in the database
 * @param csrfToken what requests that change something must bring besides the cookie
 * @param expiresAt in milliseconds since 1970, unless it is used meanwhile
 */
public record Session(String tokenHash, String csrfToken, long expiresAt) {
    static final long LIFE_MS = 30L * 24 * 60 * 60 * 1000;

    static Session of(String token, long usedAt) {
        return new Session(Secrets.hash(token), Secrets.hash("csrf " + token), usedAt + LIFE_MS);
    }

    /** Whether this is its token. */
    public boolean isOf(String token) {
        return tokenHash.equals(Secrets.hash(token));
    }

    /** Tokens stay out of logs. */
    @Override
    public String toString() {
        return "Session[until " + expiresAt + "]";
    }
}
