package dev.chasqui.gateway.conversations;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Conversations and messages as JSON: the same in answers and in events. No I/O, no clock. */
public final class ConversationJson {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private ConversationJson() {}

    /** A conversation without its messages. */
    public static ObjectNode of(Conversation conversation) {
        ObjectNode json = JSON.objectNode().put("id", conversation.id());
        json.put("title", conversation.title()).put("title_by", ConversationTable.word(conversation.titleBy()));
        json.put("model", conversation.model()).put("system_prompt", conversation.systemPrompt());
        json.set("settings", settings(conversation));
        json.put("current_message_id", absent(conversation.currentMessage()));
        json.put("created_at", time(conversation.createdAt())).put("updated_at", time(conversation.updatedAt()));
        return json.put("deleted_at", conversation.deletedAt() == 0 ? null : time(conversation.deletedAt()));
    }

    /** A message, with the text that it has. */
    public static ObjectNode of(Message message) {
        ObjectNode json = JSON.objectNode().put("id", message.id()).put("conversation_id", message.conversationId());
        json.put("parent_id", absent(message.parentId())).put("role", message.role());
        json.put("content", message.content());
        if (!message.isUser()) {
            answer(json, message);
        }
        json.put("status", message.status().word());
        return json.put("created_at", time(message.createdAt())).put("updated_at", time(message.updatedAt()));
    }

    private static void answer(ObjectNode json, Message message) {
        json.put("reasoning", message.reasoning()).put("model", message.model());
        json.put("finish_reason", absent(message.finishReason())).put("error", absent(message.error()));
        Message.Tally tally = message.tally();
        json.putObject("usage")
                .put("prompt_tokens", tally.promptTokens())
                .put("cached_tokens", tally.cachedTokens())
                .put("completion_tokens", tally.completionTokens())
                .put("total_tokens", tally.promptTokens() + tally.completionTokens());
        json.putObject("timings")
                .put("first_token_ms", tally.firstTokenMs())
                .put("prompt_ms", tally.promptMs())
                .put("completion_ms", tally.completionMs())
                .put("duration_ms", tally.durationMs());
        json.set("left_out", of(message.leftOut()));
    }

    /** What the model was not given; null where it was given everything. */
    public static JsonNode of(Message.LeftOut leftOut) {
        return leftOut.messages() == 0
                ? JSON.nullNode()
                : JSON.objectNode().put("messages", leftOut.messages()).put("by", leftOut.by());
    }

    static ObjectNode settings(Conversation conversation) {
        return (ObjectNode) JsonMapper.shared().readTree(conversation.settings());
    }

    /** The event of a conversation that is new or has changed. */
    static byte[] event(Conversation conversation) {
        return bytes(JSON.objectNode().put("type", "conversation").set("conversation", of(conversation)));
    }

    /** The event of a message that is new or has ended. */
    static byte[] event(Message message) {
        return bytes(JSON.objectNode().put("type", "message").set("message", of(message)));
    }

    /** The event of a conversation that is no more. */
    static byte[] gone(String conversationId) {
        return bytes(JSON.objectNode().put("type", "gone").put("conversation_id", conversationId));
    }

    private static byte[] bytes(ObjectNode json) {
        return json.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static @Nullable String absent(String text) {
        return text.isEmpty() ? null : text;
    }

    static String time(long millis) {
        return Instant.ofEpochMilli(millis).toString();
    }
}
