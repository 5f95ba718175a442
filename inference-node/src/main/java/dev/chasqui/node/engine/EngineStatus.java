package dev.chasqui.node.engine;

/**
 * How an engine is. Counters run from its start.
 *
 * @param slots sequences computed at once
 * @param slotsInUse slots with a running sequence
 * @param queued requests without a slot
 * @param queueCapacity most of them
 * @param kvTokens tokens in the KV cache, those kept for reuse included; a beginning that sequences share counts for each of them
 * @param kvCapacity tokens that it can hold
 * @param requests accepted requests
 * @param cancelled requests whose asker went away
 * @param rejected requests refused because the queue was full
 * @param promptTokens prompt tokens of requests that got a slot
 * @param cachedTokens those of them that needed no computing
 * @param completionTokens generated tokens
 * @param draftedTokens tokens that were guessed and computed ahead, several in one step
 * @param acceptedTokens those of them that came true
 * @param steps batches computed
 * @param tokensPerSecond generated tokens a second, over the last seconds
 */
public record EngineStatus(
        int slots,
        int slotsInUse,
        int queued,
        int queueCapacity,
        long kvTokens,
        long kvCapacity,
        long requests,
        long cancelled,
        long rejected,
        long promptTokens,
        long cachedTokens,
        long completionTokens,
        long draftedTokens,
        long acceptedTokens,
        long steps,
        double tokensPerSecond) {
    /** The same, with what has changed since. */
    EngineStatus at(int nowQueued, long nowRejected, double nowTokensPerSecond) {
        return new EngineStatus(
                slots,
                slotsInUse,
                nowQueued,
                queueCapacity,
                kvTokens,
                kvCapacity,
                requests,
                cancelled,
                nowRejected,
                promptTokens,
                cachedTokens,
                completionTokens,
                draftedTokens,
                acceptedTokens,
                steps,
                nowTokensPerSecond);
    }
}
