package dev.chasqui.gateway.streams;

import dev.chasqui.gateway.nodes.EventLoop;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.storage.Database;
import dev.chasqui.gateway.storage.Transaction;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Every user's events: written in one transaction with what they are about, told to all of his streams after it. */
public final class UserEvents implements AutoCloseable {
    private final Database database;
    private final EventLoop loop;
    private final StreamSettings settings;
    private final Clock clock;
    private final Pruning pruning;
    private final StreamMetrics metrics;
    private final Map<String, User> users = new HashMap<>();
    /** All that are open; also read by whoever scrapes. */
    private final List<EventStream> streams = new CopyOnWriteArrayList<>();

    /** What is known of one user. */
    private static final class User {
        final Lane lane;
        final List<EventStream> streams = new ArrayList<>();
        long told;

        User(EventLoop loop) {
            lane = new Lane(loop);
        }
    }

    private record Committed<T>(Optional<T> result, List<StreamItem.Change> changes) {}

    public UserEvents(Database database, EventLoop loop, StreamSettings settings, MeterRegistry registry, Clock clock) {
        this.database = database;
        this.loop = loop;
        this.settings = settings;
        this.clock = clock;
        pruning = new Pruning(database, settings, clock);
        metrics = new StreamMetrics(registry, this::occupancy);
        database.beforeUse(pruning::begin);
    }

    /**
     * Changes something, and tells it when it is committed. Changes of one user go one after the other, and are made
     * also where the caller goes away.
     */
    public <T> Mono<T> record(String userId, Function<Recorder, Mono<T>> work) {
        return Mono.defer(() -> user(userId).lane.run(commit(userId, work))).flatMap(Mono::justOrEmpty);
    }

    private <T> Mono<Optional<T>> commit(String userId, Function<Recorder, Mono<T>> work) {
        return database.transaction(transaction -> {
                    Recorder recorder = new Recorder(transaction);
                    return work.apply(recorder)
                            .map(Optional::of)
                            .defaultIfEmpty(Optional.empty())
                            .flatMap(result -> recorder.write(userId, clock.millis())
                                    .map(changes -> new Committed<>(result, changes)));
                })
                .doOnNext(committed -> tell(userId, committed.changes()))
                .map(Committed::result);
    }

    private void tell(String userId, List<StreamItem.Change> changes) {
        User user = user(userId);
        for (StreamItem.Change change : changes) {
            user.told = change.position();
            List.copyOf(user.streams).forEach(stream -> stream.tell(change));
        }
        pruning.written(changes.size());
    }

    /** Removes all that was told to a user. */
    public static Mono<Long> removeAll(Transaction transaction, String userId) {
        return EventTable.removeAll(transaction, userId);
    }

    /** Writes an event down within a transaction; for when nobody can be listening yet. */
    public static Mono<Void> note(Transaction transaction, String userId, Kind kind, String subject, long now) {
        Recorder recorder = new Recorder(transaction);
        recorder.tell(kind, subject, new byte[0], true);
        return recorder.write(userId, now).then();
    }

    /** Tells more text of a running answer, which its message holds later; on the event loop. */
    public void tell(String userId, StreamItem.Piece piece) {
        User user = users.get(userId);
        if (user != null && !user.streams.isEmpty()) {
            List.copyOf(user.streams).forEach(stream -> stream.tell(piece));
        }
    }

    /**
     * A stream of what happens, without end; to be subscribed to once, on the event loop.
     *
     * @param lastEventId the last position that the reader saw, as he says; null: from now on
     */
    public Flux<StreamItem> open(String userId, @Nullable String lastEventId, Contents contents) {
        return Flux.defer(() -> {
            User user = user(userId);
            if (user.streams.size() >= settings.mostStreams()) {
                return Flux.error(RequestError.http(
                        429,
                        "There are " + user.streams.size() + " open streams of this user (expected: at most "
                                + settings.mostStreams() + ").",
                        "too_many_streams",
                        Duration.ofSeconds(10)));
            }
            EventStream stream = new EventStream(userId, lastEventId, new Source(userId, user, contents), settings);
            user.streams.add(stream);
            streams.add(stream);
            return stream.doFinally(end -> loop.execute(() -> {
                user.streams.remove(stream);
                streams.remove(stream);
                stream.forget();
            }));
        });
    }

    /** Ends all streams in order; their readers come back to the next gateway. */
    @Override
    public void close() {
        loop.execute(() -> List.copyOf(streams).forEach(EventStream::end));
    }

    /** Streams that are open. */
    public int open() {
        return streams.size();
    }

    private User user(String userId) {
        return users.computeIfAbsent(userId, id -> new User(loop));
    }

    private double occupancy() {
        return streams.stream().mapToDouble(EventStream::occupancy).max().orElse(0);
    }

    /** What a stream asks of its surroundings. */
    final class Source {
        private final String userId;
        private final User user;
        final Contents contents;

        private Source(String userId, User user, Contents contents) {
            this.userId = userId;
            this.user = user;
            this.contents = contents;
        }

        Mono<EventTable.Bounds> bounds() {
            return database.transaction(transaction -> EventTable.bounds(transaction, userId));
        }

        Mono<List<StoredEvent>> page(long after, int most) {
            return database.transaction(transaction -> EventTable.page(transaction, userId, after, most));
        }

        Mono<List<StreamItem.Change>> describe(List<StoredEvent> events) {
            return contents.describe(userId, events);
        }

        /** The last position that was told to streams that are up to date. */
        long told() {
            return user.told;
        }

        StreamMetrics metrics() {
            return metrics;
        }
    }
}
