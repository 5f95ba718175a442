package dev.chasqui.node.engine;

/** A small model that guesses what a sequence says next, in the vocabulary of the {@link ModelRunner}. By the engine's thread alone. */
public interface Drafter extends AutoCloseable {
    /** Tokens of the longest sequence that it can guess for, its guesses included. */
    int contextTokens();

    /**
     * Guesses what comes behind the first {@code total} tokens of a sequence. What it has taken in of them before it does not
     * take in again; of many new ones it takes in a part in each call, so that none takes long.
     *
     * @param most how many tokens to guess, 1 or more
     * @param guesses receives them
     * @return how many it guessed, fewer than {@code most} where it is not sure; -1 where there is more to take in first
     */
    int guess(int[] tokens, int total, int most, int[] guesses);

    @Override
    void close();
}
