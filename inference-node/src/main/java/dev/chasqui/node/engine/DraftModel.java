package dev.chasqui.node.engine;

import org.jspecify.annotations.Nullable;

/**
 * A small model's guesses, and whether they are worth their time. A try costs what the small model takes and what the larger step
 * takes more, and brings a step for each guess that comes true; all of it is measured. Where some tries together hardly brought
 * more than they cost there are none for a while, and each time that happens for twice as long, so that text which nobody can guess
 * loses next to nothing.
 */
final class DraftModel implements AutoCloseable {
    /** One less than powers of two, as the times of steps are known. */
    private static final int[] DEPTHS = {1, 3, 7, 15};

    /** Tries that are judged together. */
    private static final int JUDGED = 4;

    /** What a try must bring, in steps of a single token. */
    private static final double LEAST_GAIN = 0.1;

    private static final int FIRST_PAUSE = 16;
    private static final int LONGEST_PAUSE = 1024;

    /** How often guesses come true, for all we know at first. */
    private static final double USUAL = 0.7;

    private static final double WEIGHT = 0.1;

    private final Drafter drafter;
    private final StepTimes stepTimes;
    private final Ticker ticker;
    private final int[] guesses = new int[DEPTHS[DEPTHS.length - 1]];
    private boolean broken;

    /** How deep the sequence is, on which the time of a step depends. */
    private int computed;

    // The last try.
    private @Nullable Sequence sequence;
    private int guessed;
    private int cameTrue;
    private boolean comparing;
    private long tookNanos;

    // What is known of tries.
    private double right = USUAL;
    private double guessNanos;
    private double gainNanos;
    private int tries;
    private int pause;
    private int nextPause = FIRST_PAUSE;

    DraftModel(Drafter drafter, StepTimes stepTimes, Ticker ticker) {
        this.drafter = drafter;
        this.stepTimes = stepTimes;
        this.ticker = ticker;
    }

    /**
     * Guesses a sequence's next tokens, if that should bring more than what is promised otherwise.
     *
     * @param room most tokens that may be guessed
     * @param promised tokens a nanosecond without these guesses
     * @return how many of {@link #guesses} count
     */
    int guess(Sequence wanted, int room, double promised) {
        judge();
        computed = wanted.computed();
        boolean fits = wanted.total() + guesses.length < drafter.contextTokens();
        if (broken || !fits || stepNanos(1) == 0) {
            return 0;
        }
        if (pause > 0) {
            pause--;
            return 0;
        }
        int depth = depth(room, promised);
        if (depth > 0) {
            ask(wanted, depth);
        } else if (depth(guesses.length, promised) == 0) {
            giveUp();
        }
        return guessed;
    }

    int[] guesses() {
        return guesses;
    }

    /** What a sequence really says. */
    void came(Sequence whose, int token) {
        if (!comparing || whose != sequence) {
            return;
        }
        boolean hit = guesses[cameTrue] == token;
        right = Math.min(Drafts.SUREST, right + WEIGHT * ((hit ? 1 : 0) - right));
        cameTrue += hit ? 1 : 0;
        comparing = hit && cameTrue < guessed;
    }

    @Override
    public void close() {
        drafter.close();
    }

    private void ask(Sequence wanted, int depth) {
        long began = ticker.nanos();
        int count;
        try {
            count = drafter.guess(wanted.tokens(), wanted.total(), depth, guesses);
        } catch (RuntimeException e) {
            broken = true; // The answers do not need it.
            return;
        }
        if (count < 0) {
            return;
        }
        tookNanos = ticker.nanos() - began;
        // Where it is not sure it has computed one more than it says.
        double each = (double) tookNanos / Math.min(depth, count + 1);
        guessNanos = guessNanos == 0 ? each : guessNanos + WEIGHT * (each - guessNanos);
        sequence = wanted;
        guessed = count;
        cameTrue = 0;
        comparing = count > 0;
        tries++;
    }

    /** Books the last try. */
    private void judge() {
        if (sequence == null) {
            return;
        }
        double larger = stepNanos(1 + guessed) - stepNanos(1);
        gainNanos += (double) cameTrue * stepNanos(1) - larger - tookNanos;
        sequence = null;
        guessed = 0;
        comparing = false;
        if (tries < JUDGED) {
            return;
        }
        if (gainNanos < LEAST_GAIN * JUDGED * stepNanos(1)) {
            giveUp();
        } else {
            nextPause = FIRST_PAUSE;
        }
        tries = 0;
        gainNanos = 0;
    }

    private void giveUp() {
        pause = nextPause;
        nextPause = Math.min(LONGEST_PAUSE, 2 * nextPause);
        right = USUAL;
        guessNanos /= 2; // What was slow once may not be for ever.
    }

    private int depth(int room, double promised) {
        int best = 0;
        double most = promised;
        for (int depth : DEPTHS) {
            double rate = (1 + Drafts.expected(right, depth)) / (stepNanos(1 + depth) + depth * guessNanos);
            if (depth <= room && rate > most) {
                best = depth;
                most = rate;
            }
        }
        return best;
    }

    private long stepNanos(int tokens) {
        return stepTimes.estimate(StepSize.piece(tokens, computed));
    }
}
