package dev.chasqui.gateway.streams;

import dev.chasqui.gateway.storage.Database;
import dev.chasqui.gateway.storage.Transaction;
import java.time.Clock;
import java.time.Duration;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Removes events that are too old or too many, in small transactions one after the other, so that nothing waits for
 * long. It looks when the database was opened, and from time to time while events are written: nobody has to wake up
 * for it.
 */
final class Pruning {
    static final int BATCH = 500;
    private static final int EVENTS_BETWEEN = 1000;
    private static final Duration TIME_BETWEEN = Duration.ofHours(1);

    private final Database database;
    private final StreamSettings settings;
    private final Clock clock;
    private int written;
    private long lastMillis;
    private boolean running;

    Pruning(Database database, StreamSettings settings, Clock clock) {
        this.database = database;
        this.settings = settings;
        this.clock = clock;
        lastMillis = clock.millis();
    }

    /** The database was opened: what is too old now may never be read. */
    Mono<Void> begin(Transaction transaction) {
        return EventTable.crowded(transaction, oldest(), settings.mostEvents())
                .flatMapMany(Flux::fromIterable)
                .concatMap(user -> EventTable.prune(transaction, user, oldest(), settings.mostEvents(), BATCH))
                .then();
    }

    /** So many events were written; on the event loop. */
    void written(int events) {
        written += events;
        boolean due = written >= EVENTS_BETWEEN || clock.millis() - lastMillis > TIME_BETWEEN.toMillis();
        if (due && !running) {
            running = true;
            written = 0;
            lastMillis = clock.millis();
            prune().doFinally(end -> running = false).subscribe(removed -> {}, error -> {});
        }
    }

    private Mono<Long> prune() {
        return database.transaction(transaction -> EventTable.crowded(transaction, oldest(), settings.mostEvents()))
                .flatMapMany(Flux::fromIterable)
                .concatMap(this::prune)
                .reduce(0L, Long::sum);
    }

    private Mono<Long> prune(String user) {
        return Mono.defer(() -> database.transaction(
                        transaction -> EventTable.prune(transaction, user, oldest(), settings.mostEvents(), BATCH)))
                .expand(removed -> removed < BATCH
                        ? Mono.empty()
                        : database.transaction(transaction ->
                                EventTable.prune(transaction, user, oldest(), settings.mostEvents(), BATCH)))
                .reduce(0L, Long::sum);
    }

    private long oldest() {
        return clock.millis() - settings.retention().toMillis();
    }
}
