package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.answers.AnswerEncoder;
import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.proto.v1.Delta;
import dev.chasqui.proto.v1.Finished;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.ToolCallDelta;
import java.nio.charset.StandardCharsets;

/**
 * Writes one streamed chat of the product's own interface: the node's events in, the bytes of server-sent events out.
 * Each is an object with a type: loading, start, token, reasoning, tool_call, done or error.
 */
final class ChatEncoder implements AnswerEncoder<GenerationEvent> {
    private static final byte[] TOKEN = "data: {\"type\":\"token\",\"content\":\"".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] END = "\"}\n\n".getBytes(StandardCharsets.US_ASCII);

    private final JsonBytes out = new JsonBytes(256);
    private Finished finished = Finished.getDefaultInstance();

    @Override
    public JsonBytes encode(GenerationEvent event) {
        out.clear();
        switch (event.getEventCase()) {
            case LOADING ->
                out.raw("data: {\"type\":\"loading\",\"model\":")
                        .string(event.getLoading().getModel())
                        .raw(",\"progress\":")
                        .number(event.getLoading().getProgress(), 2, 1)
                        .raw("}\n\n");
            case ADMITTED -> {
                out.raw("data: {\"type\":\"start\",\"model\":")
                        .string(event.getAdmitted().getModel());
                out.raw(",\"prompt_tokens\":")
                        .number(event.getAdmitted().getPromptTokens())
                        .raw("}\n\n");
            }
            case DELTA -> delta(event.getDelta());
            case FINISHED -> finished = event.getFinished();
            case COMPLETED -> {
                out.raw("data: {\"type\":\"done\",\"finish_reason\":").string(ChatBody.reason(finished.getReason()));
                ChatBody.usage(
                        out.raw(",\"usage\":"),
                        event.getCompleted().getUsage(),
                        event.getCompleted().getTimings());
                out.raw("}\n\n");
            }
            case PROGRESS, EVENT_NOT_SET -> {}
        }
        return out;
    }

    private void delta(Delta delta) {
        if (!delta.getReasoning().isEmpty()) {
            out.raw("data: {\"type\":\"reasoning\",\"content\":")
                    .string(delta.getReasoning())
                    .raw("}\n\n");
        }
        if (!delta.getContent().isEmpty()) {
            out.raw(TOKEN).escaped(delta.getContent()).raw(END);
        }
        for (ToolCallDelta call : delta.getToolCallsList()) {
            out.raw("data: {\"type\":\"tool_call\",\"index\":").number(call.getIndex());
            out.raw(",\"id\":").string(call.getId()).raw(",\"name\":").string(call.getName());
            out.raw(",\"arguments\":").string(call.getArguments()).raw("}\n\n");
        }
    }

    @Override
    public JsonBytes fail(Throwable failure) {
        out.clear();
        return JsonEventEncoder.error(out, failure);
    }
}
