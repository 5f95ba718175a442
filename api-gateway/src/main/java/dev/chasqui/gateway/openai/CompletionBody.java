package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.answers.CollectedAnswer;
import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.proto.v1.TokenLogprob;
import java.util.ArrayList;
import java.util.List;

/** Writes completions in one piece. No I/O, no clock. */
final class CompletionBody {
    private CompletionBody() {}

    /** @param echoes what each choice begins with */
    static byte[] encode(Heading heading, List<String> echoes, CollectedAnswer answer) {
        JsonBytes out = heading.write(new JsonBytes(1024), "text_completion", answer.model());
        for (int i = 0; i < answer.choices().size(); i++) {
            CollectedAnswer.Choice choice = answer.choices().get(i);
            out.raw(i == 0 ? "" : ",").raw("{\"index\":").number(i);
            out.raw(",\"text\":").string(echoes.get(i) + choice.content()).raw(",\"logprobs\":");
            List<TokenLogprob> tokens = new ArrayList<>(choice.promptLogprobs());
            tokens.addAll(choice.logprobs());
            if (tokens.isEmpty()) {
                out.raw("null");
            } else {
                CompletionParts.logprobs(out, tokens, CompletionParts.begin(echoes.get(i), choice.promptLogprobs()));
            }
            out.raw(",\"finish_reason\":").string(AnswerParts.finishReason(choice.reason()));
            out.raw("}");
        }
        out.raw("],\"usage\":");
        AnswerParts.usage(out, answer.usage());
        out.raw(",\"timings\":");
        AnswerParts.timings(out, answer.usage(), answer.timings());
        return out.raw("}").toArray();
    }
}
