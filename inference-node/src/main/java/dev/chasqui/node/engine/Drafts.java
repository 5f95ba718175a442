package dev.chasqui.node.engine;

import org.jspecify.annotations.Nullable;

/**
 * How many likely next tokens are computed ahead for an answer that runs alone, and whose guesses: those of its own text ({@link
 * Lookahead}) or of a small model ({@link DraftModel}), whichever should bring more tokens in the time. There are none where
 * neither should bring more than a step of a single token.
 */
final class Drafts implements AutoCloseable {
    /** No guess counts as surer than this. */
    static final double SUREST = 0.98;

    /** One less than powers of two, as the times of steps are known. */
    private static final int[] DEPTHS = {3, 7, 15};

    /** How much more a draft must promise, as times and probabilities are guesses. */
    private static final double GAIN = 1.15;

    private final ModelRunner runner;
    private final StepTimes stepTimes;
    private final boolean lookahead;
    private final @Nullable DraftModel model;

    /**
     * @param lookahead whether anything may be computed ahead at all
     * @param model closed with this; null: none
     */
    Drafts(ModelRunner runner, StepTimes stepTimes, boolean lookahead, @Nullable DraftModel model) {
        this.runner = runner;
        this.stepTimes = stepTimes;
        this.lookahead = lookahead;
        this.model = model;
    }

    /** How many of so many drafted tokens should be right, where each is so likely once those before it are. */
    static double expected(double right, int depth) {
        return right * (1 - Math.pow(right, depth)) / (1 - right);
    }

    /** Drafts what comes behind an answer's last known token. */
    void draft(Sequence sequence) {
        if (!lookahead || !runner.cutsTails()) {
            return;
        }
        int room = Math.min(runner.batchTokens() - 1, runner.contextTokens() - sequence.total());
        room = Math.min(room, sequence.request.maxTokens() - sequence.generated() - 1);
        double right = sequence.draftable();
        int best = 0;
        int computed = sequence.computed();
        double most = GAIN / stepTimes.estimate(StepSize.piece(1, computed));
        for (int depth : DEPTHS) {
            double rate = (1 + sequence.draftExpected(right, depth))
                    / stepTimes.estimate(StepSize.piece(1 + depth, computed));
            if (right > 0 && depth <= room && rate > most) {
                best = depth;
                most = rate;
            }
        }
        int guessed = model == null ? 0 : model.guess(sequence, room, most);
        if (model != null && guessed > 0) {
            sequence.draft(model.guesses(), guessed);
        } else {
            sequence.draft(best);
        }
    }

    /** To be told each token that a sequence says. */
    void came(Sequence sequence, int token) {
        if (model != null) {
            model.came(sequence, token);
        }
    }

    @Override
    public void close() {
        if (model != null) {
            model.close();
        }
    }
}
