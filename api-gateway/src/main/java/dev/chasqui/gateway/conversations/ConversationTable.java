package dev.chasqui.gateway.conversations;

import dev.chasqui.gateway.storage.StoredRow;
import dev.chasqui.gateway.storage.Transaction;
import java.util.List;
import java.util.Locale;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** The conversations in the database. */
final class ConversationTable {
    private static final String COLUMNS = "c.id, c.user_id, c.title, c.title_by, c.model, c.system_prompt, c.settings,"
            + " c.current_message, c.created_at, c.updated_at, c.deleted_at";

    private ConversationTable() {}

    static Mono<Conversation> find(Transaction transaction, String userId, String id) {
        return transaction
                .rows(
                        "SELECT " + COLUMNS + " FROM conversations c WHERE c.id = $1 AND c.user_id = $2",
                        ConversationTable::read,
                        id,
                        userId)
                .next();
    }

    static Flux<Conversation> list(Transaction transaction, ConversationQuery query) {
        String search = query.like().isEmpty()
                ? ""
                : " AND (c.title ILIKE $6 ESCAPE '!' OR EXISTS (SELECT 1 FROM messages m"
                        + " WHERE m.conversation_id = c.id AND m.content ILIKE $6 ESCAPE '!'))";
        String sql = "SELECT " + COLUMNS + " FROM conversations c WHERE c.user_id = $1 AND c.deleted_at "
                + (query.deleted() ? "> 0" : "= 0")
                + " AND (c.updated_at < $2 OR (c.updated_at = $3 AND c.id < $4))" + search
                + " ORDER BY c.updated_at DESC, c.id DESC LIMIT $5";
        Object[] values = {
            query.userId(), query.beforeTime(), query.beforeTime(), query.beforeId(), query.most() + 1, query.like()
        };
        return transaction.rows(
                sql,
                ConversationTable::read,
                query.like().isEmpty() ? List.of(values).subList(0, 5).toArray() : values);
    }

    static Flux<String> ids(Transaction transaction, String userId) {
        return transaction.rows(
                "SELECT id FROM conversations WHERE user_id = $1 AND deleted_at = 0 ORDER BY updated_at, id",
                row -> row.text("id"),
                userId);
    }

    static Mono<Long> insert(Transaction transaction, Conversation c) {
        return transaction.update(
                "INSERT INTO conversations (id, user_id, title, title_by, model, system_prompt, settings,"
                        + " current_message, created_at, updated_at, deleted_at)"
                        + " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                c.id(),
                c.userId(),
                c.title(),
                word(c.titleBy()),
                c.model(),
                c.systemPrompt(),
                c.settings(),
                c.currentMessage(),
                c.createdAt(),
                c.updatedAt(),
                c.deletedAt());
    }

    static Mono<Long> update(Transaction transaction, Conversation c) {
        return transaction.update(
                "UPDATE conversations SET title = $1, title_by = $2, model = $3, system_prompt = $4, settings = $5,"
                        + " current_message = $6, updated_at = $7, deleted_at = $8 WHERE id = $9",
                c.title(),
                word(c.titleBy()),
                c.model(),
                c.systemPrompt(),
                c.settings(),
                c.currentMessage(),
                c.updatedAt(),
                c.deletedAt(),
                c.id());
    }

    /** Of those that were deleted before then, at most so many. */
    static Flux<Conversation> deletedBefore(Transaction transaction, long time, int most) {
        return transaction.rows(
                "SELECT " + COLUMNS + " FROM conversations c WHERE c.deleted_at > 0 AND c.deleted_at < $1 LIMIT $2",
                ConversationTable::read,
                time,
                most);
    }

    /** Removes one, with its messages. */
    static Mono<Long> removeAll(Transaction transaction, String userId) {
        return transaction.update("DELETE FROM conversations WHERE user_id = $1", userId);
    }

    static Mono<Long> remove(Transaction transaction, String id) {
        return transaction.update("DELETE FROM conversations WHERE id = $1", id);
    }

    private static Conversation read(StoredRow row) {
        return new Conversation(
                row.text("id"),
                row.text("user_id"),
                row.text("title"),
                Conversation.TitleBy.valueOf(row.text("title_by").toUpperCase(Locale.ROOT)),
                row.text("model"),
                row.text("system_prompt"),
                row.text("settings"),
                row.text("current_message"),
                row.number("created_at"),
                row.number("updated_at"),
                row.number("deleted_at"));
    }

    static String word(Conversation.TitleBy by) {
        return by.name().toLowerCase(Locale.ROOT);
    }
}
