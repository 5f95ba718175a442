package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.nodes.ModelNames;
import dev.chasqui.gateway.requests.AdapterFields;
import dev.chasqui.gateway.requests.Fields;
import dev.chasqui.gateway.requests.GenerationFields;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.requests.SamplingFields;
import dev.chasqui.proto.v1.GenerateRequest;
import dev.chasqui.proto.v1.Logprobs;
import dev.chasqui.proto.v1.OutputFormat;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/**
 * A request for completions, read once and in full: a call for each prompt, and how the answer shall be written.
 *
 * @param calls one for each prompt
 * @param echo whether each completion begins with its prompt, told with its own probabilities where those are asked for
 * @param stream whether the answer comes in pieces
 * @param includeUsage whether a stream ends with a chunk of token counts
 */
record CompletionRequest(List<GenerateRequest> calls, boolean echo, boolean stream, boolean includeUsage) {
    private static final int MOST_PROMPTS = 64;
    private static final int MOST_ANSWERS = 128;

    /** @throws RequestError where the request is not valid */
    static CompletionRequest parse(JsonNode body, ModelNames names) {
        Fields fields = Fields.of(body, "");
        List<Prompt> prompts = Prompt.parse(fields, "prompt", MOST_PROMPTS);
        GenerateRequest.Builder call = GenerateRequest.newBuilder();
        call.setModel(names.resolve(fields.string("model")));
        call.setSampling(SamplingFields.parse(fields));
        call.setLimits(GenerationFields.limits(fields, true));
        call.setScheduling(GenerationFields.scheduling(fields));
        call.addAllLora(AdapterFields.parse(fields));
        OutputFormat format = GenerationFields.outputFormat(fields);
        if (format != null) {
            call.setOutputFormat(format);
        }
        call.setChoices(GenerationFields.choices(fields));
        Long logprobs = fields.integer("logprobs", 0, 20);
        if (logprobs != null) {
            call.setLogprobs(Logprobs.newBuilder().setTop(logprobs.intValue()));
        }
        if (logprobs != null && fields.isTrue("echo")) {
            call.setPromptLogprobs(call.getLogprobs());
        }
        refuseWhatCannotBe(fields, call, prompts.size());
        Fields streamOptions = fields.object("stream_options");
        return new CompletionRequest(
                calls(call, prompts),
                fields.isTrue("echo"),
                fields.isTrue("stream"),
                streamOptions != null && streamOptions.isTrue("include_usage"));
    }

    private static List<GenerateRequest> calls(GenerateRequest.Builder call, List<Prompt> prompts) {
        List<GenerateRequest> calls = new ArrayList<>();
        for (Prompt prompt : prompts) {
            if (prompt.text() == null) {
                call.setTokens(prompt.tokens());
            } else {
                call.setText(prompt.text());
            }
            calls.add(call.build());
        }
        return calls;
    }

    private static void refuseWhatCannotBe(Fields fields, GenerateRequest.Builder call, int prompts) {
        String suffix = fields.string("suffix");
        if (suffix != null && !suffix.isEmpty()) {
            throw RequestError.badValue(
                    "suffix",
                    "a string of " + suffix.length() + " characters (expected: absent; text is continued at its end)");
        }
        Long best = fields.integer("best_of", 1, 20);
        if (best != null && best != call.getChoices()) {
            throw RequestError.badValue("best_of", best + " (expected: the same as n, " + call.getChoices() + ")");
        }
        if (prompts * call.getChoices() > MOST_ANSWERS) {
            throw RequestError.badValue(
                    "n",
                    call.getChoices() + " for each of " + prompts + " prompts (expected: at most " + MOST_ANSWERS
                            + " completions)");
        }
    }

    /** Whether prompts come with their own probabilities. */
    boolean tellsPrompts() {
        return calls.get(0).hasPromptLogprobs();
    }

    /** Completions of each prompt. */
    int choicesEach() {
        return calls.get(0).getChoices();
    }

    /** Completions of all prompts. */
    int choices() {
        return calls.size() * choicesEach();
    }
}
