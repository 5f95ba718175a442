package dev.chasqui.node.engine;

/**
 * What a step takes, learned from the steps so far: a moving average for each power of two of tokens, and beside it what
 * attention adds for each pair of tokens. Each measured step corrects all of them by normalised least mean squares: what makes
 * up most of the step's time is corrected most.
 */
final class StepTimes {
    private static final double WEIGHT = 0.2;

    /** A step that took so many times as long as expected, and longer still, says no more than this. */
    private static final double MOST_SURPRISE = 3;

    /** Attention to so many tokens takes about as long as all else of a token: where the two are learned at one pace. */
    private static final double USUAL_DEPTH = 1000;

    private final double[] nanos = new double[32];
    private double tiledNanos;
    private double singleNanos;

    /**
     * Learns from a step. More tokens take at least as long, and twice the tokens at most twice as long: what other sizes once
     * took is corrected to fit, so that one step that something else slowed down does not keep its size from being tried ever
     * again, and an old quick one does not hide that all have become slower.
     */
    void record(StepSize size, long took) {
        int power = power(size.tokens());
        double part = size.tokens() / Math.scalb(1.0, power);
        double base = base(size.tokens());
        if (nanos[power] == 0) {
            double here = base == 0 ? 1 / part : atPower(power) / base;
            nanos[power] = Math.max(took - attention(size), took / 4.0) * here;
        } else {
            double change = correct(size, base, took) / base - 1;
            nanos[power] *= 1 + change;
            nanos[power + 1] *= 1 + change * (part - 1);
        }
        fit(power);
    }

    /** Corrects what attention costs, and returns what all else of the step does now. */
    private double correct(StepSize size, double base, long took) {
        double unit = base / size.tokens() / USUAL_DEPTH;
        double tiled = size.tiled() * unit;
        double single = size.single() * unit;
        double expected = base + attention(size);
        double error = Math.min(took - expected, MOST_SURPRISE * expected);
        double step = WEIGHT * error / (base * base + tiled * tiled + single * single);
        tiledNanos = Math.max(0, tiledNanos + step * tiled * unit);
        singleNanos = Math.max(0, singleNanos + step * single * unit);
        return base + step * base * base;
    }

    private void fit(int power) {
        double known = nanos[power];
        for (int other = 0; other < nanos.length; other++) {
            double proportional = Math.scalb(known, other - power);
            if (nanos[other] > 0) {
                double atLeast = Math.min(known, proportional);
                double atMost = Math.max(known, proportional);
                nanos[other] = Math.min(atMost, Math.max(atLeast, nanos[other]));
            }
        }
    }

    /** Whether any step was measured. */
    boolean known() {
        return base(1) > 0;
    }

    /** Nanoseconds that a step of this size will take; 0 while nothing is known. */
    long estimate(StepSize size) {
        double base = base(size.tokens());
        return base == 0 ? 0 : (long) (base + attention(size));
    }

    private double attention(StepSize size) {
        return tiledNanos * size.tiled() + singleNanos * size.single();
    }

    /** All but attention, on the line between the powers of two beside it. */
    private double base(int tokens) {
        int power = power(tokens);
        double below = atPower(power);
        double share = Math.max(0, tokens / Math.scalb(1.0, power) - 1);
        return below + share * (atPower(power + 1) - below);
    }

    /**
     * Between two known sizes it lies on the line between them; beyond the largest it grows with the size, and below the
     * smallest it is not less.
     */
    private double atPower(int power) {
        int below = power;
        while (below >= 0 && nanos[below] == 0) {
            below--;
        }
        int above = power;
        while (above < nanos.length && nanos[above] == 0) {
            above++;
        }
        if (below < 0) {
            return above < nanos.length ? nanos[above] : 0;
        }
        if (below == power) {
            return nanos[below];
        }
        if (above == nanos.length) {
            return Math.scalb(nanos[below], power - below);
        }
        double share =
                (Math.scalb(1.0, power) - Math.scalb(1.0, below)) / (Math.scalb(1.0, above) - Math.scalb(1.0, below));
        return nanos[below] + share * (nanos[above] - nanos[below]);
    }

    private static int power(int tokens) {
        return 31 - Integer.numberOfLeadingZeros(Math.max(1, tokens));
    }
}
