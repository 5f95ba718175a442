package dev.chasqui.node.engine;

/**
 * One sequence's way of choosing tokens, with its random state, penalties and grammar. Made by whoever made the {@link
 * ModelRunner}, which alone knows what is inside; used and closed by the engine's thread.
 */
public interface TokenSampler extends AutoCloseable {
    /** What it has learnt from what it chose, where that does not follow from the tokens (mirostat's mu); else 0. */
    default float learnt() {
        return 0;
    }

    @Override
    void close();
}
