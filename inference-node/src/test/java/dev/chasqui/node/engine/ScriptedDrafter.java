package dev.chasqui.node.engine;

import java.util.Arrays;
import java.util.Random;

/**
 * A small model without llama.cpp: guesses what {@link ScriptedSampler#seeded} with seed 0 would say, and is wrong now and then.
 * Holds the engine to what {@link Drafter} promises.
 */
final class ScriptedDrafter implements Drafter {
    private static final int TAKEN_IN_A_CALL = 16;

    private final int contextTokens;
    private final double sure;
    private final long guessNanos;
    private final ManualTicker ticker;
    private final Random random = new Random(5);
    private int[] taken = {};
    private boolean closed;

    /** What it throws when it is asked next. */
    boolean fails;

    int calls;

    ScriptedDrafter(int contextTokens, double sure, long guessNanos, ManualTicker ticker) {
        this.contextTokens = contextTokens;
        this.sure = sure;
        this.guessNanos = guessNanos;
        this.ticker = ticker;
    }

    @Override
    public int contextTokens() {
        return contextTokens;
    }

    @Override
    public int guess(int[] tokens, int total, int most, int[] guesses) {
        ScriptedRunner.require(!closed, "a drafter after its close");
        ScriptedRunner.require(most >= 1 && most <= guesses.length, most + " guesses");
        ScriptedRunner.require(total + most <= contextTokens, "a drafter beyond its context");
        calls++;
        if (fails) {
            throw new IllegalStateException("the small model failed");
        }
        int common = Prefix.common(taken, taken.length, tokens, total);
        if (total - common > TAKEN_IN_A_CALL) {
            taken = Arrays.copyOf(tokens, common + TAKEN_IN_A_CALL);
            ticker.advance(guessNanos);
            return -1;
        }
        taken = Arrays.copyOf(tokens, total);
        long state = ScriptedRunner.state(tokens, total, AdapterSet.NONE);
        for (int i = 0; i < most; i++) {
            int token = ScriptedSampler.token(state, 0, Words.SIZE);
            guesses[i] = random.nextDouble() < sure ? token : (token + 1) % Words.SIZE;
            state = ScriptedRunner.next(state, guesses[i], AdapterSet.NONE);
        }
        ticker.advance(guessNanos * most);
        return most;
    }

    boolean closed() {
        return closed;
    }

    @Override
    public void close() {
        ScriptedRunner.require(!closed, "a drafter after its close");
        closed = true;
    }
}
