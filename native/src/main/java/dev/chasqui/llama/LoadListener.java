package dev.chasqui.llama;

/** Watches a model load. Called by a thread of its own, at most 20 times a second. */
@FunctionalInterface
public interface LoadListener {
    /** Follows nothing and never ends a load. */
    LoadListener NONE = progress -> true;

    /**
     * Tells how far the load is.
     *
     * @param progress 0 to 1
     * @return false to end the load, which then fails with {@link LlamaException.Reason#ABORTED}
     */
    boolean onProgress(float progress);
}
