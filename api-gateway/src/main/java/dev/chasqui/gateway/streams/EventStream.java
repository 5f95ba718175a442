package dev.chasqui.gateway.streams;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Operators;

/**
 * One reader of a user's events. It first reads what he missed from the database, page by page as he takes it; when it
 * has caught up it tells what happens, through a queue that is bounded. What does not fit is left out as the strategy
 * says, or the stream ends, and the reader comes back with his position. Everything here is on the event loop.
 */
final class EventStream extends Flux<StreamItem> implements Subscription {
    private static final int PAGE = 32;

    private final String userId;
    private final @Nullable String lastEventId;
    private final UserEvents.Source source;
    private final StreamSettings settings;
    private final Deque<StreamItem> queue = new ArrayDeque<>();
    /** Up to where the reader has the text of a running answer. */
    private final Map<String, Integer> texts = new HashMap<>();

    private @Nullable CoreSubscriber<? super StreamItem> reader;
    private long demand;
    /** Every event up to here was read or told. */
    private long seen;

    private boolean caughtUp;
    private boolean fetching;
    private boolean draining;
    private boolean missed;
    private boolean ended;
    private volatile int depth;

    EventStream(String userId, @Nullable String lastEventId, UserEvents.Source source, StreamSettings settings) {
        this.userId = userId;
        this.lastEventId = lastEventId;
        this.source = source;
        this.settings = settings;
    }

    @Override
    public void subscribe(CoreSubscriber<? super StreamItem> actual) {
        reader = actual;
        // Nothing is read before it is known from where on.
        fetching = true;
        actual.onSubscribe(this);
        source.bounds().subscribe(this::begin, this::fail);
    }

    private void begin(EventTable.Bounds bounds) {
        fetching = false;
        long from = position(bounds.last());
        boolean replayable = from >= bounds.first() - 1 && from <= bounds.last();
        seen = replayable ? from : bounds.last();
        add(new StreamItem.Hello(userId, seen));
        if (!replayable) {
            add(new StreamItem.Reset(seen, "Events since then are no longer there."));
        }
        drain();
    }

    /** What the reader says; where he says nothing, the present. */
    private long position(long now) {
        if (lastEventId == null || lastEventId.isBlank()) {
            return now;
        }
        String id = lastEventId.strip();
        return id.matches("\\d{1,18}") ? Long.parseLong(id) : -1;
    }

    void tell(StreamItem.Change change) {
        if (!caughtUp || ended || change.position() <= seen) {
            return;
        }
        seen = change.position();
        if (queue.size() < settings.queue() || makeRoom(change)) {
            add(change);
            drain();
        }
    }

    void tell(StreamItem.Piece piece) {
        if (!caughtUp || ended) {
            return;
        }
        if (queue.size() < settings.queue()) {
            add(piece);
            drain();
        } else {
            source.metrics().dropped();
        }
    }

    /** Whether there is room for the change now. */
    private boolean makeRoom(StreamItem.Change change) {
        if (settings.backpressure() == Backpressure.DROP_TOKENS_AND_SYSTEM
                && change.kind().isSystem()) {
            source.metrics().dropped();
            missed = true;
            return false;
        }
        for (Iterator<StreamItem> items = queue.iterator(); items.hasNext(); ) {
            if (items.next() instanceof StreamItem.Piece) {
                items.remove();
                resized(-1);
                source.metrics().dropped();
                return true;
            }
        }
        // Nothing may be left out: the reader gets what is here, and comes back for the rest.
        ended = true;
        return false;
    }

    private void add(StreamItem item) {
        queue.add(item);
        resized(1);
    }

    private void resized(int difference) {
        depth = queue.size();
        source.metrics().queued(difference);
    }

    private void drain() {
        if (draining) {
            return;
        }
        draining = true;
        while (reader != null && step(reader)) {
            // One after the other.
        }
        draining = false;
    }

    /** Does what can be done now; says whether there may be more. */
    private boolean step(CoreSubscriber<? super StreamItem> actual) {
        if (queue.isEmpty() && ended) {
            reader = null;
            actual.onComplete();
        } else if (demand > 0 && !queue.isEmpty()) {
            emit(queue.remove(), actual);
            return true;
        } else if (demand > 0 && missed) {
            missed = false;
            add(new StreamItem.Reset(seen, "The reader was too slow, and changes were left out."));
            return true;
        } else if (demand > 0 && !caughtUp) {
            fetch();
        }
        return false;
    }

    private void emit(StreamItem item, CoreSubscriber<? super StreamItem> actual) {
        resized(-1);
        StreamItem whole = item instanceof StreamItem.Piece piece ? mended(piece) : item;
        if (whole != null) {
            note(whole);
            demand--;
            source.metrics().sent();
            actual.onNext(whole);
        }
    }

    private void note(StreamItem item) {
        if (item instanceof StreamItem.Piece piece) {
            texts.put(key(piece), piece.end());
        } else if (item instanceof StreamItem.Change change && change.ended()) {
            texts.remove("c" + change.subject());
            texts.remove("r" + change.subject());
        }
    }

    /** The piece joined to what the reader has: with what was dropped before it, or without what he got already. */
    private StreamItem.@Nullable Piece mended(StreamItem.Piece piece) {
        int has = texts.getOrDefault(key(piece), 0);
        if (piece.offset() == has) {
            return piece;
        }
        if (piece.end() <= has) {
            return null;
        }
        String text = source.contents.since(piece.messageId(), piece.reasoning(), has);
        if (text == null || text.isEmpty()) {
            // It has ended: the message that says so holds everything.
            return piece.offset() > has
                    ? piece
                    : new StreamItem.Piece(
                            piece.conversationId(),
                            piece.messageId(),
                            piece.reasoning(),
                            has,
                            piece.text().substring(has - piece.offset()));
        }
        return new StreamItem.Piece(piece.conversationId(), piece.messageId(), piece.reasoning(), has, text);
    }

    private static String key(StreamItem.Piece piece) {
        return (piece.reasoning() ? "r" : "c") + piece.messageId();
    }

    private void fetch() {
        if (fetching) {
            return;
        }
        fetching = true;
        source.page(seen, PAGE)
                .flatMap(events -> events.isEmpty()
                        ? Mono.just(new Page(events, List.of()))
                        : source.describe(events).map(changes -> new Page(events, changes)))
                .subscribe(this::fetched, this::fail);
    }

    private record Page(List<StoredEvent> events, List<StreamItem.Change> changes) {}

    private void fetched(Page page) {
        fetching = false;
        if (ended) {
            drain();
            return;
        }
        page.changes().forEach(this::add);
        int count = page.events().size();
        if (count > 0) {
            seen = page.events().get(count - 1).position();
        }
        if (count < PAGE && seen >= source.told()) {
            caughtUp = true;
            source.contents.running(userId).forEach(this::add);
        }
        drain();
    }

    private void fail(Throwable error) {
        CoreSubscriber<? super StreamItem> actual = reader;
        reader = null;
        if (actual != null) {
            actual.onError(error);
        }
    }

    /** Ends it in order, when what waits was taken. */
    void end() {
        ended = true;
        drain();
    }

    /** Nobody reads it any more. */
    void forget() {
        source.metrics().queued(-queue.size());
        queue.clear();
        depth = 0;
    }

    double occupancy() {
        return (double) depth / settings.queue();
    }

    @Override
    public void request(long n) {
        if (Operators.validate(n)) {
            demand = Operators.addCap(demand, n);
            drain();
        }
    }

    @Override
    public void cancel() {
        reader = null;
        ended = true;
    }
}
