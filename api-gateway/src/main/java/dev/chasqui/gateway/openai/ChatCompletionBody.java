package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.answers.CollectedAnswer;
import dev.chasqui.gateway.answers.JsonBytes;
import java.util.List;

/** Writes an answer in one piece. No I/O, no clock. */
final class ChatCompletionBody {
    private ChatCompletionBody() {}

    /** @param reasoningField where it tells what the model thought */
    static byte[] encode(Heading heading, String reasoningField, CollectedAnswer answer) {
        JsonBytes out = heading.write(new JsonBytes(1024), "chat.completion", answer.model());
        for (int i = 0; i < answer.choices().size(); i++) {
            out.raw(i == 0 ? "" : ",").raw("{\"index\":").number(i).raw(",\"message\":");
            choice(out, reasoningField, answer.choices().get(i));
            out.raw("}");
        }
        out.raw("],\"usage\":");
        AnswerParts.usage(out, answer.usage());
        out.raw(",\"timings\":");
        AnswerParts.timings(out, answer.usage(), answer.timings());
        return out.raw("}").toArray();
    }

    private static void choice(JsonBytes out, String reasoningField, CollectedAnswer.Choice choice) {
        out.raw("{\"role\":\"assistant\",\"content\":");
        if (choice.content().isEmpty() && !choice.calls().isEmpty()) {
            out.raw("null");
        } else {
            out.string(choice.content());
        }
        out.raw(",\"refusal\":null");
        if (!choice.reasoning().isEmpty()) {
            out.raw(",\"").raw(reasoningField).raw("\":").string(choice.reasoning());
        }
        calls(out, choice.calls());
        out.raw("},\"logprobs\":");
        if (choice.logprobs().isEmpty()) {
            out.raw("null");
        } else {
            out.raw("{\"content\":[");
            AnswerParts.logprobs(out, choice.logprobs());
            out.raw("],\"refusal\":null}");
        }
        out.raw(",\"finish_reason\":").string(AnswerParts.finishReason(choice.reason()));
    }

    private static void calls(JsonBytes out, List<CollectedAnswer.Call> calls) {
        if (calls.isEmpty()) {
            return;
        }
        out.raw(",\"tool_calls\":[");
        for (int i = 0; i < calls.size(); i++) {
            CollectedAnswer.Call call = calls.get(i);
            out.raw(i == 0 ? "" : ",").raw("{\"id\":").string(call.id());
            out.raw(",\"type\":\"function\",\"function\":{\"name\":").string(call.name());
            out.raw(",\"arguments\":").string(call.arguments()).raw("}}");
        }
        out.raw("]");
    }
}
