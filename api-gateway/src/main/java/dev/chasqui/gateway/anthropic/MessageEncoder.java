package dev.chasqui.gateway.anthropic;

import dev.chasqui.gateway.answers.AnswerEncoder;
import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.proto.v1.Admitted;
import dev.chasqui.proto.v1.Completed;
import dev.chasqui.proto.v1.Delta;
import dev.chasqui.proto.v1.Finished;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.ToolCallDelta;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;

/**
 * Writes one streamed message: the node's events in, the bytes of Anthropic's events out.
 *
 * <p>A message is a row of blocks, of which one is open at a time: what the model thinks, what it says, and each call of
 * a tool. A delta of another kind than the open block closes it and opens the next.
 */
final class MessageEncoder implements AnswerEncoder<GenerationEvent> {
    private static final byte[] PING = bytes("event: ping\ndata: {\"type\":\"ping\"}\n\n");
    private static final byte[] TEXT_END = bytes("\"}}\n\n");

    private enum Block {
        NONE,
        THINKING,
        TEXT,
        TOOL
    }

    private final String id;
    private final String requestId;
    private final JsonBytes out = new JsonBytes(512);

    private Block open = Block.NONE;
    /** Of the block that is open, or was last. */
    private int index = -1;
    /** Of the open block's call in the node's counting. */
    private int call;
    /** What the model thinks in the open block. */
    private final MessageDigest thoughts = MessageParts.thoughts();
    /** Up to the text of a delta of the open block. */
    private byte[] deltaHead = new byte[0];

    private Finished finished = Finished.getDefaultInstance();

    /**
     * @param id of the message
     * @param requestId told where it fails
     */
    MessageEncoder(String id, String requestId) {
        this.id = id;
        this.requestId = requestId;
    }

    @Override
    public JsonBytes encode(GenerationEvent event) {
        out.clear();
        switch (event.getEventCase()) {
            case DELTA -> delta(event.getDelta());
            case ADMITTED -> admitted(event.getAdmitted());
            case FINISHED -> finished = event.getFinished();
            case COMPLETED -> completed(event.getCompleted());
            case PROGRESS, EVENT_NOT_SET -> {}
        }
        return out;
    }

    @Override
    public JsonBytes fail(Throwable failure) {
        out.clear();
        return out.raw("event: error\ndata: ")
                .raw(AnthropicError.of(failure).body(requestId))
                .raw("\n\n");
    }

    @Override
    public byte[] ping() {
        return PING;
    }

    private void admitted(Admitted admitted) {
        begin("message_start").raw(",\"message\":{\"id\":").string(id);
        out.raw(",\"type\":\"message\",\"role\":\"assistant\",\"model\":").string(admitted.getModel());
        out.raw(",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":")
                .number(admitted.getPromptTokens());
        out.raw(",\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":0,\"output_tokens\":0}}}\n\n");
    }

    private void delta(Delta piece) {
        if (!piece.getReasoning().isEmpty()) {
            if (open != Block.THINKING) {
                open(Block.THINKING, "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}");
            }
            thoughts.update(piece.getReasoning().getBytes(StandardCharsets.UTF_8));
            text(piece.getReasoning());
        }
        if (!piece.getContent().isEmpty()) {
            if (open != Block.TEXT) {
                open(Block.TEXT, "{\"type\":\"text\",\"text\":\"\"}");
            }
            text(piece.getContent());
        }
        for (ToolCallDelta part : piece.getToolCallsList()) {
            tool(part);
        }
    }

    private void text(String more) {
        out.raw(deltaHead).escaped(more).raw(TEXT_END);
    }

    private void tool(ToolCallDelta part) {
        if (open != Block.TOOL || part.getIndex() != call) {
            call = part.getIndex();
            JsonBytes block =
                    new JsonBytes(128).raw("{\"type\":\"tool_use\",\"id\":").string(part.getId());
            block.raw(",\"name\":").string(part.getName()).raw(",\"input\":{}}");
            open(Block.TOOL, new String(block.toArray(), StandardCharsets.UTF_8));
        }
        if (!part.getArguments().isEmpty()) {
            text(part.getArguments());
        }
    }

    private void open(Block next, String block) {
        close();
        open = next;
        index++;
        begin("content_block_start").raw(",\"index\":").number(index).raw(",\"content_block\":");
        out.raw(bytes(block)).raw("}\n\n");
        String delta = switch (next) {
            case THINKING -> "{\"type\":\"thinking_delta\",\"thinking\":\"";
            case TOOL -> "{\"type\":\"input_json_delta\",\"partial_json\":\"";
            case TEXT, NONE -> "{\"type\":\"text_delta\",\"text\":\"";
        };
        deltaHead = deltaHead(delta);
    }

    private byte[] deltaHead(String delta) {
        return bytes("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":" + index
                + ",\"delta\":" + delta);
    }

    private void close() {
        if (open == Block.NONE) {
            return;
        }
        if (open == Block.THINKING) {
            out.raw(deltaHead("{\"type\":\"signature_delta\",\"signature\":\""))
                    .raw(MessageParts.signature(thoughts))
                    .raw(TEXT_END);
        }
        begin("content_block_stop").raw(",\"index\":").number(index).raw("}\n\n");
        open = Block.NONE;
    }

    private void completed(Completed completed) {
        close();
        begin("message_delta").raw(",\"delta\":{");
        MessageParts.stop(out, finished.getReason(), finished.getStop());
        MessageParts.usage(out.raw("},\"usage\":"), completed.getUsage());
        out.raw("}\n\n");
        begin("message_stop").raw("}\n\n");
    }

    private JsonBytes begin(String type) {
        return out.raw("event: ")
                .raw(type)
                .raw("\ndata: {\"type\":\"")
                .raw(type)
                .raw("\"");
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
