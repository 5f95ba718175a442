package dev.chasqui.gateway.accounts;

/**
 * A place that an account's owner may sign in by.
 *
 * @param provider the place: {@code github} or {@code apple}
 * @param linkedAt milliseconds since 1970
 */
public record LinkedIdentity(String provider, long linkedAt) {}
