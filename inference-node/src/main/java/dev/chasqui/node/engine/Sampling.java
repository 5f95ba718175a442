package dev.chasqui.node.engine;

/** The sequences to choose a token for, as the arrays that one call of the runner takes. */
final class Sampling {
    final Sequence[] sequences;
    final int[] rows;
    final int[] tokens;
    int count;
    private final TokenSampler[] samplers;

    Sampling(int slots) {
        sequences = new Sequence[slots];
        samplers = new TokenSampler[slots];
        rows = new int[slots];
        tokens = new int[slots];
    }

    void clear() {
        count = 0;
    }

    void add(Sequence sequence, int row) {
        sequences[count] = sequence;
        samplers[count] = sequence.request.sampler();
        rows[count++] = row;
    }

    /** Fills {@link #tokens}; only where {@link #count} is not 0. */
    void run(ModelRunner runner) {
        runner.sample(count, samplers, rows, tokens);
    }
}
