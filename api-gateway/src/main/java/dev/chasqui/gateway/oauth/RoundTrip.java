package dev.chasqui.gateway.oauth;

/**
 * A browser's way to a provider and back.
 *
 * @param state the word that it takes along, which nobody can guess
 * @param expiresAt in milliseconds since 1970
 * @param session the hash of the session whose account is to be linked; empty: somebody signs in
 * @param returnTo the path to go on at
 */
public record RoundTrip(String state, long expiresAt, String session, String returnTo) {
    /** The state stays out of logs. */
    @Override
    public String toString() {
        return "RoundTrip[" + returnTo + "]";
    }
}
