package dev.chasqui.node.grpc;

import dev.chasqui.llama.AnswerForm;
import dev.chasqui.llama.LlamaException;
import dev.chasqui.llama.Sampler;
import dev.chasqui.llama.SamplerOptions;
import dev.chasqui.node.engine.AdapterSet;
import dev.chasqui.node.engine.EngineStatus;
import dev.chasqui.node.engine.GenerationRequest;
import dev.chasqui.node.engine.TokenSampler;
import dev.chasqui.node.engine.TokenSink;
import dev.chasqui.node.model.LoadedModel;
import dev.chasqui.node.runner.LlamaRunner;
import dev.chasqui.proto.v1.AdapterUse;
import dev.chasqui.proto.v1.Limits;
import dev.chasqui.proto.v1.Logprobs;
import dev.chasqui.proto.v1.OutputFormat;
import dev.chasqui.proto.v1.Resume;
import dev.chasqui.proto.v1.Sampling;
import dev.chasqui.proto.v1.Scheduling;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * A request that is ready for the engine: tokens, sampling and limits, all checked.
 *
 * @param tokens the prompt
 * @param form of the answers to a chat; null for raw text
 * @param answerTool the tool whose call is the answer's text; empty: none
 * @param sampling as asked for
 * @param grammar that the text must match; empty: none but what {@code form} brings
 * @param grammarField where a grammar that restricts the answer comes from
 * @param stops what ends the answer
 * @param maxTokens most tokens of an answer
 * @param choices answers to give
 * @param logprobs -1: none, else how many alternatives
 * @param promptLogprobs the same of the prompt's own tokens
 * @param scheduling when it is served
 * @param adapters what it is computed with
 * @param seed of the first choice
 * @param resumed where the answers begin
 */
record PreparedPrompt(
        int[] tokens,
        @Nullable AnswerForm form,
        String answerTool,
        Sampling sampling,
        String grammar,
        String grammarField,
        List<String> stops,
        int maxTokens,
        int choices,
        int logprobs,
        int promptLogprobs,
        Scheduling scheduling,
        AdapterSet adapters,
        int seed,
        ResumedAnswers resumed) {
    private static final int MOST_CHOICES = 16;
    private static final int MOST_LOGPROBS = 20;
    private static final int MOST_STOPS = 16;
    private static final int MOST_STOP_BYTES = 1024;
    private static final int MOST_TIMEOUT_MS = 86_400_000;
    private static final int MOST_GRAMMAR_BYTES = 256 << 10;
    private static final String GRAMMAR = "output_format.grammar";
    static final String SCHEMA = "output_format.json_schema";

    static PreparedPrompt of(
            LoadedModel model,
            int[] tokens,
            @Nullable AnswerForm form,
            String answerTool,
            Sampling sampling,
            OutputFormat format,
            Limits limits,
            int choices,
            int logprobs,
            int promptLogprobs,
            Scheduling scheduling,
            List<AdapterUse> adapters,
            @Nullable Resume resume) {
        InvalidRequest.require(tokens.length > 0, "prompt", "0 tokens", "at least 1");
        int seed = sampling.hasSeed()
                ? sampling.getSeed()
                : ThreadLocalRandom.current().nextInt();
        return new PreparedPrompt(
                tokens,
                form,
                answerTool,
                sampling,
                form == null || format.hasGrammar() ? grammarOf(format) : "",
                format.hasGrammar() ? GRAMMAR : format.hasJsonSchema() ? SCHEMA : "tools",
                stops(model, form, limits),
                maxTokens(model, tokens.length, limits),
                Math.max(1, choices),
                logprobs,
                promptLogprobs,
                checked(scheduling),
                RequestedAdapters.of(adapters, model.adapters()),
                seed,
                resume == null
                        ? ResumedAnswers.NONE
                        : ResumedAnswers.of(resume, sampling, Math.max(1, choices), model));
    }

    private static Scheduling checked(Scheduling scheduling) {
        int priority = scheduling.getPriority();
        InvalidRequest.require(
                priority >= GenerationRequest.MOST_URGENT && priority <= GenerationRequest.LEAST_URGENT,
                "priority",
                priority,
                GenerationRequest.MOST_URGENT + " to " + GenerationRequest.LEAST_URGENT);
        int timeout = scheduling.getTimeoutMs();
        InvalidRequest.require(
                timeout >= 0 && timeout <= MOST_TIMEOUT_MS,
                "timeout_ms",
                Integer.toUnsignedString(timeout),
                "0 to " + MOST_TIMEOUT_MS);
        return scheduling;
    }

    /** How many alternatives to report. */
    static int logprobs(Logprobs wanted, String field) {
        int top = wanted.getTop();
        InvalidRequest.require(
                top >= 0 && top <= MOST_LOGPROBS, field, Integer.toUnsignedString(top), "0 to " + MOST_LOGPROBS);
        return top;
    }

    /** More choices than the engine has places would be refused as a full queue for ever. */
    static void checkChoices(int choices, EngineStatus engine) {
        int most = Math.min(MOST_CHOICES, engine.slots() + engine.queueCapacity());
        InvalidRequest.require(
                choices >= 0 && choices <= most, "choices", Integer.toUnsignedString(choices), "1 to " + most);
    }

    /**
     * The engine's request for one choice; the caller closes its sampler if the engine does not take it.
     *
     * @param arrivedNanos when the call came, on the system's ticker
     */
    GenerationRequest request(
            LoadedModel model, int choice, TokenSink sink, PreservedTokens preserved, long arrivedNanos) {
        int timeout = scheduling.getTimeoutMs();
        ResumedAnswers.Choice resume = resumed.choice(choice);
        SamplerOptions options = SamplingOptions.of(
                sampling,
                model.samplingDefaults(),
                seed + choice,
                model.engine().contextTokens(),
                form,
                grammar);
        return new GenerationRequest(
                tokens,
                resume.begun(),
                maxTokens,
                stops,
                preserved,
                sampler(model, options, resume),
                logprobs,
                promptLogprobs,
                scheduling.getPriority(),
                adapters,
                timeout == 0
                        ? GenerationRequest.NO_DEADLINE
                        : arrivedNanos - resume.begun().ageNanos() + timeout * 1_000_000L,
                sink);
    }

    private TokenSampler sampler(LoadedModel model, SamplerOptions options, ResumedAnswers.Choice resume) {
        Sampler sampler = newSampler(model, options);
        showPrompt(sampler, options);
        try {
            sampler.replay(resume.begun().tokens(), resume.learnt());
        } catch (LlamaException e) {
            sampler.close();
            throw e.reason() == LlamaException.Reason.INVALID_REQUEST
                    ? new InvalidRequest("resume.choices.token_ids", String.valueOf(e.getMessage()))
                    : e;
        }
        return LlamaRunner.sampler(sampler);
    }

    private void showPrompt(Sampler sampler, SamplerOptions options) {
        int seen = Math.max(
                options.penaltyLastN(),
                options.dry().multiplier() > 0 ? options.dry().lastN() : 0);
        boolean looksBack = options.repeatPenalty() != 1
                || options.frequencyPenalty() != 0
                || options.presencePenalty() != 0
                || options.dry().multiplier() > 0;
        for (int i = Math.max(0, tokens.length - seen); looksBack && i < tokens.length; i++) {
            sampler.accept(tokens[i]);
        }
    }

    /** A grammar that cannot be used is the fault of what it was made from. */
    private Sampler newSampler(LoadedModel model, SamplerOptions options) {
        try {
            return model.llama().newSampler(options);
        } catch (LlamaException e) {
            String why = String.valueOf(e.getMessage());
            if (e.reason() != LlamaException.Reason.INVALID_REQUEST || !why.startsWith("grammar: ")) {
                throw e;
            }
            throw new InvalidRequest(grammarField, why);
        }
    }

    private static int maxTokens(LoadedModel model, int promptTokens, Limits limits) {
        if (limits.getPromptOnly()) {
            return 0;
        }
        int room = Math.max(1, model.engine().contextTokens() - promptTokens);
        Integer usual = model.samplingDefaults().maxTokens();
        int wanted = limits.getMaxTokens();
        InvalidRequest.require(
                wanted >= 0, "max_tokens", Integer.toUnsignedString(wanted), "at most " + Integer.MAX_VALUE);
        if (wanted == 0) {
            return usual == null ? room : Math.min(usual, room);
        }
        return Math.min(wanted, room);
    }

    private static List<String> stops(LoadedModel model, @Nullable AnswerForm form, Limits limits) {
        InvalidRequest.require(
                limits.getStopCount() <= MOST_STOPS,
                "stop",
                limits.getStopCount() + " strings",
                "at most " + MOST_STOPS);
        for (String stop : limits.getStopList()) {
            int bytes = stop.getBytes(StandardCharsets.UTF_8).length;
            InvalidRequest.require(
                    bytes >= 1 && bytes <= MOST_STOP_BYTES,
                    "stop",
                    "a string of " + bytes + " bytes",
                    "1 to " + MOST_STOP_BYTES);
        }
        List<String> stops = new ArrayList<>(limits.getStopList());
        stops.addAll(model.stopSequences());
        if (form != null) {
            stops.addAll(form.additionalStops());
        }
        return stops;
    }

    /** The grammar of a form; empty: none. */
    static String grammarOf(OutputFormat format) {
        if (!format.hasJsonSchema()) {
            int bytes = format.getGrammarBytes().size();
            InvalidRequest.require(
                    bytes <= MOST_GRAMMAR_BYTES, GRAMMAR, bytes + " bytes", "at most " + MOST_GRAMMAR_BYTES);
            return format.getGrammar();
        }
        return AnswerSchema.exact(format.getJsonSchema(), SCHEMA).grammar();
    }
}
