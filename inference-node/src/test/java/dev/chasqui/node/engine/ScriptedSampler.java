package dev.chasqui.node.engine;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * How a {@link ScriptedRunner}'s sequence chooses its tokens: by a pure function of the row's state and its own seed, or by
 * saying what it was told to say. Counts how often it was closed.
 */
final class ScriptedSampler implements TokenSampler {
    private static final int[] NOTHING = {};

    private final long seed;
    private final int[] script;
    private final int failsAt;
    private final AtomicInteger closed = new AtomicInteger();
    private int chosen;
    private boolean endless;

    private ScriptedSampler(long seed, int[] script, int failsAt) {
        this.seed = seed;
        this.script = script;
        this.failsAt = failsAt;
    }

    static ScriptedSampler seeded(long seed) {
        return new ScriptedSampler(seed, NOTHING, -1);
    }

    /** Says these tokens, then goes on as {@link #seeded} does. */
    static ScriptedSampler saying(int... tokens) {
        return new ScriptedSampler(0, tokens.clone(), -1);
    }

    /** Fails instead of choosing its token number {@code at}, counted from 0. */
    static ScriptedSampler failingAt(long seed, int at) {
        return new ScriptedSampler(seed, NOTHING, at);
    }

    /** Never ends an answer. */
    ScriptedSampler withoutEnd() {
        endless = true;
        return this;
    }

    /** Has chosen so many tokens already. */
    ScriptedSampler behind(int tokens) {
        chosen = tokens;
        return this;
    }

    int choose(long state, int vocabulary) {
        if (closed.get() > 0) {
            throw new IllegalStateException("a closed sampler was asked for a token");
        }
        if (chosen == failsAt) {
            return -1;
        }
        int token = chosen < script.length ? script[chosen] : token(state, seed, vocabulary);
        chosen++;
        return endless && token == Words.END ? 'e' : token;
    }

    /** What a seeded sampler chooses; every seventeenth or so ends the answer. Seed 2 has two words, and so repeats itself. */
    static int token(long state, long seed, int vocabulary) {
        long mixed = ScriptedRunner.mix(state, seed);
        if (seed == 2 && (mixed & 0xF0) != 0) {
            return 'a' + (int) (mixed & 1);
        }
        return (int) Long.remainderUnsigned(mixed, vocabulary);
    }

    @Override
    public void close() {
        closed.incrementAndGet();
    }

    int timesClosed() {
        return closed.get();
    }
}
