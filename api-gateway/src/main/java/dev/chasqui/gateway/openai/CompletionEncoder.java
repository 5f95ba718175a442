package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.answers.AnswerEncoder;
import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.proto.v1.Completed;
import dev.chasqui.proto.v1.Delta;
import dev.chasqui.proto.v1.Finished;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.TokenLogprob;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Writes one streamed completion: the node's events in, the bytes of OpenAI's chunks out. */
final class CompletionEncoder implements AnswerEncoder<GenerationEvent> {
    private final Heading heading;
    private final List<String> echoes;
    private final boolean promptLogprobs;
    private final boolean includeUsage;
    /** Of choices that have not begun, where they begin with their prompts' probabilities. */
    private final Map<Integer, List<TokenLogprob>> prompts = new HashMap<>();

    private final int[] offsets;
    private final JsonBytes out = new JsonBytes(512);
    private byte[] head = new byte[0];
    private final byte[] tail;

    /**
     * @param echoes what each choice begins with
     * @param promptLogprobs whether it comes with the prompt's probabilities
     * @param includeUsage whether a chunk of token counts ends the stream
     */
    CompletionEncoder(Heading heading, List<String> echoes, boolean promptLogprobs, boolean includeUsage) {
        this.heading = heading;
        this.echoes = echoes;
        this.promptLogprobs = promptLogprobs;
        this.includeUsage = includeUsage;
        offsets = echoes.stream()
                .mapToInt(echo -> echo.codePointCount(0, echo.length()))
                .toArray();
        tail = ("}]" + (includeUsage ? ",\"usage\":null" : "") + "}\n\n").getBytes(StandardCharsets.US_ASCII);
    }

    @Override
    public JsonBytes encode(GenerationEvent event) {
        out.clear();
        switch (event.getEventCase()) {
            case ADMITTED -> admitted(event.getAdmitted().getModel());
            case DELTA -> delta(event.getDelta());
            case FINISHED -> finished(event.getFinished());
            case COMPLETED -> completed(event.getCompleted());
            case PROGRESS, EVENT_NOT_SET -> {}
        }
        return out;
    }

    @Override
    public JsonBytes fail(Throwable failure) {
        out.clear();
        return out.raw("data: ").raw(OpenAiError.of(failure).body()).raw("\n\n");
    }

    private void admitted(String model) {
        head = heading.write(new JsonBytes(256).raw("data: "), "text_completion", model)
                .toArray();
        for (int i = 0; i < echoes.size() && !promptLogprobs; i++) {
            if (!echoes.get(i).isEmpty()) {
                text(i, echoes.get(i))
                        .raw(",\"logprobs\":null,\"finish_reason\":null")
                        .raw(tail);
            }
        }
    }

    private void delta(Delta piece) {
        if (piece.getPromptLogprobsCount() > 0) {
            prompts.computeIfAbsent(piece.getChoice(), choice -> new ArrayList<>())
                    .addAll(piece.getPromptLogprobsList());
            return;
        }
        prompt(piece.getChoice());
        if (piece.getContent().isEmpty() && piece.getLogprobsCount() == 0) {
            return;
        }
        int choice = piece.getChoice();
        text(choice, piece.getContent()).raw(",\"logprobs\":");
        if (piece.getLogprobsCount() == 0) {
            out.raw("null");
        } else {
            offsets[choice] = CompletionParts.logprobs(out, piece.getLogprobsList(), offsets[choice]);
        }
        out.raw(",\"finish_reason\":null").raw(tail);
    }

    /** The choice's prompt, once all of it is known. */
    private void prompt(int choice) {
        List<TokenLogprob> tokens = prompts.remove(choice);
        if (tokens != null) {
            String echo = echoes.get(choice);
            text(choice, echo).raw(",\"logprobs\":");
            CompletionParts.logprobs(out, tokens, CompletionParts.begin(echo, tokens));
            out.raw(",\"finish_reason\":null").raw(tail);
        }
    }

    private void finished(Finished finished) {
        prompt(finished.getChoice());
        text(finished.getChoice(), "").raw(",\"logprobs\":null,\"finish_reason\":");
        out.string(AnswerParts.finishReason(finished.getReason())).raw(tail);
    }

    private JsonBytes text(int choice, String text) {
        return out.raw(head).raw("{\"index\":").number(choice).raw(",\"text\":").string(text);
    }

    private void completed(Completed completed) {
        if (includeUsage) {
            out.raw(head).raw("],\"usage\":");
            AnswerParts.usage(out, completed.getUsage());
            out.raw(",\"timings\":");
            AnswerParts.timings(out, completed.getUsage(), completed.getTimings());
            out.raw("}\n\n");
        }
        out.raw("data: [DONE]\n\n");
    }
}
