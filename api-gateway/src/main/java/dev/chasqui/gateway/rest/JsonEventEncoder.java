package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.answers.AnswerEncoder;
import dev.chasqui.gateway.answers.JsonBytes;
import java.nio.charset.StandardCharsets;
import tools.jackson.databind.node.ObjectNode;

/** Writes events that are JSON already and not many: {@code data: {"type":"progress",…}}. */
final class JsonEventEncoder implements AnswerEncoder<ObjectNode> {
    private final JsonBytes out = new JsonBytes(256);

    @Override
    public JsonBytes encode(ObjectNode event) {
        out.clear();
        return out.raw("data: ")
                .raw(event.toString().getBytes(StandardCharsets.UTF_8))
                .raw("\n\n");
    }

    @Override
    public JsonBytes fail(Throwable failure) {
        out.clear();
        return error(out, failure);
    }

    /** The last event of a stream that failed. */
    static JsonBytes error(JsonBytes out, Throwable failure) {
        RestError error = RestError.of(failure);
        out.raw("data: {\"type\":\"error\",\"error\":").string(error.message());
        return out.raw(",\"code\":").string(error.code()).raw("}\n\n");
    }
}
