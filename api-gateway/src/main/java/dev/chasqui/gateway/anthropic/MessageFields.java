package dev.chasqui.gateway.anthropic;

import dev.chasqui.gateway.requests.Fields;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.requests.Text;
import dev.chasqui.proto.v1.ChatMessage;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.ContentPart;
import dev.chasqui.proto.v1.ToolCall;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * The fields {@code system} and {@code messages}. What Anthropic writes as blocks of one message can be several messages
 * here: each result of a tool is one of its own.
 */
final class MessageFields {
    private static final int MOST_MESSAGES = 100_000;
    private static final int MOST_BLOCKS = 1_000;
    private static final String A_STRING_OR_BLOCKS = "a string or an array of blocks";
    private static final Set<String> ROLES = Text.ordered("user", "assistant", "system");

    private final ChatRequest.Builder chat;

    private MessageFields(ChatRequest.Builder chat) {
        this.chat = chat;
    }

    static void parse(Fields fields, ChatRequest.Builder chat) {
        MessageFields parser = new MessageFields(chat);
        parser.system(fields);
        List<JsonNode> messages = fields.array("messages", MOST_MESSAGES);
        if (messages.isEmpty()) {
            throw fields.bad("messages", fields.any("messages"), "an array of at least one message");
        }
        for (int i = 0; i < messages.size(); i++) {
            parser.message(Fields.of(messages.get(i), "messages[" + i + "]"));
        }
        ChatMessage last = chat.getMessages(chat.getMessagesCount() - 1);
        chat.setContinueLastMessage(last.getRole().equals("assistant") && last.getToolCallsCount() == 0);
    }

    private void system(Fields fields) {
        if (fields.any("system") != null) {
            ChatMessage.Builder message = ChatMessage.newBuilder().setRole("system");
            message.addAllContent(texts(fields, "system"));
            if (message.getContentCount() > 0) {
                chat.addMessages(message);
            }
        }
    }

    private void message(Fields fields) {
        String role = fields.oneOf("role", ROLES);
        if (role == null) {
            throw fields.bad("role", null, String.join(", ", ROLES));
        }
        JsonNode content = fields.any("content");
        if (content == null) {
            throw fields.bad("content", null, A_STRING_OR_BLOCKS);
        }
        if (!content.isArray() || role.equals("system")) {
            chat.addMessages(ChatMessage.newBuilder().setRole(role).addAllContent(texts(fields, "content")));
            return;
        }
        List<Fields> blocks = new ArrayList<>();
        for (JsonNode block : fields.array("content", MOST_BLOCKS)) {
            blocks.add(Fields.of(block, fields.path("content[" + blocks.size() + "]")));
        }
        if (role.equals("user")) {
            user(blocks);
        } else {
            assistant(blocks);
        }
    }

    private void user(List<Fields> blocks) {
        ChatMessage.Builder said = ChatMessage.newBuilder().setRole("user");
        if (blocks.isEmpty()) { // As an empty string: a turn without words is still a turn.
            chat.addMessages(said);
        }
        for (Fields block : blocks) {
            String type = block.requiredString("type");
            switch (type) {
                case "text" -> said.addContent(text(block));
                case "document", "search_result" -> said.addAllContent(source(block, type));
                case "tool_result" -> {
                    flush(said);
                    chat.addMessages(result(block));
                }
                default -> throw unsupported(block, "text, document, search_result or tool_result");
            }
        }
        flush(said);
    }

    private void flush(ChatMessage.Builder said) {
        if (said.getContentCount() > 0) {
            chat.addMessages(said);
            said.clearContent();
        }
    }

    private static ChatMessage result(Fields block) {
        ChatMessage.Builder message =
                ChatMessage.newBuilder().setRole("tool").setToolCallId(block.requiredString("tool_use_id"));
        if (block.isTrue("is_error")) {
            message.addContent(ContentPart.newBuilder().setText("Error: "));
        }
        if (block.any("content") != null) {
            message.addAllContent(texts(block, "content"));
        }
        return message.build();
    }

    private void assistant(List<Fields> blocks) {
        ChatMessage.Builder message = ChatMessage.newBuilder().setRole("assistant");
        StringBuilder thoughts = new StringBuilder();
        for (Fields block : blocks) {
            String type = block.requiredString("type");
            switch (type) {
                case "text" -> message.addContent(text(block));
                case "thinking" -> thoughts.append(required(block, "thinking"));
                case "redacted_thinking" -> {}
                case "tool_use" -> message.addToolCalls(call(block));
                default -> throw unsupported(block, "text, thinking or tool_use");
            }
        }
        chat.addMessages(message.setReasoning(thoughts.toString()));
    }

    private static ToolCall call(Fields block) {
        JsonNode input = block.any("input");
        if (input != null && !input.isObject()) {
            throw block.bad("input", input, "an object");
        }
        return ToolCall.newBuilder()
                .setId(block.requiredString("id"))
                .setName(block.requiredString("name"))
                .setArguments(input == null ? "{}" : input.toString())
                .build();
    }

    /** A field that is a text or an array of blocks of text. */
    private static List<ContentPart> texts(Fields fields, String name) {
        JsonNode value = fields.any(name);
        if (value != null && value.isString()) {
            return List.of(part(value.stringValue()));
        }
        if (value == null || !value.isArray()) {
            throw RequestError.badValue(
                    fields.path(name),
                    (value == null ? "absent" : Fields.kind(value)) + " (expected: " + A_STRING_OR_BLOCKS + ")");
        }
        List<ContentPart> parts = new ArrayList<>();
        int place = 0;
        for (JsonNode block : fields.array(name, MOST_BLOCKS)) {
            Fields one = Fields.of(block, fields.path(name + "[" + place++ + "]"));
            String type = one.requiredString("type");
            switch (type) {
                case "text" -> parts.add(text(one));
                case "document", "search_result" -> parts.addAll(source(one, type));
                default -> throw unsupported(one, "text, document or search_result");
            }
        }
        return parts;
    }

    /** A text that came from elsewhere, behind what it is called. */
    private static List<ContentPart> source(Fields block, String type) {
        List<ContentPart> parts = new ArrayList<>();
        for (String about : List.of("title", "context", "source")) {
            JsonNode text = block.any(about);
            if (text != null && text.isString()) {
                parts.add(part(text.stringValue()));
            }
        }
        if (type.equals("search_result")) {
            parts.addAll(texts(block, "content"));
            return parts;
        }
        Fields source = block.object("source");
        if (source == null) {
            throw block.bad("source", null, "an object");
        }
        switch (source.requiredString("type")) {
            case "text" -> parts.add(part(required(source, "data")));
            case "content" -> parts.addAll(texts(source, "content"));
            default ->
                throw source.bad("type", source.any("type"), "text or content; other documents are not supported");
        }
        return parts;
    }

    private static RequestError unsupported(Fields block, String expected) {
        return block.bad("type", block.any("type"), expected + "; other kinds of content are not supported");
    }

    private static ContentPart text(Fields block) {
        return part(required(block, "text"));
    }

    private static String required(Fields block, String name) {
        @Nullable JsonNode text = block.any(name);
        if (text == null || !text.isString()) {
            throw RequestError.badValue(
                    block.path(name), (text == null ? "absent" : Fields.kind(text)) + " (expected: a string)");
        }
        return Text.whole(text.stringValue());
    }

    private static ContentPart part(String text) {
        return ContentPart.newBuilder().setText(Text.whole(text)).build();
    }
}
