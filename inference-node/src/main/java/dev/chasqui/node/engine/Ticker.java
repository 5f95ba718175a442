package dev.chasqui.node.engine;

/** The engine's clock. */
@FunctionalInterface
public interface Ticker {
    /** Nanoseconds from an arbitrary start, never going back. */
    long nanos();

    /** The machine's own clock. */
    static Ticker system() {
        return System::nanoTime;
    }
}
