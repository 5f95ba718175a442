package dev.chasqui.gateway.conversations;

import dev.chasqui.gateway.nodes.EventLoop;
import dev.chasqui.gateway.storage.Database;
import dev.chasqui.gateway.storage.Transaction;
import dev.chasqui.gateway.streams.UserEvents;
import java.time.Clock;
import java.time.Duration;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Deleted conversations leave the database when they cannot be brought back any more. On the event loop. */
final class Purge {
    private static final int AT_ONCE = 50;
    private static final long AFTERWARDS_MS = 1000;

    private final Database database;
    private final UserEvents events;
    private final EventLoop loop;
    private final Duration undo;
    private final Clock clock;
    private boolean isDue;

    /** @param undo how long a deleted one can be brought back */
    Purge(Database database, UserEvents events, EventLoop loop, Duration undo, Clock clock) {
        this.database = database;
        this.events = events;
        this.loop = loop;
        this.undo = undo;
        this.clock = clock;
    }

    /** One look when the first of them is due, so that nothing ticks meanwhile. */
    void later() {
        if (!isDue) {
            isDue = true;
            loop.schedule(this::now, undo.toMillis() + AFTERWARDS_MS);
        }
    }

    private void now() {
        isDue = false;
        database.transaction(transaction -> due(transaction).collectList())
                .flatMapMany(Flux::fromIterable)
                .concatMap(one -> events.record(one.userId(), recorder -> Conversations.remove(recorder, one)))
                .then(database.transaction(Purge::hasMore))
                .subscribe(this::laterIf, error -> later());
    }

    /** What is due, as part of a start: nobody is there yet who would have to be told. */
    Mono<Void> within(Transaction transaction) {
        return due(transaction)
                .collectList()
                .flatMapMany(Flux::fromIterable)
                .concatMap(one -> ConversationTable.remove(transaction, one.id()))
                .then(hasMore(transaction))
                .doOnNext(more -> loop.execute(() -> laterIf(more)))
                .then();
    }

    private Flux<Conversation> due(Transaction transaction) {
        return ConversationTable.deletedBefore(transaction, clock.millis() - undo.toMillis(), AT_ONCE);
    }

    private static Mono<Boolean> hasMore(Transaction transaction) {
        return ConversationTable.deletedBefore(transaction, Long.MAX_VALUE, 1).hasElements();
    }

    private void laterIf(boolean more) {
        if (more) {
            later();
        }
    }
}
