package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.answers.AnswerEncoder;
import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.gateway.streams.StreamItem;

/**
 * Writes a durable stream. Each event has the position up to which the reader then knows everything as its id; text of
 * running answers has that of the event before it.
 */
final class StreamEncoder implements AnswerEncoder<StreamItem> {
    private final JsonBytes out = new JsonBytes(512);
    private long cursor;

    @Override
    public JsonBytes encode(StreamItem item) {
        out.clear();
        if (item instanceof StreamItem.Change change) {
            cursor = change.position();
            return id().raw("data: ").raw(change.json()).raw("\n\n");
        }
        if (item instanceof StreamItem.Piece piece) {
            return piece(piece);
        }
        if (item instanceof StreamItem.Hello hello) {
            cursor = hello.cursor();
            out.raw("retry: 1000\n");
            id().raw("data: {\"type\":\"hello\",\"user_id\":").string(hello.userId());
            return out.raw(",\"cursor\":").number(cursor).raw("}\n\n");
        }
        StreamItem.Reset reset = (StreamItem.Reset) item;
        cursor = reset.cursor();
        return id().raw("data: {\"type\":\"reset\",\"reason\":")
                .string(reset.reason())
                .raw("}\n\n");
    }

    private JsonBytes piece(StreamItem.Piece piece) {
        id().raw(piece.reasoning() ? "data: {\"type\":\"reasoning\"" : "data: {\"type\":\"token\"");
        out.raw(",\"conversation_id\":").string(piece.conversationId());
        out.raw(",\"message_id\":").string(piece.messageId());
        out.raw(",\"offset\":").number(piece.offset());
        return out.raw(",\"content\":").string(piece.text()).raw("}\n\n");
    }

    private JsonBytes id() {
        return out.raw("id: ").number(cursor).raw("\n");
    }

    @Override
    public JsonBytes fail(Throwable failure) {
        out.clear();
        return JsonEventEncoder.error(out, failure);
    }
}
