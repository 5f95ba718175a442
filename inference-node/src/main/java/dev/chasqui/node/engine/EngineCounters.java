package dev.chasqui.node.engine;

/** What an engine has done since its start. Written by its thread only. */
final class EngineCounters {
    private static final long WINDOW_NANOS = 2_000_000_000;

    long requests;
    long cancelled;
    long promptTokens;
    long cachedTokens;
    long drafted;
    long accepted;
    long steps;
    private long completionTokens;
    private double tokensPerSecond;
    private long windowBegan;
    private long windowTokens;

    void generated(long now) {
        completionTokens++;
        windowTokens++;
        long age = now - windowBegan;
        if (age > WINDOW_NANOS) {
            tokensPerSecond = age > 2 * WINDOW_NANOS ? 0 : windowTokens * 1e9 / age;
            windowBegan = now;
            windowTokens = 0;
        }
    }

    /** These counts, and what has a slot or waits for one at this moment. */
    EngineStatus status(ModelRunner runner, Scheduler scheduler, int queueCapacity, long rejected) {
        return new EngineStatus(
                runner.slots(),
                scheduler.running(),
                scheduler.waiting(),
                queueCapacity,
                Math.min(scheduler.tokensHeld(), runner.kvTokens()),
                runner.kvTokens(),
                requests,
                cancelled,
                rejected,
                promptTokens,
                cachedTokens,
                completionTokens,
                drafted,
                accepted,
                steps,
                tokensPerSecond);
    }
}
