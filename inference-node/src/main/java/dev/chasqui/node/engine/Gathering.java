package dev.chasqui.node.engine;

import java.util.ArrayList;
import java.util.List;

/**
 * Prompts that begin alike and have little left, as questions about one text have: those that are computed as one piece, where
 * the runner {@linkplain ModelRunner#gathers() gathers}. Each by itself would be a piece smaller than a tile of llama.cpp's
 * attention on CPUs, deep in a context, where that takes several times as long for each token.
 */
final class Gathering {
    /** Who has more left makes pieces by himself that are large enough. */
    private static final int MOST_REST = 2 * StepSize.TILE;

    /** So many tokens are computed again where somebody has them already and others do not. */
    private static final int MOST_AGAIN = 16;

    /** A beginning is deep from so many times the least tokens on that are shared. */
    private static final int DEEP = 4;

    private final StepTimes times;
    private final int batchTokens;

    /** The least tokens of a step that make up for the way there and back. */
    private final int least;

    private final List<Sequence> members = new ArrayList<>();
    private int alike;
    private int tokens;

    Gathering(StepTimes times, int batchTokens, int least) {
        this.times = times;
        this.batchTokens = batchTokens;
        this.least = least;
    }

    /**
     * Chooses who is computed with the most urgent prompt.
     *
     * @param prompts the most urgent first
     * @param limitNanos how long the step may take; 0: as long as a whole batch takes
     * @return whether that is worth it
     */
    boolean choose(List<Sequence> prompts, long limitNanos) {
        members.clear();
        tokens = 0;
        Sequence first = prompts.get(0);
        alike = first.computed();
        for (Sequence sequence : prompts) {
            int common = Prefix.common(first.tokens(), alike, sequence.tokens(), sequence.computed());
            int more = members.size() * (alike - common) + sequence.total() - common;
            boolean again = first.computed() - common > MOST_AGAIN;
            if (belongs(sequence, common) && !again && fits(more, common, limitNanos)) {
                members.add(sequence);
                tokens += more;
                alike = common;
            } else if (sequence == first) {
                return false; // Nobody overtakes whose turn it is.
            }
        }
        return members.size() > 1 && tokens >= least;
    }

    /** Those that were chosen, the most urgent first. */
    List<Sequence> members() {
        return members;
    }

    /** How many first tokens they have alike in the KV cache. */
    int alike() {
        return alike;
    }

    private boolean belongs(Sequence sequence, int common) {
        return !sequence.tellsPrompt()
                && common >= DEEP * least
                && sequence.computed() - common <= MOST_AGAIN
                && sequence.total() - common <= MOST_REST;
    }

    /** Up to the least that is worth it a step may take longer: one after the other they would keep answers waiting for more. */
    private boolean fits(int more, int common, long limitNanos) {
        long patient = PromptPieces.PATIENCE * Math.max(limitNanos, Scheduler.GAP_NANOS);
        long limit = tokens < least ? patient : limitNanos;
        return tokens + more <= batchTokens
                && (limitNanos == 0 || times.estimate(StepSize.piece(tokens + more, common)) <= limit);
    }
}
