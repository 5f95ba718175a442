package dev.chasqui.node.engine;

import java.util.List;

/**
 * How much of which prompt a step computes. The most urgent prompt gets as much as the step's time bears, the next what is
 * left, and so on.
 *
 * <p>Pieces are cut with attention on CPUs in mind. It works on tiles of {@link StepSize#TILE} rows; a piece of fewer tokens, deep in a
 * context, takes longer for each of them, and several times as long where llama.cpp's own attention is used and not
 * {@code attention.cpp}'s. So a piece is not smaller if that can be helped, nor does it leave a smaller rest. And llama.cpp computes neighbouring slots together only for as many tokens as each
 * of them has, so that in deep contexts only pieces of one size share a step.
 */
final class PromptPieces {
    /** A piece smaller than a tile is cut only where a tile would take so many times the time that is left. */
    static final int PATIENCE = 3;

    /** The smallest piece, however slow the machine. */
    private static final int LEAST = 16;

    /** The first piece of all, while no step has been measured. */
    private static final int FIRST = StepSize.TILE;

    /** Prompt tokens of a step whose logits are looked at: each takes a vocabulary of memory. */
    private static final int MOST_TOLD = StepSize.TILE;

    /** Up to this depth pieces of any size go together. */
    static final int DEEP = 512;

    private final StepTimes times;
    private final int batchTokens;
    private final int outputRows;

    PromptPieces(StepTimes times, int batchTokens, int outputRows) {
        this.outputRows = outputRows;
        this.times = times;
        this.batchTokens = batchTokens;
    }

    /**
     * Fills a step.
     *
     * @param prompts the most urgent first
     * @param limitNanos how long the step may take; 0: as long as a whole batch takes
     * @param shares receives each slot's number of tokens
     */
    void share(List<Sequence> prompts, long limitNanos, int[] shares) {
        StepSize step = StepSize.NOTHING;
        int first = 0;
        boolean deep = false;
        int told = Math.min(MOST_TOLD, outputRows - (prompts.size() - 1));
        for (Sequence sequence : prompts) {
            int room = batchTokens - step.tokens();
            room = sequence.tellsPrompt() ? Math.min(room, told) : room;
            int count = limitNanos == 0 ? whole(sequence, room, step) : within(limitNanos, sequence, room, step);
            boolean deepToo = deep || sequence.computed() + count > DEEP;
            if (count > 0 && (first == 0 || first == count || !deepToo)) {
                shares[sequence.slot()] = count;
                step = step.with(count, sequence.computed());
                first = first == 0 ? count : first;
                deep = deepToo;
                told -= sequence.tellsPrompt() ? count : 0;
            }
        }
    }

    private static int whole(Sequence sequence, int room, StepSize step) {
        int count = Math.min(sequence.remaining(), room);
        boolean scrap = count < sequence.remaining() && count < StepSize.TILE && step.tokens() > 0;
        return scrap ? 0 : count;
    }

    private int within(long limit, Sequence sequence, int room, StepSize step) {
        int most = Math.min(sequence.remaining(), room);
        boolean first = step.tokens() == 0;
        if (!times.known()) {
            return first ? Math.min(most, FIRST) : 0;
        }
        if (most == sequence.remaining() && estimate(step, sequence, most) <= limit) {
            return most;
        }
        for (int count = wholeTilesBehind(sequence, most); count >= StepSize.TILE; count -= StepSize.TILE) {
            if (estimate(step, sequence, count) <= limit) {
                return count;
            }
        }
        return first ? least(limit, sequence, most) : 0;
    }

    /** The largest piece behind which nothing but whole tiles is left: what makes none is computed where it is cheap. */
    private static int wholeTilesBehind(Sequence sequence, int most) {
        int odd = sequence.remaining() % StepSize.TILE;
        return most - Math.floorMod(most - odd, StepSize.TILE);
    }

    /** What is computed of the most urgent prompt even if it takes too long. */
    private int least(long limit, Sequence sequence, int most) {
        int tile = most < 2 * StepSize.TILE ? most : StepSize.TILE;
        if (estimate(StepSize.NOTHING, sequence, tile) <= PATIENCE * limit) {
            return tile;
        }
        int count = LEAST;
        while (2 * count < tile && estimate(StepSize.NOTHING, sequence, 2 * count) <= limit) {
            count *= 2;
        }
        return Math.min(count, most);
    }

    private long estimate(StepSize step, Sequence sequence, int count) {
        return times.estimate(step.with(count, sequence.computed()));
    }
}
