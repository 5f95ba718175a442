package dev.chasqui.node.model;

import dev.chasqui.node.store.SamplingDefaults;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What every model's answers have in common.
 *
 * @param sampling where a request does not say; stronger than what the catalogue says of a model
 * @param slowAfter an answer that takes longer is logged as a warning, with its token counts; zero: none is
 */
public record AnswerSettings(SamplingDefaults sampling, Duration slowAfter) {
    /** As the catalogue says, and without warnings. */
    public static final AnswerSettings USUAL = new AnswerSettings(SamplingDefaults.NONE, Duration.ZERO);

    public AnswerSettings {
        range("temperature", sampling.temperature(), 0, 100);
        range("top-p", sampling.topP(), 0, 1);
        Double penalty = sampling.repeatPenalty();
        range("repeat-penalty", penalty, 0, 10);
        if (penalty != null && penalty == 0) {
            throw new IllegalArgumentException("repeat-penalty: 0 (expected: above 0 to 10)");
        }
        Integer maxTokens = sampling.maxTokens();
        if (maxTokens != null && maxTokens < 1) {
            throw new IllegalArgumentException("max-tokens: " + maxTokens + " (expected: 1 or more)");
        }
        if (slowAfter.isNegative()) {
            throw new IllegalArgumentException(
                    "generation-timeout: " + slowAfter.toSeconds() + " (expected: 0 or more seconds)");
        }
    }

    private static void range(String name, @Nullable Double value, double least, double most) {
        if (value != null && !(value >= least && value <= most)) {
            throw new IllegalArgumentException(
                    name + ": " + value + " (expected: " + (long) least + " to " + (long) most + ")");
        }
    }
}
