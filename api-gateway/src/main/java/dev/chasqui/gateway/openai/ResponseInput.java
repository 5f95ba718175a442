package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.requests.Fields;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.requests.Text;
import dev.chasqui.proto.v1.ChatMessage;
import dev.chasqui.proto.v1.ContentPart;
import dev.chasqui.proto.v1.ToolCall;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * The field {@code input}: a text, or items. What a response writes as several items (thoughts, a text, calls of tools)
 * is one message of the assistant.
 */
final class ResponseInput {
    private static final int MOST_ITEMS = 100_000;
    private static final int MOST_PARTS = 1_000;
    private static final Set<String> ROLES = Text.ordered("user", "assistant", "system", "developer");
    private static final Set<String> TEXTS = Set.of("input_text", "output_text", "text", "reasoning_text");

    private final List<ChatMessage> messages = new ArrayList<>();
    /** What the assistant said, as far as it is known. */
    private ChatMessage.@Nullable Builder assistant;

    private final Function<String, @Nullable ResponseItem> known;

    private ResponseInput(Function<String, @Nullable ResponseItem> known) {
        this.known = known;
    }

    /** @param known finds an item that this server wrote, by its name */
    static List<ChatMessage> parse(Fields fields, Function<String, @Nullable ResponseItem> known) {
        JsonNode input = fields.any("input");
        if (input != null && input.isString()) {
            return List.of(ChatMessage.newBuilder()
                    .setRole("user")
                    .addContent(part(input.stringValue()))
                    .build());
        }
        if (input == null || !input.isArray() || input.isEmpty()) {
            throw RequestError.badValue(
                    "input",
                    (input == null ? "absent" : Fields.kind(input)) + " (expected: a string or an array of items)");
        }
        ResponseInput parser = new ResponseInput(known);
        List<JsonNode> items = fields.array("input", MOST_ITEMS);
        for (int i = 0; i < items.size(); i++) {
            parser.item(Fields.of(items.get(i), "input[" + i + "]"));
        }
        parser.flush();
        return parser.messages;
    }

    private void item(Fields item) {
        String type = item.string("type");
        switch (type == null ? "message" : type) {
            case "message" -> message(item);
            case "function_call" -> assistant().addToolCalls(call(item));
            case "function_call_output" -> {
                flush();
                messages.add(ChatMessage.newBuilder()
                        .setRole("tool")
                        .setToolCallId(item.requiredString("call_id"))
                        .addAllContent(texts(item, "output"))
                        .build());
            }
            case "reasoning" -> {
                flush();
                assistant().setReasoning(thoughts(item));
            }
            case "item_reference" -> reference(item);
            default ->
                throw item.bad(
                        "type",
                        item.any("type"),
                        "message, function_call, function_call_output, reasoning or item_reference");
        }
    }

    /** Instead of what this server wrote before, its name. */
    private void reference(Fields reference) {
        ResponseItem item = known.apply(reference.requiredString("id"));
        if (item == null) {
            throw reference.bad("id", reference.any("id"), "the name of an item of a stored response");
        }
        switch (item.kind) {
            case REASONING -> {
                flush();
                assistant().setReasoning(item.text());
            }
            case MESSAGE -> said(List.of(part(item.text())));
            case CALL ->
                assistant()
                        .addToolCalls(ToolCall.newBuilder()
                                .setId(item.callId())
                                .setName(item.name())
                                .setArguments(item.text()));
        }
    }

    private void message(Fields item) {
        String role = item.oneOf("role", ROLES);
        if (role == null) {
            throw item.bad("role", null, String.join(", ", ROLES));
        }
        List<ContentPart> content = texts(item, "content");
        if (!role.equals("assistant")) {
            flush();
            messages.add(ChatMessage.newBuilder()
                    .setRole(role)
                    .addAllContent(content)
                    .build());
            return;
        }
        said(content);
    }

    private void said(List<ContentPart> content) {
        if (assistant().getContentCount() > 0 || assistant().getToolCallsCount() > 0) {
            flush();
        }
        assistant().addAllContent(content);
    }

    private static ToolCall call(Fields item) {
        String arguments = item.string("arguments");
        return ToolCall.newBuilder()
                .setId(item.requiredString("call_id"))
                .setName(item.requiredString("name"))
                .setArguments(arguments == null ? "{}" : Text.whole(arguments))
                .build();
    }

    private static String thoughts(Fields item) {
        StringBuilder text = new StringBuilder();
        String from = item.any("content") == null ? "summary" : "content";
        for (JsonNode part : item.array(from, MOST_PARTS)) {
            JsonNode one = part.get("text");
            text.append(one == null || !one.isString() ? "" : one.stringValue());
        }
        return Text.whole(text.toString());
    }

    private ChatMessage.Builder assistant() {
        if (assistant == null) {
            assistant = ChatMessage.newBuilder().setRole("assistant");
        }
        return assistant;
    }

    private void flush() {
        if (assistant != null) {
            messages.add(assistant.build());
            assistant = null;
        }
    }

    /** A field that is a text or an array of parts of text. */
    private static List<ContentPart> texts(Fields item, String name) {
        JsonNode value = item.any(name);
        if (value != null && value.isString()) {
            return List.of(part(value.stringValue()));
        }
        if (value == null || !value.isArray()) {
            throw RequestError.badValue(
                    item.path(name),
                    (value == null ? "absent" : Fields.kind(value)) + " (expected: a string or an array of parts)");
        }
        List<ContentPart> parts = new ArrayList<>();
        for (JsonNode element : item.array(name, MOST_PARTS)) {
            Fields one = Fields.of(element, item.path(name + "[" + parts.size() + "]"));
            String type = one.requiredString("type");
            String field = type.equals("refusal") ? "refusal" : "text";
            if (!TEXTS.contains(type) && !type.equals("refusal")) {
                throw one.bad("type", one.any("type"), "input_text; other kinds of content are not supported");
            }
            JsonNode text = one.any(field);
            if (text == null || !text.isString()) {
                throw RequestError.badValue(
                        one.path(field), (text == null ? "absent" : Fields.kind(text)) + " (expected: a string)");
            }
            parts.add(part(text.stringValue()));
        }
        return parts;
    }

    private static ContentPart part(String text) {
        return ContentPart.newBuilder().setText(Text.whole(text)).build();
    }
}
