package dev.chasqui.gateway.conversations;

import dev.chasqui.gateway.answers.Answers;
import dev.chasqui.gateway.requests.Fields;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.requests.Text;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Conversations as they leave and come back, in JSON. No I/O, no clock. */
public final class ConversationArchive {
    /** What an export calls itself. */
    public static final String FORMAT = "chasqui-conversations";

    /** Of one import. */
    public static final int MOST_CONVERSATIONS = 1_000;

    private static final int MOST_MESSAGES = 10_000;
    private static final int LONGEST_TITLE = 200;
    private static final Set<String> ROLES = Text.ordered("user", "assistant");

    private ConversationArchive() {}

    /** A conversation with all its branches. */
    public static ObjectNode write(MessageTree tree) {
        ObjectNode json = ConversationJson.of(tree.conversation());
        ArrayNode messages = json.putArray("messages");
        tree.messages().forEach(message -> messages.add(ConversationJson.of(message)));
        return json;
    }

    /**
     * Reads one conversation of an export, under new ids.
     *
     * @param settings checks the settings, and writes them as they are stored
     * @param now for times that it does not say
     * @throws RequestError where it is not as it must be
     */
    public static MessageTree read(String userId, Fields fields, SettingsReader settings, long now) {
        String id = Answers.id("conv_");
        Map<String, String> names = new HashMap<>();
        List<Message> messages = messages(fields, id, names, now);
        String title = fields.string("title");
        String by = fields.oneOf("title_by", Text.ordered("words", "model", "user"));
        String leaf = fields.string("current_message_id");
        String system = fields.string("system_prompt");
        String model = fields.string("model");
        String last =
                messages.isEmpty() ? "" : messages.get(messages.size() - 1).id();
        String cut = title == null ? "" : Text.storable(title).strip();
        Conversation conversation = new Conversation(
                id,
                userId,
                cut.length() > LONGEST_TITLE ? TitleWriter.words(cut) : cut,
                by == null ? Conversation.TitleBy.USER : Conversation.TitleBy.valueOf(by.toUpperCase(Locale.ROOT)),
                model == null ? "" : Text.storable(model),
                system == null ? "" : Text.storable(system),
                settings.read(fields),
                leaf == null ? last : names.getOrDefault(leaf, last),
                time(fields, "created_at", now),
                time(fields, "updated_at", now),
                0);
        return new MessageTree(conversation, messages);
    }

    /** Checks {@code settings} of a conversation. */
    @FunctionalInterface
    public interface SettingsReader {
        /** The settings as a JSON object. */
        String read(Fields conversation);
    }

    /** A message follows one that stands before it, so that no path ever turns in a circle. */
    private static List<Message> messages(Fields fields, String conversation, Map<String, String> names, long now) {
        List<Message> messages = new ArrayList<>();
        for (JsonNode node : fields.array("messages", MOST_MESSAGES)) {
            Fields one = Fields.of(node, fields.path("messages[" + messages.size() + "]"));
            String parent = one.string("parent_id");
            if (parent != null && !names.containsKey(parent)) {
                throw RequestError.badValue(one.path("parent_id"), "unknown (expected: the id of an earlier message)");
            }
            Message message = message(one, conversation, parent == null ? "" : names.get(parent), messages.size(), now);
            String old = one.string("id");
            if (old != null) {
                names.put(old, message.id());
            }
            messages.add(message);
        }
        return messages;
    }

    private static Message message(Fields fields, String conversation, @Nullable String parent, int before, long now) {
        String role = fields.oneOf("role", ROLES);
        if (role == null) {
            throw fields.bad("role", null, String.join(", ", ROLES));
        }
        String content = fields.string("content");
        if (content == null) {
            throw RequestError.badValue(fields.path("content"), "absent (expected: a string)");
        }
        Message question = Message.question(
                Answers.id("msg_"),
                conversation,
                parent == null ? "" : parent,
                before + 1,
                Text.storable(content),
                time(fields, "created_at", now));
        return role.equals("user") ? question : answer(fields, question, time(fields, "updated_at", now));
    }

    private static Message answer(Fields fields, Message like, long updated) {
        String reasoning = fields.string("reasoning");
        String model = fields.string("model");
        String status = fields.oneOf("status", Text.ordered("complete", "running", "stopped", "interrupted", "failed"));
        String reason = fields.oneOf("finish_reason", Text.ordered("stop", "length"));
        Message.Status end = status == null ? Message.Status.COMPLETE : Message.Status.of(status);
        return new Message(
                like.id(),
                like.conversationId(),
                like.parentId(),
                like.number(),
                "assistant",
                like.content(),
                reasoning == null ? "" : Text.storable(reasoning),
                end == Message.Status.RUNNING ? Message.Status.INTERRUPTED : end,
                "",
                model == null ? "" : Text.storable(model),
                reason == null ? "" : reason,
                "",
                tally(fields),
                Message.LeftOut.NOTHING,
                like.createdAt(),
                updated);
    }

    private static Message.Tally tally(Fields fields) {
        Fields usage = fields.object("usage");
        Fields timings = fields.object("timings");
        return new Message.Tally(
                (int) count(usage, "prompt_tokens"),
                (int) count(usage, "cached_tokens"),
                (int) count(usage, "completion_tokens"),
                count(timings, "first_token_ms"),
                count(timings, "prompt_ms"),
                count(timings, "completion_ms"),
                count(timings, "duration_ms"));
    }

    private static long count(@Nullable Fields fields, String name) {
        Long value = fields == null ? null : fields.integer(name, 0, Integer.MAX_VALUE);
        return value == null ? 0 : value;
    }

    private static long time(Fields fields, String name, long now) {
        String text = fields.string(name);
        if (text == null) {
            return now;
        }
        try {
            return Math.max(1, Math.min(now, Instant.parse(text).toEpochMilli()));
        } catch (DateTimeException | ArithmeticException e) {
            throw fields.bad(name, fields.any(name), "a time such as 2026-01-31T12:00:00Z");
        }
    }
}
