package dev.chasqui.node.engine;

import org.jspecify.annotations.Nullable;

/**
 * One sequence's way of choosing tokens, with its random state, penalties and grammar. Made by whoever made the {@link
 * ModelRunner}, which alone knows what is inside; used and closed by the engine's thread.
 */
public interface TokenSampler extends AutoCloseable {
    /** What it has learnt from what it chose, where that does not follow from the tokens (mirostat's mu); else 0. */
    default float learnt() {
        return 0;
    }

    /** After no token could be chosen: a sentence, where what the request asks for allows none; null where it is a defect. */
    default @Nullable String deadEnd() {
        return null;
    }

    @Override
    void close();
}
