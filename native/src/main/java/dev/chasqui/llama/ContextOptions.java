package dev.chasqui.llama;

/**
 * How to set up a context.
 *
 * @param contextPerSequence tokens that one sequence may have; with {@code unifiedKv}, that all sequences together may have
 * @param maxSequences sequences at a time, 1 to 256
 * @param batchTokens most tokens of one {@link DecodeBatch}
 * @param microBatchTokens most tokens computed at once; a batch is cut into such pieces, and an abort takes effect between
 *     or inside them
 * @param threads threads for batches of one token
 * @param batchThreads threads for all other batches
 * @param flash flash attention
 * @param k type of the keys
 * @param v type of the values
 * @param unifiedKv one cache for all sequences instead of one for each; slower where sequences share no prefix
 */
public record ContextOptions(
        int contextPerSequence,
        int maxSequences,
        int batchTokens,
        int microBatchTokens,
        int threads,
        int batchThreads,
        FlashAttention flash,
        KvType k,
        KvType v,
        boolean unifiedKv) {
    public ContextOptions {
        Check.range("contextPerSequence", contextPerSequence, 1, 16 << 20);
        Check.range("maxSequences", maxSequences, 1, 256);
        Check.range("batchTokens", batchTokens, maxSequences, 1 << 20);
        Check.range("microBatchTokens", microBatchTokens, 1, batchTokens);
        Check.range("threads", threads, 1, 512);
        Check.range("batchThreads", batchThreads, 1, 512);
    }

    /** As the shim reads them. */
    int[] values() {
        return new int[] {
            contextPerSequence,
            maxSequences,
            batchTokens,
            microBatchTokens,
            threads,
            batchThreads,
            flash.ordinal(),
            k.ordinal(),
            v.ordinal(),
            unifiedKv ? 1 : 0
        };
    }
}
