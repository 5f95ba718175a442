package dev.chasqui.llama;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How the next token is chosen. The order is that of llama.cpp: logit bias, penalties, DRY, top-k, typical, top-p, min-p,
 * XTC, temperature.
 *
 * @param seed start of the random numbers; the same seed and logits give the same tokens
 * @param temperature 0 to 100; 0 is greedy
 * @param topK keep the k likeliest; 0 is off
 * @param topP keep the likeliest that reach this probability together, 0 to 1; 1 is off
 * @param minP keep those at least this likely compared with the likeliest, 0 to 1; 0 is off
 * @param typicalP keep those of typical likelihood, 0 to 1; 1 is off
 * @param repeatPenalty above 0 to 10; 1 is off
 * @param frequencyPenalty -2 to 2; 0 is off
 * @param presencePenalty -2 to 2; 0 is off
 * @param penaltyLastN last tokens that the three penalties see; 0 is off, at most {@value #MAX_LAST_N}
 * @param dry penalty on prolonging a repetition
 * @param xtc now and then removes the likeliest tokens
 * @param mirostat in place of top-k, typical, top-p, min-p and XTC
 * @param logitBias added to the logits, by token; negative infinity bans a token
 * @param ignoreEos tokens that end an answer are chosen only where a grammar lets nothing else follow
 * @param grammar GBNF that the text must match; empty: none. Not together with a {@code form} that is constrained
 * @param form what the template says about the answer: grammar of tool calls and its triggers, reasoning tags
 * @param reasoningBudget most tokens of reasoning before it is ended by force; -1: no limit. Needs a {@code form}
 */
public record SamplerOptions(
        int seed,
        float temperature,
        int topK,
        float topP,
        float minP,
        float typicalP,
        float repeatPenalty,
        float frequencyPenalty,
        float presencePenalty,
        int penaltyLastN,
        Dry dry,
        Xtc xtc,
        Mirostat mirostat,
        Map<Integer, Float> logitBias,
        boolean ignoreEos,
        String grammar,
        @Nullable AnswerForm form,
        int reasoningBudget) {
    /** Bound of {@link #penaltyLastN} and {@link Dry#lastN}. */
    public static final int MAX_LAST_N = 1 << 20;

    public SamplerOptions {
        Check.range("temperature", temperature, 0, 100);
        Check.range("topK", topK, 0, Integer.MAX_VALUE);
        Check.range("topP", topP, 0, 1);
        Check.range("minP", minP, 0, 1);
        Check.range("typicalP", typicalP, 0, 1);
        if (!(repeatPenalty > 0 && repeatPenalty <= 10)) {
            throw Check.invalid("repeatPenalty", repeatPenalty, "above 0 to 10");
        }
        Check.range("frequencyPenalty", frequencyPenalty, -2, 2);
        Check.range("presencePenalty", presencePenalty, -2, 2);
        Check.range("penaltyLastN", penaltyLastN, 0, MAX_LAST_N);
        Check.range("logitBias", logitBias.size(), 0, 1024);
        Check.range("reasoningBudget", reasoningBudget, -1, Integer.MAX_VALUE);
        logitBias = Map.copyOf(logitBias);
        for (Map.Entry<Integer, Float> bias : logitBias.entrySet()) {
            float value = bias.getValue();
            if (Float.isNaN(value) || value == Float.POSITIVE_INFINITY) {
                throw Check.invalid("logitBias", value, "a number or negative infinity");
            }
        }
        if (!grammar.isEmpty() && form != null && form.constrained()) {
            throw Check.invalid("grammar", "a second one", "none besides the form's");
        }
        if (reasoningBudget >= 0 && form == null) {
            throw Check.invalid("reasoningBudget", reasoningBudget, "-1 without a form");
        }
    }

    /** Starts with llama.cpp's defaults: temperature 0.8, top-k 40, top-p 0.95, min-p 0.05, nothing else. */
    public static Builder builder() {
        return new Builder();
    }

    /** Always the likeliest token. */
    public static SamplerOptions greedy() {
        return builder().temperature(0).build();
    }

    /**
     * "Don't repeat yourself".
     *
     * @param multiplier 0 (off) to 100
     * @param base 1 to 100
     * @param allowedLength repetitions up to this length are free
     * @param lastN how many of the last tokens it looks at
     * @param breakers strings that end a repetition, at most 64 of 1 to 256 characters
     */
    public record Dry(float multiplier, float base, int allowedLength, int lastN, List<String> breakers) {
        public static final Dry OFF = new Dry(0, 1.75f, 2, 4096, List.of("\n", ":", "\"", "*"));

        public Dry {
            Check.range("dry.multiplier", multiplier, 0, 100);
            Check.range("dry.base", base, 1, 100);
            Check.range("dry.allowedLength", allowedLength, 0, 1 << 20);
            Check.range("dry.lastN", lastN, 0, MAX_LAST_N);
            breakers = List.copyOf(breakers);
            Check.range("dry.breakers", breakers.size(), 0, 64);
            for (String breaker : breakers) {
                Check.range("dry.breakers: length", breaker.length(), 1, 256);
            }
        }
    }

    /**
     * "Exclude top choices".
     *
     * @param probability how often, 0 (off) to 1
     * @param threshold tokens at least this likely are excluded but for the least likely of them, 0 to 1
     */
    public record Xtc(float probability, float threshold) {
        public static final Xtc OFF = new Xtc(0, 0.1f);

        public Xtc {
            Check.range("xtc.probability", probability, 0, 1);
            Check.range("xtc.threshold", threshold, 0, 1);
        }
    }

    /**
     * Holds the text's surprise near a target.
     *
     * @param version 0 (off), 1 or 2
     * @param tau target entropy, 0 to 100
     * @param eta learning rate, 0 to 1
     */
    public record Mirostat(int version, float tau, float eta) {
        public static final Mirostat OFF = new Mirostat(0, 5, 0.1f);

        public Mirostat {
            Check.range("mirostat.version", version, 0, 2);
            Check.range("mirostat.tau", tau, 0, 100);
            Check.range("mirostat.eta", eta, 0, 1);
        }
    }

    /** Collects options; {@link #build()} checks them. */
    public static final class Builder {
        private int seed;
        private float temperature = 0.8f;
        private int topK = 40;
        private float topP = 0.95f;
        private float minP = 0.05f;
        private float typicalP = 1;
        private float repeatPenalty = 1;
        private float frequencyPenalty;
        private float presencePenalty;
        private int penaltyLastN = 64;
        private Dry dry = Dry.OFF;
        private Xtc xtc = Xtc.OFF;
        private Mirostat mirostat = Mirostat.OFF;
        private Map<Integer, Float> logitBias = Map.of();
        private boolean ignoreEos;
        private String grammar = "";
        private @Nullable AnswerForm form;
        private int reasoningBudget = -1;

        private Builder() {}

        public Builder seed(int value) {
            seed = value;
            return this;
        }

        public Builder temperature(float value) {
            temperature = value;
            return this;
        }

        public Builder topK(int value) {
            topK = value;
            return this;
        }

        public Builder topP(float value) {
            topP = value;
            return this;
        }

        public Builder minP(float value) {
            minP = value;
            return this;
        }

        public Builder typicalP(float value) {
            typicalP = value;
            return this;
        }

        public Builder repeatPenalty(float value) {
            repeatPenalty = value;
            return this;
        }

        public Builder frequencyPenalty(float value) {
            frequencyPenalty = value;
            return this;
        }

        public Builder presencePenalty(float value) {
            presencePenalty = value;
            return this;
        }

        public Builder penaltyLastN(int value) {
            penaltyLastN = value;
            return this;
        }

        public Builder dry(Dry value) {
            dry = value;
            return this;
        }

        public Builder xtc(Xtc value) {
            xtc = value;
            return this;
        }

        public Builder mirostat(Mirostat value) {
            mirostat = value;
            return this;
        }

        public Builder logitBias(Map<Integer, Float> value) {
            logitBias = value;
            return this;
        }

        public Builder ignoreEos(boolean value) {
            ignoreEos = value;
            return this;
        }

        public Builder grammar(String value) {
            grammar = value;
            return this;
        }

        public Builder form(@Nullable AnswerForm value) {
            form = value;
            return this;
        }

        public Builder reasoningBudget(int value) {
            reasoningBudget = value;
            return this;
        }

        public SamplerOptions build() {
            return new SamplerOptions(
                    seed,
                    temperature,
                    topK,
                    topP,
                    minP,
                    typicalP,
                    repeatPenalty,
                    frequencyPenalty,
                    presencePenalty,
                    penaltyLastN,
                    dry,
                    xtc,
                    mirostat,
                    logitBias,
                    ignoreEos,
                    grammar,
                    form,
                    reasoningBudget);
        }
    }
}
