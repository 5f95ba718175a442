package dev.chasqui.node.engine;

/**
 * What the time of a step depends on.
 *
 * @param tokens how many it computes
 * @param tiled pairs of a token and an earlier one that it attends to, of pieces of at least {@link #TILE} tokens of a sequence
 * @param single the same of smaller pieces, which do not fill tiles, or are computed token by token, at several times the price
 */
record StepSize(int tokens, long tiled, long single) {
    /** From so many tokens of one sequence on, attention on CPUs works on whole tiles. */
    static final int TILE = 64;

    static final StepSize NOTHING = new StepSize(0, 0, 0);

    /** With another piece: {@code count} tokens of a sequence of which {@code depth} are computed. */
    StepSize with(int count, int depth) {
        long pairs = (long) count * depth + (long) count * count / 2;
        return count >= TILE
                ? new StepSize(tokens + count, tiled + pairs, single)
                : new StepSize(tokens + count, tiled, single + pairs);
    }

    static StepSize piece(int count, int depth) {
        return NOTHING.with(count, depth);
    }
}
