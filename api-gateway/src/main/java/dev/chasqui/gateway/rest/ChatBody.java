package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.answers.CollectedAnswer;
import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.proto.v1.FinishReason;
import dev.chasqui.proto.v1.Timings;
import dev.chasqui.proto.v1.Usage;

/** Writes a chat of the product's own interface in one piece. No I/O, no clock. */
final class ChatBody {
    private static final double MOST_MS = 1e12;

    private ChatBody() {}

    static byte[] encode(CollectedAnswer answer) {
        CollectedAnswer.Choice choice = answer.choices().get(0);
        JsonBytes out = new JsonBytes(512);
        out.raw("{\"success\":true,\"data\":{\"model\":").string(answer.model());
        out.raw(",\"message\":{\"role\":\"assistant\",\"content\":").string(choice.content());
        if (!choice.reasoning().isEmpty()) {
            out.raw(",\"reasoning_content\":").string(choice.reasoning());
        }
        if (!choice.calls().isEmpty()) {
            calls(out, choice);
        }
        out.raw("},\"finish_reason\":").string(reason(choice.reason()));
        usage(out.raw(",\"usage\":"), answer.usage(), answer.timings());
        return out.raw("}}").toArray();
    }

    private static void calls(JsonBytes out, CollectedAnswer.Choice choice) {
        String comma = ",\"tool_calls\":[";
        for (CollectedAnswer.Call call : choice.calls()) {
            out.raw(comma).raw("{\"id\":").string(call.id());
            out.raw(",\"type\":\"function\",\"function\":{\"name\":").string(call.name());
            out.raw(",\"arguments\":").string(call.arguments()).raw("}}");
            comma = ",";
        }
        out.raw("]");
    }

    static String reason(FinishReason reason) {
        return switch (reason) {
            case FINISH_REASON_LENGTH -> "length";
            case FINISH_REASON_TOOL_CALLS -> "tool_calls";
            case FINISH_REASON_STOP, FINISH_REASON_UNSPECIFIED, UNRECOGNIZED -> "stop";
        };
    }

    static void usage(JsonBytes out, Usage usage, Timings timings) {
        int prompt = usage.getPromptTokens();
        int completion = usage.getCompletionTokens();
        out.raw("{\"prompt_tokens\":").number(prompt);
        out.raw(",\"cached_tokens\":").number(usage.getCachedTokens());
        out.raw(",\"completion_tokens\":").number(completion);
        out.raw(",\"total_tokens\":").number(prompt + completion);
        out.raw(",\"prompt_ms\":").number(timings.getPromptMs(), 3, MOST_MS);
        out.raw(",\"completion_ms\":").number(timings.getDecodeMs(), 3, MOST_MS).raw("}");
    }
}
