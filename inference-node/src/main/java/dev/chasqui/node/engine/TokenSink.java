package dev.chasqui.node.engine;

import java.util.List;

/**
 * Where an answer goes. The engine's thread calls it, in this order: any number of {@link #queued} and {@link #prompt},
 * among them {@link #promptLogprobs} where they are asked for, then chunks, then exactly one of {@link #completed} and {@link #failed}. Of an answer that was begun elsewhere {@link #replayed}
 * comes first, by the thread that submits it. No method may block or throw.
 */
public interface TokenSink {
    /** What was said of the answer already, piece by piece as it was then: nobody needs it again but who has a state to make. */
    default void replayed(List<TokenChunk> chunks) {}

    /** The request's place in the queue: 1 gets the next free slot, 0 does not wait. */
    void queued(int ahead);

    /** {@code done} of {@code total} prompt tokens are in the KV cache. */
    void prompt(int done, int total);

    /** Of each of the prompt's tokens; of the first, which nothing stands before, the log-probability is not a number. */
    default void promptLogprobs(List<TokenLogprob> tokens) {}

    /** The next piece of the answer. */
    void chunk(TokenChunk chunk);

    /** @param rest what was still to be told; empty where nothing was */
    void completed(TokenChunk rest, Completion completion);

    void failed(EngineException failure);
}
