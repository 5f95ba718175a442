package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.conversations.Conversation;
import dev.chasqui.gateway.nodes.ModelNames;
import dev.chasqui.gateway.requests.ChatFields;
import dev.chasqui.gateway.requests.Fields;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.requests.Text;
import dev.chasqui.proto.v1.ChatMessage;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.ContentPart;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** What requests may say of stored conversations: titles, texts, and how to generate. */
final class ConversationFields {
    static final int LONGEST_TEXT = 1_000_000;
    private static final int LONGEST_TITLE = 200;
    private static final int LONGEST_MODEL = 200;
    private static final int LONGEST_SETTINGS = 100_000;
    /** What is no setting: where an answer belongs, and what makes no sense where answers are texts that are kept. */
    private static final Set<String> NO_SETTINGS = Text.ordered(
            "messages",
            "message",
            "content",
            "conversation_id",
            "parent_id",
            "message_id",
            "store",
            "model",
            "stream",
            "stream_options",
            "n",
            "tools",
            "tool_choice",
            "parallel_tool_calls",
            "functions",
            "function_call",
            "logprobs",
            "top_logprobs",
            "continue_final_message");

    private final ModelNames names;

    ConversationFields(ModelNames names) {
        this.names = names;
    }

    /** The request to a node, without messages but for the system prompt: what the body says goes before the settings. */
    ChatRequest template(Conversation conversation, JsonNode body) {
        ObjectNode chat = JsonNodeFactory.instance.objectNode();
        JsonNode stored = JsonMapper.shared().readTree(conversation.settings());
        stored.properties().forEach(setting -> chat.set(setting.getKey(), setting.getValue()));
        for (Map.Entry<String, JsonNode> field : body.properties()) {
            if (!NO_SETTINGS.contains(field.getKey()) && !field.getValue().isNull()) {
                chat.set(field.getKey(), field.getValue());
            }
        }
        chat.putArray("messages").addObject().put("role", "user").put("content", "");
        String model = Fields.of(body, "").string("model");
        chat.put("model", model == null ? conversation.model() : model);
        ChatRequest.Builder template =
                ChatFields.parse(Fields.of(chat, ""), names).toBuilder().clearMessages();
        if (!conversation.systemPrompt().isEmpty()) {
            template.addMessages(ChatMessage.newBuilder()
                    .setRole("system")
                    .addContent(ContentPart.newBuilder().setText(conversation.systemPrompt())));
        }
        return template.build();
    }

    /** A conversation as a request describes it; what is absent is as in {@code before}. */
    static Conversation.Draft draft(Fields fields, Conversation.Draft before) {
        String title = text(fields, "title", LONGEST_TITLE);
        String model = text(fields, "model", LONGEST_MODEL);
        String system = text(fields, "system_prompt", LONGEST_TEXT);
        if (title != null && title.isBlank() && before.title().isEmpty()) {
            title = null; // One without a title still gets one from its first words.
        }
        return new Conversation.Draft(
                title == null ? before.title() : title.strip(),
                title == null ? before.titleBy() : Conversation.TitleBy.USER,
                model == null ? before.model() : model,
                system == null ? before.systemPrompt() : system,
                fields.any("settings") == null ? before.settings() : settings(fields));
    }

    /** One that nothing is said about. */
    static Conversation.Draft blank() {
        return new Conversation.Draft("", Conversation.TitleBy.WORDS, "", "", "{}");
    }

    /** {@code settings}, checked as a chat's fields are; {@code {}} where it is absent. */
    static String settings(Fields fields) {
        Fields object = fields.object("settings");
        JsonNode settings = fields.any("settings");
        if (object == null || settings == null) {
            return "{}";
        }
        ObjectNode chat = JsonNodeFactory.instance.objectNode();
        for (Map.Entry<String, JsonNode> setting : settings.properties()) {
            if (NO_SETTINGS.contains(setting.getKey())) {
                throw RequestError.badValue(object.path(setting.getKey()), "no setting (expected: absent)");
            }
            chat.set(setting.getKey(), setting.getValue());
        }
        String stored = Text.storable(chat.toString());
        if (stored.length() > LONGEST_SETTINGS) {
            throw RequestError.badValue(
                    fields.path("settings"),
                    stored.length() + " characters (expected: at most " + LONGEST_SETTINGS + ")");
        }
        chat.putArray("messages").addObject().put("role", "user").put("content", "");
        ChatFields.parse(Fields.of(chat, ""), new ModelNames(List.of()));
        return stored;
    }

    /** The words of a question or of an edit. */
    static String content(Fields fields, String name) {
        JsonNode value = fields.any(name);
        if (value == null || !value.isString()) {
            throw RequestError.badValue(
                    fields.path(name), (value == null ? "absent" : Fields.kind(value)) + " (expected: a string)");
        }
        String text = value.stringValue();
        if (text.isBlank()) {
            throw RequestError.badValue(fields.path(name), "empty (expected: some text)");
        }
        return bounded(fields, name, text, LONGEST_TEXT);
    }

    private static @Nullable String text(Fields fields, String name, int longest) {
        JsonNode value = fields.any(name);
        if (value == null) {
            return null;
        }
        if (!value.isString()) {
            throw RequestError.badValue(fields.path(name), Fields.kind(value) + " (expected: a string)");
        }
        return bounded(fields, name, value.stringValue(), longest);
    }

    private static String bounded(Fields fields, String name, String text, int longest) {
        if (text.length() > longest) {
            throw RequestError.badValue(
                    fields.path(name), text.length() + " characters (expected: at most " + longest + ")");
        }
        return Text.storable(text);
    }
}
