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

    /** Both together. */
    public Usage plus(Usage other) {
        return new Usage(
                requests + other.requests,
                promptTokens + other.promptTokens,
                cachedTokens + other.cachedTokens,
                completionTokens + other.completionTokens,
                Math.max(lastUsedAt, other.lastUsedAt));
    }

    /** This without what is counted in it already; nothing is less than none. */
    public Usage without(Usage part) {
        return new Usage(
                Math.max(0, requests - part.requests),
                Math.max(0, promptTokens - part.promptTokens),
                Math.max(0, cachedTokens - part.cachedTokens),
                Math.max(0, completionTokens - part.completionTokens),
                lastUsedAt);
    }

    /** What the limit of tokens counts. */
    public long tokens() {
        return promptTokens + completionTokens;
    }
}
