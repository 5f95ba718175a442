package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.requests.Text;
import dev.chasqui.proto.v1.ChatMessage;
import dev.chasqui.proto.v1.ContentPart;
import dev.chasqui.proto.v1.ToolCall;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a response was made of, as items: also what came before it in the conversation. No I/O, no clock. */
final class ResponseInputItems {
    static final int USUAL = 20;
    static final int MOST = 100;
    static final Set<String> ORDERS = Text.ordered("asc", "desc");

    /** @param json all of the item */
    private record Item(String id, byte[] json) {}

    private final String suffix;
    private final List<Item> items = new ArrayList<>();
    /** Of the item that is being written. */
    private String id = "";

    private ResponseInputItems(String suffix) {
        this.suffix = suffix;
    }

    /** The items of a response, oldest first; the same item has the same name whenever it is asked for. */
    static ResponseInputItems of(Response response) {
        ResponseInputItems items =
                new ResponseInputItems(response.id().substring(response.id().indexOf('_') + 1));
        response.conversation().forEach(items::add);
        return items;
    }

    private void add(ChatMessage message) {
        String role = message.getRole();
        if (role.equals("tool")) {
            JsonBytes out = begin("fc_output_", "function_call_output");
            out.raw(",\"call_id\":").string(message.getToolCallId()).raw(",\"output\":[");
            end(parts(out, message, "input_text").raw("],\"status\":\"completed\"}"));
            return;
        }
        if (!message.getReasoning().isEmpty()) {
            JsonBytes out = begin("rs_", "reasoning").raw(",\"summary\":[],\"content\":[{\"type\":\"reasoning_text\"");
            end(out.raw(",\"text\":").string(message.getReasoning()).raw("}],\"status\":\"completed\"}"));
        }
        if (message.getContentCount() > 0) {
            String type = role.equals("assistant") ? "output_text" : "input_text";
            JsonBytes out = begin("msg_", "message").raw(",\"role\":").string(role);
            end(parts(out.raw(",\"status\":\"completed\",\"content\":["), message, type)
                    .raw("]}"));
        }
        for (ToolCall call : message.getToolCallsList()) {
            JsonBytes out = begin("fc_", "function_call").raw(",\"call_id\":").string(call.getId());
            out.raw(",\"name\":").string(call.getName());
            end(out.raw(",\"arguments\":").string(call.getArguments()).raw(",\"status\":\"completed\"}"));
        }
    }

    private static JsonBytes parts(JsonBytes out, ChatMessage message, String type) {
        String comma = "";
        for (ContentPart part : message.getContentList()) {
            out.raw(comma).raw("{\"type\":\"").raw(type).raw("\",\"text\":").string(part.getText());
            out.raw(type.equals("output_text") ? ",\"annotations\":[],\"logprobs\":[]}" : "}");
            comma = ",";
        }
        return out;
    }

    private JsonBytes begin(String prefix, String type) {
        id = prefix + suffix + "_" + items.size();
        return new JsonBytes(256).raw("{\"id\":").string(id).raw(",\"type\":\"" + type + "\"");
    }

    private void end(JsonBytes out) {
        items.add(new Item(id, out.toArray()));
    }

    /**
     * A list of some of them.
     *
     * @param after the item that they come after in that order; null: from the first on
     */
    byte[] page(int limit, boolean oldestFirst, @Nullable String after) {
        List<Item> ordered = new ArrayList<>(items);
        if (!oldestFirst) {
            Collections.reverse(ordered);
        }
        int from = after == null ? 0 : 1 + place(ordered, after);
        List<Item> page = ordered.subList(from, Math.min(ordered.size(), from + limit));
        JsonBytes out = new JsonBytes(1024).raw("{\"object\":\"list\",\"data\":[");
        for (int i = 0; i < page.size(); i++) {
            out.raw(i == 0 ? "" : ",").raw(page.get(i).json());
        }
        nullable(out.raw("],\"first_id\":"), page.isEmpty() ? null : page.get(0));
        nullable(out.raw(",\"last_id\":"), page.isEmpty() ? null : page.get(page.size() - 1));
        boolean more = from + page.size() < ordered.size();
        return out.raw(",\"has_more\":").raw(more ? "true}" : "false}").toArray();
    }

    private static int place(List<Item> ordered, String id) {
        for (int i = 0; i < ordered.size(); i++) {
            if (ordered.get(i).id().equals(id)) {
                return i;
            }
        }
        throw RequestError.badValue("after", "an unknown name (expected: the id of one of the items)");
    }

    private static void nullable(JsonBytes out, @Nullable Item item) {
        if (item == null) {
            out.raw("null");
        } else {
            out.string(item.id());
        }
    }
}
