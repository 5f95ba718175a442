package dev.chasqui.node.engine;

import org.jspecify.annotations.Nullable;

/**
 * Runs a model over batches and keeps the KV cache of a fixed number of slots. Every method but {@link #interrupt} is called
 * by the engine's thread alone.
 */
public interface ModelRunner extends AutoCloseable {
    /** What became of a batch. */
    enum Outcome {
        /** All of it is in the KV cache and its output rows can be sampled. */
        DONE,
        /** {@link #interrupt} ended it; any part of it may be in the KV cache. */
        INTERRUPTED,
        /** The KV cache has no room for it; nothing of it was computed. */
        NO_SPACE
    }

    /** Sequences that can be held at once, at least 1; a slot is a number below it. */
    int slots();

    /** Tokens that one slot can hold. */
    int contextTokens();

    /** Tokens that all slots together can hold: less than each of them could, where they have a common KV cache. */
    long kvTokens();

    /** Most tokens of one batch, at least one for each slot. */
    int batchTokens();

    /** Most rows of one batch that may be outputs, at least one for each slot. */
    int outputRows();

    /** Computes a batch, with the adapters that it names and no others. Throws where the model cannot be run any more. */
    Outcome decode(Batch batch);

    /** Nobody needs anything computed just now: what helps with {@link #decode} need not look out for the next one. */
    default void rest() {}

    /** Makes the decode that is running end soon; where none is, the next one may end in its place. Any thread. */
    void interrupt();

    /**
     * Chooses a token for each of the last batch's rows given, and lets each sampler know what was chosen.
     *
     * @param count how many
     * @param samplers the samplers, none twice
     * @param rows output rows of the last batch
     * @param tokens receives the tokens; -1 where that sampler failed, which spoils no other
     */
    void sample(int count, TokenSampler[] samplers, int[] rows, int[] tokens);

    /** How likely {@code token} was at an output row of the last batch, with the {@code top} likeliest ones. */
    TokenLogprob logprob(int row, int token, int top);

    /**
     * Forgets a slot's tokens from position {@code length} on.
     *
     * @return how many are left: {@code length}, or 0 where this kind of memory can only be emptied
     */
    int truncate(int slot, int length);

    /** How many tokens a slot holds. */
    int length(int slot);

    /** Whether {@link #truncate} can leave a beginning, so that sequences can share one. */
    boolean cutsTails();

    /**
     * Whether short pieces of slots that hold the same tokens take less time in one batch that says so ({@link Batch#alike})
     * than in batches of their own.
     */
    boolean gathers();

    /** Makes a slot hold what another one holds; what it held before is forgotten. */
    void copy(int from, int to);

    /**
     * What a slot holds, kept outside the KV cache.
     *
     * @return null where it would take more than {@code mostBytes}, or cannot be had just now
     */
    @Nullable
    SavedSlot save(int slot, long mostBytes);

    /** Gives a slot what was saved of one. Where that cannot be just now the slot is empty, and the result false. */
    boolean restore(int slot, SavedSlot saved);

    /** What a slot held. */
    interface SavedSlot extends AutoCloseable {
        /** Memory that it takes. */
        long bytes();

        @Override
        void close();
    }

    @Override
    void close();
}
