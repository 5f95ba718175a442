package dev.chasqui.node.engine;

import org.jspecify.annotations.Nullable;

/**
 * How an answer ended, and what it took.
 *
 * @param reason why it ended
 * @param stop the stop string that ended it, if one did
 * @param promptTokens tokens of the prompt
 * @param cachedTokens prompt tokens whose KV cells were there already
 * @param completionTokens generated tokens, the end-of-answer token included
 * @param draftedTokens tokens that were guessed and computed ahead
 * @param acceptedTokens those of them that came true
 * @param queueNanos from submission until a slot was free
 * @param promptNanos from then until the first token
 * @param decodeNanos from the first token until the last
 */
public record Completion(
        Reason reason,
        @Nullable String stop,
        int promptTokens,
        int cachedTokens,
        int completionTokens,
        int draftedTokens,
        int acceptedTokens,
        long queueNanos,
        long promptNanos,
        long decodeNanos) {
    /** Why an answer ended. */
    public enum Reason {
        /** The model ended it. */
        END_OF_ANSWER,
        /** A stop string came. */
        STOP_STRING,
        /** The most tokens allowed were generated. */
        MAX_TOKENS,
        /** The sequence's context is full. */
        CONTEXT_FULL
    }
}
