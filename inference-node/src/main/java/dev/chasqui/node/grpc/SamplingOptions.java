package dev.chasqui.node.grpc;

import dev.chasqui.llama.AnswerForm;
import dev.chasqui.llama.SamplerOptions;
import dev.chasqui.node.store.SamplingDefaults;
import dev.chasqui.proto.v1.Dry;
import dev.chasqui.proto.v1.Mirostat;
import dev.chasqui.proto.v1.Sampling;
import dev.chasqui.proto.v1.Xtc;
import org.jspecify.annotations.Nullable;

/** Sampling as a request wants it, over the model's defaults, over llama.cpp's. */
final class SamplingOptions {
    private static final int MOST_BIASES = 1024;

    private SamplingOptions() {}

    /**
     * @param form of the answers to a chat, which may bring a grammar; null for raw text
     * @param grammar one that the request brings; empty: none
     */
    static SamplerOptions of(
            Sampling sampling,
            SamplingDefaults defaults,
            int seed,
            int contextTokens,
            @Nullable AnswerForm form,
            String grammar) {
        InvalidRequest.require(
                sampling.getLogitBiasCount() <= MOST_BIASES,
                "logit_bias",
                sampling.getLogitBiasCount() + " entries",
                "at most " + MOST_BIASES);
        SamplerOptions.Builder options = SamplerOptions.builder()
                .seed(seed)
                .ignoreEos(sampling.getIgnoreEos())
                .logitBias(sampling.getLogitBiasMap())
                .grammar(grammar)
                .form(form);
        addDefaults(defaults, options, contextTokens);
        addWanted(sampling, options, contextTokens);
        if (sampling.hasDry()) {
            options.dry(dry(sampling.getDry(), contextTokens));
        }
        if (sampling.hasXtc()) {
            Xtc xtc = sampling.getXtc();
            options.xtc(
                    new SamplerOptions.Xtc(xtc.getProbability(), xtc.getThreshold() == 0 ? 0.1f : xtc.getThreshold()));
        }
        if (sampling.hasMirostat()) {
            options.mirostat(mirostat(sampling.getMirostat()));
        }
        return options.build();
    }

    private static void addDefaults(SamplingDefaults defaults, SamplerOptions.Builder options, int contextTokens) {
        if (defaults.temperature() != null) {
            options.temperature(defaults.temperature().floatValue());
        }
        if (defaults.topK() != null) {
            options.topK(defaults.topK());
        }
        if (defaults.topP() != null) {
            options.topP(defaults.topP().floatValue());
        }
        if (defaults.minP() != null) {
            options.minP(defaults.minP().floatValue());
        }
        if (defaults.typicalP() != null) {
            options.typicalP(defaults.typicalP().floatValue());
        }
        if (defaults.repeatPenalty() != null) {
            options.repeatPenalty(defaults.repeatPenalty().floatValue());
        }
        if (defaults.frequencyPenalty() != null) {
            options.frequencyPenalty(defaults.frequencyPenalty().floatValue());
        }
        if (defaults.presencePenalty() != null) {
            options.presencePenalty(defaults.presencePenalty().floatValue());
        }
        if (defaults.penaltyLastN() != null) {
            options.penaltyLastN(lastN(defaults.penaltyLastN(), contextTokens));
        }
    }

    private static void addWanted(Sampling sampling, SamplerOptions.Builder options, int contextTokens) {
        if (sampling.hasTemperature()) {
            options.temperature(sampling.getTemperature());
        }
        if (sampling.hasTopK()) {
            options.topK(sampling.getTopK());
        }
        if (sampling.hasTopP()) {
            options.topP(sampling.getTopP());
        }
        if (sampling.hasMinP()) {
            options.minP(sampling.getMinP());
        }
        if (sampling.hasTypicalP()) {
            options.typicalP(sampling.getTypicalP());
        }
        if (sampling.hasRepeatPenalty()) {
            options.repeatPenalty(sampling.getRepeatPenalty());
        }
        if (sampling.hasFrequencyPenalty()) {
            options.frequencyPenalty(sampling.getFrequencyPenalty());
        }
        if (sampling.hasPresencePenalty()) {
            options.presencePenalty(sampling.getPresencePenalty());
        }
        if (sampling.hasPenaltyLastN()) {
            options.penaltyLastN(lastN(sampling.getPenaltyLastN(), contextTokens));
        }
    }

    private static int lastN(int wanted, int contextTokens) {
        InvalidRequest.require(wanted >= -1, "penalty_last_n", wanted, "0 or more, or -1 for the whole context");
        return wanted < 0 ? contextTokens : Math.min(wanted, contextTokens);
    }

    private static SamplerOptions.Dry dry(Dry dry, int contextTokens) {
        SamplerOptions.Dry usual = SamplerOptions.Dry.OFF;
        return new SamplerOptions.Dry(
                dry.getMultiplier(),
                dry.getBase() == 0 ? usual.base() : dry.getBase(),
                dry.getAllowedLength() == 0 ? usual.allowedLength() : dry.getAllowedLength(),
                dry.getLastN() == 0 ? contextTokens : Math.min(dry.getLastN(), contextTokens),
                dry.getSequenceBreakersCount() == 0 ? usual.breakers() : dry.getSequenceBreakersList());
    }

    private static SamplerOptions.Mirostat mirostat(Mirostat mirostat) {
        return new SamplerOptions.Mirostat(
                mirostat.getVersion(),
                mirostat.getTau() == 0 ? 5 : mirostat.getTau(),
                mirostat.getEta() == 0 ? 0.1f : mirostat.getEta());
    }
}
