package dev.chasqui.gateway.conversations;

import static java.util.stream.Collectors.joining;

import dev.chasqui.gateway.storage.StoredRow;
import dev.chasqui.gateway.storage.Transaction;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** The messages in the database. */
final class MessageTable {
    /** What never changes of a message. */
    private static final List<Column> PLACE = List.of(
            new Column("id", Message::id),
            new Column("conversation_id", Message::conversationId),
            new Column("parent_id", Message::parentId),
            new Column("number", Message::number),
            new Column("role", Message::role),
            new Column("created_at", Message::createdAt));

    /** What can change of an answer. */
    private static final List<Column> ANSWER = List.of(
            new Column("content", Message::content),
            new Column("reasoning", Message::reasoning),
            new Column("status", m -> m.status().word()),
            new Column("owner", Message::owner),
            new Column("model", Message::model),
            new Column("finish_reason", Message::finishReason),
            new Column("error", Message::error),
            new Column("prompt_tokens", m -> m.tally().promptTokens()),
            new Column("cached_tokens", m -> m.tally().cachedTokens()),
            new Column("completion_tokens", m -> m.tally().completionTokens()),
            new Column("first_token_ms", m -> m.tally().firstTokenMs()),
            new Column("prompt_ms", m -> m.tally().promptMs()),
            new Column("completion_ms", m -> m.tally().completionMs()),
            new Column("duration_ms", m -> m.tally().durationMs()),
            new Column("history_from", m -> m.leftOut().from()),
            new Column("left_out", m -> m.leftOut().messages()),
            new Column("left_out_by", m -> m.leftOut().by()),
            new Column("updated_at", Message::updatedAt));

    private static final List<Column> ALL =
            Stream.concat(PLACE.stream(), ANSWER.stream()).toList();

    private static final String COLUMNS =
            ALL.stream().map(column -> "m." + column.name).collect(joining(", "));

    private static final String INSERT = "INSERT INTO messages ("
            + ALL.stream().map(Column::name).collect(joining(", ")) + ") VALUES ("
            + IntStream.rangeClosed(1, ALL.size()).mapToObj(i -> "$" + i).collect(joining(", ")) + ")";

    private static final String UPDATE = "UPDATE messages SET "
            + IntStream.rangeClosed(1, ANSWER.size())
                    .mapToObj(i -> ANSWER.get(i - 1).name + " = $" + i)
                    .collect(joining(", "))
            + " WHERE id = $" + (ANSWER.size() + 1);

    /** One column, and what a message puts there. */
    private record Column(String name, Function<Message, Object> value) {}

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
                        "SELECT COALESCE(MAX(number), 0) + 1 AS following FROM messages WHERE conversation_id = $1",
                        row -> row.number("following"),
                        conversationId)
                .next();
    }

    static Mono<Long> insert(Transaction transaction, Message message) {
        return transaction.update(INSERT, values(ALL, message).toArray());
    }

    /** Everything that can change of an answer. */
    static Mono<Long> update(Transaction transaction, Message message) {
        return transaction.update(
                UPDATE,
                Stream.concat(values(ANSWER, message), Stream.of(message.id())).toArray());
    }

    private static Stream<Object> values(List<Column> columns, Message message) {
        return columns.stream().map(column -> column.value.apply(message));
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
                        row -> new Left(row.text("id"), row.text("user_id")),
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

    private static Message read(StoredRow row) {
        return new Message(
                row.text("id"),
                row.text("conversation_id"),
                row.text("parent_id"),
                row.number("number"),
                row.text("role"),
                row.text("content"),
                row.text("reasoning"),
                Message.Status.of(row.text("status")),
                row.text("owner"),
                row.text("model"),
                row.text("finish_reason"),
                row.text("error"),
                tally(row),
                new Message.LeftOut(row.text("history_from"), row.count("left_out"), row.text("left_out_by")),
                row.number("created_at"),
                row.number("updated_at"));
    }

    private static Message.Tally tally(StoredRow row) {
        return new Message.Tally(
                row.count("prompt_tokens"),
                row.count("cached_tokens"),
                row.count("completion_tokens"),
                row.number("first_token_ms"),
                row.number("prompt_ms"),
                row.number("completion_ms"),
                row.number("duration_ms"));
    }
}
