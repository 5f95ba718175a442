package dev.chasqui.gateway.anthropic;

import dev.chasqui.gateway.answers.CollectedAnswer;
import dev.chasqui.gateway.answers.JsonBytes;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Writes a message in one piece. No I/O, no clock. */
final class MessageBody {
    private MessageBody() {}

    static byte[] encode(String id, CollectedAnswer answer) {
        CollectedAnswer.Choice choice = answer.choices().get(0);
        JsonBytes out = new JsonBytes(1024);
        out.raw("{\"id\":").string(id).raw(",\"type\":\"message\",\"role\":\"assistant\",\"model\":");
        out.string(answer.model()).raw(",\"content\":[");
        content(out, choice);
        out.raw("],");
        MessageParts.stop(out, choice.reason(), choice.stop());
        MessageParts.usage(out.raw(",\"usage\":"), answer.usage());
        return out.raw("}").toArray();
    }

    private static void content(JsonBytes out, CollectedAnswer.Choice choice) {
        String comma = "";
        if (!choice.reasoning().isEmpty()) {
            out.raw("{\"type\":\"thinking\",\"thinking\":").string(choice.reasoning());
            MessageDigest thoughts = MessageParts.thoughts();
            thoughts.update(choice.reasoning().getBytes(StandardCharsets.UTF_8));
            out.raw(",\"signature\":\"").raw(MessageParts.signature(thoughts)).raw("\"}");
            comma = ",";
        }
        if (!choice.content().isEmpty()) {
            out.raw(comma)
                    .raw("{\"type\":\"text\",\"text\":")
                    .string(choice.content())
                    .raw("}");
            comma = ",";
        }
        for (CollectedAnswer.Call call : choice.calls()) {
            out.raw(comma).raw("{\"type\":\"tool_use\",\"id\":").string(call.id());
            out.raw(",\"name\":").string(call.name()).raw(",\"input\":");
            input(out, call.arguments()).raw("}");
            comma = ",";
        }
    }

    /** An object always; one that the model broke off goes as the text that there is. */
    private static JsonBytes input(JsonBytes out, String arguments) {
        if (arguments.isBlank()) {
            return out.raw("{}");
        }
        JsonNode object = null;
        try {
            object = JsonMapper.shared().readTree(arguments);
        } catch (JacksonException e) {
            // The model's own fault, and told as what it is.
        }
        return object != null && object.isObject()
                ? out.raw(object.toString().getBytes(StandardCharsets.UTF_8))
                : out.raw("{\"unfinished_json\":").string(arguments).raw("}");
    }
}
