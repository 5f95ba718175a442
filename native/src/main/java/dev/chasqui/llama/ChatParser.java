package dev.chasqui.llama;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Parses one answer into content, reasoning and tool calls while it grows. Each push parses the whole answer again, so push
 * several tokens at once in long answers. For one thread at a time.
 */
public final class ChatParser implements AutoCloseable {
    private final ExclusiveHandle handle;

    /** Starts on an answer of this form. */
    public ChatParser(AnswerForm form) {
        byte[] json = Shim.utf8(form.json());
        long[] error = new long[1];
        long address = Shim.cq_parser_new(json, json.length, error);
        if (address == 0) {
            throw Shim.failure(error);
        }
        handle = new ExclusiveHandle("parser", address);
    }

    /**
     * Adds text and tells what became certain by it. A character cut at the end of {@code text} waits for its other bytes.
     *
     * @param last the answer is complete
     * @throws LlamaException PARSE when the text does not follow the template's form
     */
    public List<ChatDelta> push(byte[] text, boolean last) {
        long[] error = new long[1];
        String result;
        long address = handle.enter();
        try {
            result = Shim.takeText(Shim.cq_parser_push(address, text, text.length, last ? 1 : 0, error), error);
        } finally {
            handle.exit();
        }
        List<ChatDelta> deltas = new ArrayList<>();
        for (JsonNode delta : Json.parse(result)) {
            deltas.add(new ChatDelta(
                    text(delta, "content"),
                    text(delta, "reasoning"),
                    delta.has("index") ? delta.get("index").asInt() : -1,
                    text(delta, "id"),
                    text(delta, "name"),
                    text(delta, "arguments")));
        }
        return deltas;
    }

    private static @Nullable String text(JsonNode delta, String field) {
        JsonNode value = delta.get(field);
        return value == null ? null : value.asString();
    }

    @Override
    public void close() {
        if (handle.close()) {
            Shim.cq_parser_free(handle.address());
        }
    }
}
