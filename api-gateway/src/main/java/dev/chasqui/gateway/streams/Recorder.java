package dev.chasqui.gateway.streams;

import dev.chasqui.gateway.storage.Transaction;
import java.util.ArrayList;
import java.util.List;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** A transaction whose changes are told. */
public final class Recorder {
    private record Noted(Kind kind, String subject, byte[] json, boolean ended) {}

    private final Transaction transaction;
    private final List<Noted> noted = new ArrayList<>();

    Recorder(Transaction transaction) {
        this.transaction = transaction;
    }

    /** For the changes themselves. */
    public Transaction transaction() {
        return transaction;
    }

    /**
     * Notes what is to be told when the transaction is committed.
     *
     * @param json what the subject then is
     * @param ended whether it is a message that gets no more text
     */
    public void tell(Kind kind, String subject, byte[] json, boolean ended) {
        noted.add(new Noted(kind, subject, json, ended));
    }

    /** Writes the events down. The user's cursor is locked from then on, so that positions come in the order of commits. */
    Mono<List<StreamItem.Change>> write(String userId, long now) {
        if (noted.isEmpty()) {
            return Mono.just(List.of());
        }
        long count = noted.size();
        String move = "UPDATE cursors SET position = position + $1 WHERE user_id = $2";
        return transaction
                .update(move, count, userId)
                .filter(rows -> rows > 0)
                .switchIfEmpty(Mono.defer(() ->
                        transaction.update("INSERT INTO cursors (position, user_id) VALUES ($1, $2)", count, userId)))
                .then(Mono.defer(() -> EventTable.cursor(transaction, userId)))
                .flatMap(last -> insert(userId, last - count, now));
    }

    private Mono<List<StreamItem.Change>> insert(String userId, long before, long now) {
        List<StreamItem.Change> changes = new ArrayList<>();
        for (Noted one : noted) {
            long position = before + 1 + changes.size();
            changes.add(new StreamItem.Change(position, one.kind(), one.subject(), one.json(), one.ended()));
        }
        return Flux.fromIterable(changes)
                .concatMap(change -> EventTable.insert(transaction, userId, change, now))
                .then(Mono.just(changes));
    }
}
