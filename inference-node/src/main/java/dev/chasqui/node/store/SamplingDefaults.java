package dev.chasqui.node.store;

import org.jspecify.annotations.Nullable;

/**
 * What a model samples with where a request does not say. Null leaves the node's own default. Ranges are those of the
 * wire: temperature 0 to 100, top_k 0 or more, top_p, min_p and typical_p 0 to 1, repeat_penalty above 0 to 10, frequency and presence penalty
 * -2 to 2, penalty_last_n -1 or more, max_tokens 1 or more.
 */
public record SamplingDefaults(
        @Nullable Double temperature,
        @Nullable Integer topK,
        @Nullable Double topP,
        @Nullable Double minP,
        @Nullable Double typicalP,
        @Nullable Double repeatPenalty,
        @Nullable Double frequencyPenalty,
        @Nullable Double presencePenalty,
        @Nullable Integer penaltyLastN,
        @Nullable Integer maxTokens) {

    /** Nothing set. */
    public static final SamplingDefaults NONE =
            new SamplingDefaults(null, null, null, null, null, null, null, null, null, null);

    /** These, and of the others those that are not set here. */
    public SamplingDefaults over(SamplingDefaults others) {
        return new SamplingDefaults(
                first(temperature, others.temperature),
                first(topK, others.topK),
                first(topP, others.topP),
                first(minP, others.minP),
                first(typicalP, others.typicalP),
                first(repeatPenalty, others.repeatPenalty),
                first(frequencyPenalty, others.frequencyPenalty),
                first(presencePenalty, others.presencePenalty),
                first(penaltyLastN, others.penaltyLastN),
                first(maxTokens, others.maxTokens));
    }

    private static <T> @Nullable T first(@Nullable T one, @Nullable T other) {
        return one != null ? one : other;
    }
}
