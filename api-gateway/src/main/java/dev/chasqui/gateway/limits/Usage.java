package dev.chasqui.gateway.limits;

/**
 * What somebody has taken.
 *
 * @param promptTokens all of them
 * @param cachedTokens those of the prompt tokens that were not computed again
 * @param lastUsedAt milliseconds since 1970; 0: never
 */
public record Usage(long requests, long promptTokens, long cachedTokens, long completionTokens, long lastUsedAt) {
    /** Nothing yet. */
    public static final Usage NONE = new Usage(0, 0, 0, 0, 0);

    Usage plus(Usage other) {
        return new Usage(
                requests + other.requests,
                promptTokens + other.promptTokens,
                cachedTokens + other.cachedTokens,
                completionTokens + other.completionTokens,
                Math.max(lastUsedAt, other.lastUsedAt));
    }

    /** What the limit of tokens counts. */
    long tokens() {
        return promptTokens + completionTokens;
    }
}
