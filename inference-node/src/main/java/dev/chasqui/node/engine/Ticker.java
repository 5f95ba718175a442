package dev.chasqui.node.engine;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** The engine's clock. */
@FunctionalInterface
public interface Ticker {
    /** Nanoseconds from an arbitrary start, never going back. */
    long nanos();

    /** Lets something run that takes no time, on any thread, once so many nanoseconds have gone by. */
    default void after(long nanos, Runnable task) {
        CompletableFuture.delayedExecutor(nanos, TimeUnit.NANOSECONDS, Runnable::run)
                .execute(task);
    }

    /** The machine's own clock. */
    static Ticker system() {
        return System::nanoTime;
    }
}
