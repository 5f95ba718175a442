package dev.chasqui.llama;

/** How a {@link LlamaContext#decode()} ended, where it did not fail. */
public enum DecodeStatus {
    /** All tokens are computed. */
    OK,
    /** The cache has no room for the batch; nothing changed. */
    NO_KV_SPACE,
    /** {@link LlamaContext#abort()} ended it. Micro batches that were complete by then stay in the cache. */
    ABORTED
}
