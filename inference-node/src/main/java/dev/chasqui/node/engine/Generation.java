package dev.chasqui.node.engine;

/** A submitted request. */
@FunctionalInterface
public interface Generation {
    /**
     * Stops it, wherever it is; its sink then gets {@link EngineException.Reason#CANCELLED}, unless it had ended. Any thread,
     * any number of times.
     */
    void cancel();
}
