package dev.chasqui.gateway.streams;

import dev.chasqui.gateway.storage.Transaction;
import java.util.List;
import reactor.core.publisher.Mono;

/** The events in the database. */
final class EventTable {
    /**
     * What can be replayed.
     *
     * @param first the position of the oldest event; one behind {@code last} where there is none
     * @param last the newest position that was given
     */
    record Bounds(long first, long last) {}

    private EventTable() {}

    /** The last position that was given to an event of this user; 0 before the first. */
    static Mono<Long> cursor(Transaction transaction, String userId) {
        return transaction
                .rows("SELECT position FROM cursors WHERE user_id = $1", row -> row.number("position"), userId)
                .next()
                .defaultIfEmpty(0L);
    }

    static Mono<Long> insert(Transaction transaction, String userId, StreamItem.Change change, long now) {
        return transaction.update(
                "INSERT INTO events (user_id, position, kind, subject, created_at) VALUES ($1, $2, $3, $4, $5)",
                userId,
                change.position(),
                change.kind().word(),
                change.subject(),
                now);
    }

    static Mono<Bounds> bounds(Transaction transaction, String userId) {
        return cursor(transaction, userId)
                .flatMap(last -> transaction
                        .rows(
                                "SELECT position FROM events WHERE user_id = $1 ORDER BY position LIMIT 1",
                                row -> row.number("position"),
                                userId)
                        .next()
                        .defaultIfEmpty(last + 1)
                        .map(first -> new Bounds(first, last)));
    }

    static Mono<List<StoredEvent>> page(Transaction transaction, String userId, long after, int most) {
        return transaction
                .rows(
                        "SELECT position, kind, subject FROM events WHERE user_id = $1 AND position > $2"
                                + " ORDER BY position LIMIT $3",
                        row -> new StoredEvent(row.number("position"), Kind.of(row.text("kind")), row.text("subject")),
                        userId,
                        after,
                        most)
                .collectList();
    }

    /** Users who have events older than that, or more than so many. */
    static Mono<List<String>> crowded(Transaction transaction, long before, long most) {
        return transaction
                .rows(
                        "SELECT user_id FROM events GROUP BY user_id HAVING MIN(created_at) < $1 OR COUNT(*) > $2",
                        row -> row.text("user_id"),
                        before,
                        most)
                .collectList();
    }

    /** Removes some of the events that are too old or too many; says how many. */
    static Mono<Long> prune(Transaction transaction, String userId, long before, long most, int batch) {
        return cursor(transaction, userId)
                .flatMap(last -> transaction.update(
                        "DELETE FROM events WHERE user_id = $1 AND position IN (SELECT position FROM events"
                                + " WHERE user_id = $2 AND (created_at < $3 OR position <= $4) ORDER BY position LIMIT $5)",
                        userId,
                        userId,
                        before,
                        last - most,
                        batch));
    }

    static Mono<Long> removeAll(Transaction transaction, String userId) {
        return transaction
                .update("DELETE FROM events WHERE user_id = $1", userId)
                .then(transaction.update("DELETE FROM cursors WHERE user_id = $1", userId));
    }
}
