package dev.chasqui.node.engine;

import java.util.List;

/**
 * One answer to generate.
 *
 * @param prompt at least one token
 * @param begun what there is of the answer already; its tokens count as generated
 * @param maxTokens most tokens to generate; the context may end the answer sooner. 0: the prompt is computed, and no more
 * @param stops strings before which the answer ends, none empty
 * @param text what tokens say in this answer
 * @param sampler how tokens are chosen, those of {@code begun} behind it; belongs to the engine once the request is accepted
 * @param logprobs -1: none; else how many alternatives to report with each token
 * @param promptLogprobs the same of the prompt's own tokens, of an answer that was not begun before
 * @param priority {@link #MOST_URGENT} to {@link #LEAST_URGENT}, lower is sooner: a request counts as having come so many times
 *     {@link #PRIORITY_NANOS} later
 * @param adapters what it is computed with, all of them known to the {@link ModelRunner}
 * @param deadlineNanos on the engine's {@link Ticker}; {@link #NO_DEADLINE}: none
 * @param sink where the answer goes
 */
public record GenerationRequest(
        int[] prompt,
        Begun begun,
        int maxTokens,
        List<String> stops,
        TokenText text,
        TokenSampler sampler,
        int logprobs,
        int promptLogprobs,
        int priority,
        AdapterSet adapters,
        long deadlineNanos,
        TokenSink sink) {
    /** No deadline. */
    public static final long NO_DEADLINE = Long.MAX_VALUE;

    public static final int MOST_URGENT = -100;
    public static final int LEAST_URGENT = 100;

    /** What one step of priority is worth in time. */
    public static final long PRIORITY_NANOS = 10_000_000_000L;

    public GenerationRequest {
        if (prompt.length == 0) {
            throw new IllegalArgumentException("prompt: 0 tokens (expected: at least 1)");
        }
        if (maxTokens < 0) {
            throw new IllegalArgumentException("maxTokens: " + maxTokens + " (expected: 0 or more)");
        }
        if (priority < MOST_URGENT || priority > LEAST_URGENT) {
            throw new IllegalArgumentException(
                    "priority: " + priority + " (expected: " + MOST_URGENT + " to " + LEAST_URGENT + ")");
        }
        stops = List.copyOf(stops);
    }
}
