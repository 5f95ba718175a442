package dev.chasqui.gateway.limits;

/**
 * What somebody may take; 0: no limit.
 *
 * @param tokensPerMinute of prompts and answers together; tokens of a prompt that were cached count like the others
 * @param parallel requests that run at the same time
 */
public record Quota(int requestsPerMinute, long tokensPerMinute, int parallel) {
    /** No limit at all. */
    public static final Quota NONE = new Quota(0, 0, 0);

    private static final long MOST_TOKENS = 1_000_000_000_000L;

    public Quota {
        require("requests_per_minute", requestsPerMinute, Integer.MAX_VALUE);
        require("tokens_per_minute", tokensPerMinute, MOST_TOKENS);
        require("parallel", parallel, Integer.MAX_VALUE);
    }

    private static void require(String name, long value, long most) {
        if (value < 0 || value > most) {
            throw new IllegalArgumentException(name + ": " + value + " (expected: 0 to " + most + ")");
        }
    }

    /** The stricter one of both, of each. */
    public Quota within(Quota other) {
        return new Quota(
                (int) stricter(requestsPerMinute, other.requestsPerMinute),
                stricter(tokensPerMinute, other.tokensPerMinute),
                (int) stricter(parallel, other.parallel));
    }

    private static long stricter(long one, long other) {
        return one == 0 || other == 0 ? Math.max(one, other) : Math.min(one, other);
    }

    /** Whether there is no limit at all. */
    public boolean isNone() {
        return requestsPerMinute == 0 && tokensPerMinute == 0 && parallel == 0;
    }
}
