package dev.chasqui.llama;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.util.RawValue;

/**
 * Chooses the tokens of one sequence, and remembers them for penalties and grammar. Used through
 * {@link LlamaContext#sample}; for one thread at a time.
 */
public final class Sampler implements AutoCloseable {
    private static final byte[] NOTHING = {};

    private final ExclusiveHandle handle;
    private final SharedHandle model;
    private final boolean learns;
    private @Nullable LlamaException failure;

    private Sampler(SharedHandle model, long address, boolean learns) {
        this.model = model;
        this.learns = learns;
        this.handle = new ExclusiveHandle("sampler", address);
    }

    /**
     * Makes one.
     *
     * @param chain use llama.cpp's samplers even where the fast one could do it: what tests compare it with
     */
    static Sampler open(SharedHandle model, long modelAddress, SamplerOptions options, boolean chain) {
        double[] numbers = numbers(options, chain);
        byte[] more = more(options);
        long[] error = new long[1];
        long address = Shim.cq_sampler_new(modelAddress, numbers, numbers.length, more, more.length, error);
        if (address == 0) {
            throw Shim.failure(error);
        }
        return new Sampler(model, address, options.mirostat().version() > 0);
    }

    /** Lets penalties see a token of the prompt. Not for tokens that {@link LlamaContext#sample} chose: it did so itself. */
    public void accept(int token) {
        long[] error = new long[1];
        long address = handle.enter();
        try {
            if (Shim.cq_sampler_accept(address, token, error) != 0) {
                throw Shim.failure(error);
            }
        } finally {
            handle.exit();
        }
    }

    /**
     * Goes on behind the first tokens of an answer as if it had chosen them itself: what is drawn next depends on the seed and
     * on how many tokens there are, and on nothing else that came before. Before anything is sampled.
     *
     * @param tokens none of which ends the answer
     * @param mu what {@link #mu} gave behind the last of them; 0 where mirostat is off
     * @throws LlamaException INVALID_REQUEST where a grammar does not allow them
     */
    public void replay(int[] tokens, float mu) {
        if (tokens.length == 0) {
            return;
        }
        long[] error = new long[1];
        long address = handle.enter();
        try {
            if (Shim.cq_sampler_replay(address, tokens, tokens.length, mu, error) != 0) {
                throw Shim.failure(error);
            }
        } finally {
            handle.exit();
        }
    }

    /** What mirostat has learnt so far; 0 where it is off. */
    public float mu() {
        if (!learns) {
            return 0;
        }
        long address = handle.enter();
        try {
            return Shim.cq_sampler_mu(address);
        } finally {
            handle.exit();
        }
    }

    /** Why the last {@link LlamaContext#sample} gave -1 for this sampler; null if it did not. */
    public @Nullable LlamaException failure() {
        return failure;
    }

    void setFailure(@Nullable LlamaException failure) {
        this.failure = failure;
    }

    /** Fetches the native side's reason for a -1. */
    LlamaException takeFailure(long address) {
        long[] error = {Shim.cq_sampler_failure(address)};
        return Shim.failure(error);
    }

    ExclusiveHandle handle() {
        return handle;
    }

    @Override
    public void close() {
        if (handle.close()) {
            Shim.cq_sampler_free(handle.address());
            model.release();
        }
    }

    /** For tests: the probability of each token, given logits; draws nothing. */
    float[] probabilities(float[] logits) {
        long[] error = new long[1];
        float[] out = new float[logits.length];
        long address = handle.enter();
        try {
            if (Shim.cq_sampler_probabilities(address, logits, logits.length, out, error) != 0) {
                throw Shim.failure(error);
            }
            return out;
        } finally {
            handle.exit();
        }
    }

    /** As {@code chasqui_llama.h} orders them. */
    private static double[] numbers(SamplerOptions options, boolean chain) {
        return new double[] {
            Integer.toUnsignedLong(options.seed()),
            options.temperature(),
            options.topK(),
            options.topP(),
            options.minP(),
            options.typicalP(),
            options.repeatPenalty(),
            options.frequencyPenalty(),
            options.presencePenalty(),
            options.penaltyLastN(),
            options.dry().multiplier(),
            options.dry().base(),
            options.dry().allowedLength(),
            options.dry().lastN(),
            options.xtc().probability(),
            options.xtc().threshold(),
            options.mirostat().version(),
            options.mirostat().tau(),
            options.mirostat().eta(),
            options.ignoreEos() ? 1 : 0,
            options.reasoningBudget(),
            chain ? 1 : 0
        };
    }

    /** What is no number, as JSON; most requests have nothing of it. */
    private static byte[] more(SamplerOptions options) {
        Map<String, Object> json = new LinkedHashMap<>();
        if (options.dry().multiplier() > 0) {
            json.put("dry_breakers", options.dry().breakers());
        }
        if (!options.logitBias().isEmpty()) {
            json.put("logit_bias", biases(options.logitBias()));
        }
        if (!options.grammar().isEmpty()) {
            json.put("grammar", options.grammar());
        }
        AnswerForm form = options.form();
        boolean free = options.grammar().isEmpty() && form != null && form.plainText() && !form.constrained();
        if (form != null && !free) { // a free answer is sampled as any text
            json.put("syntax", new RawValue(form.json()));
        }
        return json.isEmpty() ? NOTHING : Json.MAPPER.writeValueAsBytes(json);
    }

    /** Pairs in order of tokens, a ban as null: JSON has no infinity, and equal options must make equal samplers. */
    private static List<Object> biases(Map<Integer, Float> biases) {
        List<Object> pairs = new ArrayList<>();
        biases.entrySet().stream()
                .sorted(Comparator.comparing(Map.Entry::getKey))
                .forEach(entry -> {
                    pairs.add(entry.getKey());
                    pairs.add(entry.getValue() == Float.NEGATIVE_INFINITY ? null : entry.getValue());
                });
        return pairs;
    }
}
