package dev.chasqui.node.engine;

/** What a step of a given size takes, learned from the steps so far: one moving average for each power of two of tokens. */
final class StepTimes {
    private static final double WEIGHT = 0.2;

    private final double[] nanos = new double[32];

    /**
     * Learns from a step. More tokens take at least as long, and twice the tokens at most twice as long: what other sizes once
     * took is corrected to fit, so that one step that something else slowed down does not keep its size from being tried ever
     * again, and an old quick one does not hide that all have become slower.
     */
    void record(int tokens, long took) {
        int bucket = bucket(tokens);
        double now = nanos[bucket] == 0 ? took : nanos[bucket] + WEIGHT * (took - nanos[bucket]);
        nanos[bucket] = now;
        for (int other = 0; other < nanos.length; other++) {
            double proportional = Math.scalb(now, other - bucket);
            if (nanos[other] > 0) {
                double atLeast = Math.min(now, proportional);
                double atMost = Math.max(now, proportional);
                nanos[other] = Math.min(atMost, Math.max(atLeast, nanos[other]));
            }
        }
    }

    /**
     * Nanoseconds that a step of this many tokens will take; 0 while nothing is known. Between two known sizes it lies on the
     * line between them; beyond the largest it grows with the size, and below the smallest it is not less.
     */
    long estimate(int tokens) {
        int bucket = bucket(tokens);
        int below = bucket;
        while (below >= 0 && nanos[below] == 0) {
            below--;
        }
        int above = bucket;
        while (above < nanos.length && nanos[above] == 0) {
            above++;
        }
        if (below < 0) {
            return above < nanos.length ? (long) nanos[above] : 0;
        }
        if (below == bucket) {
            return (long) nanos[below];
        }
        if (above == nanos.length) {
            return (long) Math.scalb(nanos[below], bucket - below);
        }
        double share =
                (Math.scalb(1.0, bucket) - Math.scalb(1.0, below)) / (Math.scalb(1.0, above) - Math.scalb(1.0, below));
        return (long) (nanos[below] + share * (nanos[above] - nanos[below]));
    }

    /** The most tokens, a power of two from {@code least} to {@code most}, that fit into a time. */
    int tokensWithin(long budgetNanos, int least, int most) {
        int tokens = Math.max(1, Integer.highestOneBit(least));
        while (tokens * 2 <= most && estimate(tokens * 2) <= budgetNanos) {
            tokens *= 2;
        }
        return tokens;
    }

    private static int bucket(int tokens) {
        return 31 - Integer.numberOfLeadingZeros(Math.max(1, tokens));
    }
}
