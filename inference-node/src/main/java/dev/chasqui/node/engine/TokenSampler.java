package dev.chasqui.node.engine;

/**
 * One sequence's way of choosing tokens, with its random state, penalties and grammar. Made by whoever made the {@link
 * ModelRunner}, which alone knows what is inside; used and closed by the engine's thread.
 */
public interface TokenSampler extends AutoCloseable {
    @Override
    void close();
}
