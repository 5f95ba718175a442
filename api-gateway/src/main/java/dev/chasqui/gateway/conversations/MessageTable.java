package dev.chasqui.gateway.conversations;

import dev.chasqui.gateway.storage.Transaction;
import io.r2dbc.spi.Row;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** The messages in the database. */
final class MessageTable {
    private static final String COLUMNS =
            "m.id, m.conversation_id, m.parent_id, m.number, m.role, m.content, m.reasoning,"
                    + " m.status, m.owner, m.model, m.finish_reason, m.error, m.prompt_tokens, m.cached_tokens,"
                    + " m.completion_tokens, m.first_token_ms, m.prompt_ms, m.completion_ms, m.duration_ms, m.history_from,"
                    + " m.left_out, m.left_out_by, m.created_at, m.updated_at";

    private MessageTable() {}

    /** All of a conversation, in their order. */
    static Flux<Message> of(Transaction transaction, String conversationId) {
        return transaction.rows(
                "SELECT " + COLUMNS + " FROM messages m WHERE m.conversation_id = $1 ORDER BY m.number",
                MessageTable::read,
                conversationId);
    }

    static Mono<Message> find(Transaction transaction, String userId, String id) {
        return transaction
                .rows(
                        "SELECT " + COLUMNS + " FROM messages m JOIN conversations c ON c.id = m.conversation_id"
                                + " WHERE m.id = $1 AND c.user_id = $2 AND c.deleted_at = 0",
                        MessageTable::read,
                        id,
                        userId)
                .next();
    }

    /** The first message of a conversation that has the pattern in it. */
    static Mono<Message> matching(Transaction transaction, String conversationId, String like) {
        return transaction
                .rows(
                        "SELECT " + COLUMNS + " FROM messages m WHERE m.conversation_id = $1"
                                + " AND m.content ILIKE $2 ESCAPE '!' ORDER BY m.number LIMIT 1",
                        MessageTable::read,
                        conversationId,
                        like)
                .next();
    }

    /** A number for the next message. */
    static Mono<Long> nextNumber(Transaction transaction, String conversationId) {
        return transaction
                .rows(
                        "SELECT COALESCE(MAX(number), 0) + 1 FROM messages WHERE conversation_id = $1",
                        row -> row.get(0, Long.class),
                        conversationId)
                .next();
    }

    static Mono<Long> insert(Transaction transaction, Message m) {
        return transaction.update(
                "INSERT INTO messages (id, conversation_id, parent_id, number, role, content, reasoning, status, owner,"
                        + " model, finish_reason, error, prompt_tokens, cached_tokens, completion_tokens, first_token_ms,"
                        + " prompt_ms, completion_ms, duration_ms, history_from, left_out, left_out_by, created_at,"
                        + " updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,"
                        + " $17, $18, $19, $20, $21, $22, $23, $24)",
                m.id(),
                m.conversationId(),
                m.parentId(),
                m.number(),
                m.role(),
                m.content(),
                m.reasoning(),
                m.status().word(),
                m.owner(),
                m.model(),
                m.finishReason(),
                m.error(),
                m.tally().promptTokens(),
                m.tally().cachedTokens(),
                m.tally().completionTokens(),
                m.tally().firstTokenMs(),
                m.tally().promptMs(),
                m.tally().completionMs(),
                m.tally().durationMs(),
                m.leftOut().from(),
                m.leftOut().messages(),
                m.leftOut().by(),
                m.createdAt(),
                m.updatedAt());
    }

    /** Everything that can change of an answer. */
    static Mono<Long> update(Transaction transaction, Message m) {
        return transaction.update(
                "UPDATE messages SET content = $1, reasoning = $2, status = $3, owner = $4, model = $5,"
                        + " finish_reason = $6, error = $7, prompt_tokens = $8, cached_tokens = $9, completion_tokens = $10,"
                        + " first_token_ms = $11, prompt_ms = $12, completion_ms = $13, duration_ms = $14,"
                        + " history_from = $15, left_out = $16, left_out_by = $17, updated_at = $18 WHERE id = $19",
                m.content(),
                m.reasoning(),
                m.status().word(),
                m.owner(),
                m.model(),
                m.finishReason(),
                m.error(),
                m.tally().promptTokens(),
                m.tally().cachedTokens(),
                m.tally().completionTokens(),
                m.tally().firstTokenMs(),
                m.tally().promptMs(),
                m.tally().completionMs(),
                m.tally().durationMs(),
                m.leftOut().from(),
                m.leftOut().messages(),
                m.leftOut().by(),
                m.updatedAt(),
                m.id());
    }

    /** The text that a running answer has by now. */
    static Mono<Long> progress(Transaction transaction, String id, String content, String reasoning, long now) {
        return transaction.update(
                "UPDATE messages SET content = $1, reasoning = $2, updated_at = $3 WHERE id = $4 AND status = 'running'",
                content,
                reasoning,
                now,
                id);
    }

    /** An answer that nobody generates any more. */
    record Left(String messageId, String userId) {}

    /** Answers that this gateway left behind when it ended, or another one that has not been heard of since then. */
    static Flux<Left> abandoned(Transaction transaction, String owner, long heardBefore) {
        return transaction
                .rows(
                        "SELECT m.id, c.user_id FROM messages m JOIN conversations c ON c.id = m.conversation_id"
                                + " WHERE m.status = 'running' AND (m.owner = $1 OR m.updated_at < $2)",
                        row -> new Left(text(row, 0), text(row, 1)),
                        owner,
                        heardBefore)
                .collectList()
                .flatMapMany(Flux::fromIterable);
    }

    static Mono<Long> interrupt(Transaction transaction, String id, long now) {
        return transaction.update(
                "UPDATE messages SET status = 'interrupted', updated_at = $1 WHERE id = $2 AND status = 'running'",
                now,
                id);
    }

    private static Message read(Row row) {
        return new Message(
                text(row, 0),
                text(row, 1),
                text(row, 2),
                number(row, 3),
                text(row, 4),
                text(row, 5),
                text(row, 6),
                Message.Status.of(text(row, 7)),
                text(row, 8),
                text(row, 9),
                text(row, 10),
                text(row, 11),
                tally(row),
                new Message.LeftOut(text(row, 19), count(row, 20), text(row, 21)),
                number(row, 22),
                number(row, 23));
    }

    private static Message.Tally tally(Row row) {
        return new Message.Tally(
                count(row, 12),
                count(row, 13),
                count(row, 14),
                number(row, 15),
                number(row, 16),
                number(row, 17),
                number(row, 18));
    }

    private static String text(Row row, int column) {
        return row.get(column, String.class);
    }

    private static long number(Row row, int column) {
        return row.get(column, Long.class);
    }

    private static int count(Row row, int column) {
        return row.get(column, Integer.class);
    }
}
