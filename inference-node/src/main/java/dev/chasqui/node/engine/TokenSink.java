package dev.chasqui.node.engine;

/**
 * Where an answer goes. The engine's thread calls it, in this order: any number of {@link #queued} and {@link #prompt}, then
 * chunks, then exactly one of {@link #completed} and {@link #failed}. No method may block or throw.
 */
public interface TokenSink {
    /** The request's place in the queue: 1 gets the next free slot, 0 does not wait. */
    void queued(int ahead);

    /** {@code done} of {@code total} prompt tokens are in the KV cache. */
    void prompt(int done, int total);

    /** The next piece of the answer. */
    void chunk(TokenChunk chunk);

    void completed(Completion completion);

    void failed(EngineException failure);
}
