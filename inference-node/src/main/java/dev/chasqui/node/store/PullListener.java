package dev.chasqui.node.store;

/** Hears how a download goes on: at every change of state, and a few times a second while bytes arrive. */
@FunctionalInterface
public interface PullListener {
    /** Hears nothing. */
    PullListener NONE = progress -> {};

    /** Called by the download's thread, which it must not hold up. */
    void progress(PullProgress progress);
}
