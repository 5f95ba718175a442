package dev.chasqui.gateway.streams;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.gateway.nodes.EventLoop;
import dev.chasqui.gateway.storage.Database;
import dev.chasqui.gateway.storage.DatabaseAddress;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** Slow readers, replays and pruning, without HTTP. */
class EventStreamTest {
    private static final String USER = "u";
    private static final int QUEUE = 16;
    private static final int MOST = 300;

    private final EventLoop loop = new EventLoop("test");
    private final Database database = new Database(new DatabaseAddress.InMemory(), loop);
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final MovedClock clock = new MovedClock();
    private final StringBuilder text = new StringBuilder();
    private volatile boolean upToDate;
    private Backpressure strategy = Backpressure.DROP_TOKENS;
    private @Nullable UserEvents made;

    @AfterEach
    void close() {
        database.close();
        loop.close();
    }

    private static final class MovedClock extends Clock {
        volatile Instant now = Instant.parse("2026-01-01T00:00:00Z");

        @Override
        public Instant instant() {
            return now;
        }

        @Override
        public ZoneId getZone() {
            return ZoneId.of("UTC");
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }
    }

    /** Answers from the test's text; events are their subject's name. */
    private final Contents contents = new Contents() {
        @Override
        public Mono<List<StreamItem.Change>> describe(String userId, List<StoredEvent> events) {
            return Mono.just(events.stream()
                    .map(e -> new StreamItem.Change(e.position(), e.kind(), e.subject(), new byte[] {'{', '}'}, false))
                    .toList());
        }

        @Override
        public List<StreamItem.Piece> running(String userId) {
            // Asked when a reader has read what he missed.
            upToDate = true;
            return text.isEmpty() ? List.of() : List.of(new StreamItem.Piece("c", "m", false, 0, text.toString()));
        }

        @Override
        public String since(String messageId, boolean reasoning, int offset) {
            return text.substring(offset);
        }
    };

    /** Reads as much as it is told to. */
    private static final class Reader extends BaseSubscriber<StreamItem> {
        final List<StreamItem> items = new CopyOnWriteArrayList<>();
        volatile boolean completed;

        @Override
        protected void hookOnSubscribe(org.reactivestreams.Subscription subscription) {}

        @Override
        protected void hookOnNext(StreamItem item) {
            items.add(item);
        }

        @Override
        protected void hookOnComplete() {
            completed = true;
        }

        String text() {
            StringBuilder text = new StringBuilder();
            for (StreamItem item : items) {
                if (item instanceof StreamItem.Piece piece) {
                    text.setLength(piece.offset());
                    text.append(piece.text());
                }
            }
            return text.toString();
        }

        List<Long> positions() {
            return items.stream()
                    .filter(StreamItem.Change.class::isInstance)
                    .map(item -> ((StreamItem.Change) item).position())
                    .toList();
        }
    }

    private UserEvents events() {
        UserEvents known = made;
        if (known == null) {
            known = new UserEvents(
                    database,
                    loop,
                    new StreamSettings(Duration.ofHours(48), MOST, QUEUE, strategy, 4),
                    registry,
                    clock);
            made = known;
        }
        return known;
    }

    @Test
    void aSlowReaderMissesPiecesAndGetsTheirTextInOne() throws Exception {
        Reader reader = caughtUp();
        for (int i = 0; i < 100; i++) {
            say("w" + i + " ");
        }

        assertThat(registry.counter("sse.events.dropped").count()).isEqualTo(100 - QUEUE);
        assertThat(gauge("sse.queue.depth")).isEqualTo(QUEUE);
        assertThat(gauge("sse.queue.occupancy.ratio")).isEqualTo(1);
        take(reader, QUEUE);
        say("end");
        take(reader, 10);

        assertThat(reader.text()).isEqualTo(text.toString());
        assertThat(registry.counter("sse.events.sent").count()).isEqualTo(reader.items.size());
        assertThat(gauge("sse.queue.depth")).isZero();
        assertThat(gauge("sse.queue.occupancy.ratio")).isZero();
    }

    @Test
    void changesTakeThePlaceOfPieces() throws Exception {
        Reader reader = caughtUp();
        for (int i = 0; i < QUEUE; i++) {
            say("x");
        }
        change(Kind.MESSAGE, 3);
        take(reader, 100);

        assertThat(registry.counter("sse.events.dropped").count()).isEqualTo(3);
        assertThat(reader.positions()).containsExactly(1L, 2L, 3L);
        assertThat(reader.completed).isFalse();
    }

    @Test
    void whereNothingMayBeLeftOutTheReaderComesBackForTheRest() throws Exception {
        Reader reader = caughtUp();
        change(Kind.CONVERSATION, QUEUE + 5);
        take(reader, 100);
        await(() -> reader.completed);

        assertThat(reader.positions()).hasSize(QUEUE);
        Reader again = open(Long.toString(QUEUE));
        take(again, 100);
        await(() -> again.positions().size() == 5);
        assertThat(again.positions()).containsExactly(17L, 18L, 19L, 20L, 21L);
        assertThat(registry.counter("sse.events.dropped").count()).isZero();
    }

    @Test
    void theOtherStrategyLeavesOutTheListAndSaysSo() throws Exception {
        strategy = Backpressure.DROP_TOKENS_AND_SYSTEM;
        Reader reader = caughtUp();
        change(Kind.CONVERSATION, QUEUE + 5);

        assertThat(registry.counter("sse.events.dropped").count()).isEqualTo(5);
        take(reader, 100);

        assertThat(reader.completed).isFalse();
        assertThat(reader.positions()).hasSize(QUEUE);
        assertThat(reader.items.get(reader.items.size() - 1))
                .isEqualTo(new StreamItem.Reset(QUEUE + 5, "The reader was too slow, and changes were left out."));
    }

    @Test
    void aLongAbsenceIsReadInPagesWhileMoreHappens() throws Exception {
        change(Kind.MESSAGE, 150);
        Reader reader = open("10");
        take(reader, 40);
        change(Kind.MESSAGE, 20);
        take(reader, 1000);
        await(() -> reader.positions().size() == 160);
        change(Kind.MESSAGE, 1);
        await(() -> reader.positions().size() == 161);

        List<Long> expected = new ArrayList<>();
        for (long i = 11; i <= 171; i++) {
            expected.add(i);
        }
        assertThat(reader.positions()).isEqualTo(expected);
    }

    @Test
    void oldEventsAndTooManyAreRemoved() throws Exception {
        for (int i = 0; i < 10; i++) {
            changes(100);
        }
        await(() -> stored() == MOST);
        clock.now = clock.now.plus(Duration.ofHours(49));
        changes(1);
        await(() -> stored() == 1);

        Reader reader = open("5");
        take(reader, 10);
        await(() -> reader.items.size() >= 2);
        assertThat(reader.items.get(1)).isInstanceOf(StreamItem.Reset.class);
    }

    @Test
    void streamsOfAUserAreBounded() throws Exception {
        for (int i = 0; i < 4; i++) {
            open(null);
        }
        CompletableFuture<Throwable> refused = new CompletableFuture<>();
        onLoop(() -> events().open(USER, null, contents).subscribe(item -> {}, refused::complete));

        assertThat(refused.get(10, TimeUnit.SECONDS)).hasMessageContaining("4 open streams");
    }

    private long stored() {
        return Objects.requireNonNull(database.transaction(transaction -> transaction
                        .rows("SELECT COUNT(*) AS events FROM events", row -> row.number("events"))
                        .next())
                .block(Duration.ofSeconds(30)));
    }

    private double gauge(String name) {
        return registry.get(name).gauge().value();
    }

    private Reader open(@Nullable String last) throws Exception {
        Reader reader = new Reader();
        onLoop(() -> events().open(USER, last, contents).subscribe(reader));
        return reader;
    }

    /** A reader that has read everything, and takes no more. */
    private Reader caughtUp() throws Exception {
        Reader reader = open(null);
        take(reader, 2);
        await(() -> reader.items.size() == 1);
        await(() -> upToDate);
        say("begin ");
        await(() -> reader.items.size() == 2);
        return reader;
    }

    private void take(Reader reader, int items) throws Exception {
        onLoop(() -> reader.request(items));
    }

    private void say(String more) {
        onLoopQuietly(() -> {
            int offset = text.length();
            text.append(more);
            if (!more.isEmpty()) {
                events().tell(USER, new StreamItem.Piece("c", "m", false, offset, more));
            }
        });
    }

    /** All in one transaction. */
    private void changes(int times) {
        events().record(USER, recorder -> {
                    for (int i = 0; i < times; i++) {
                        recorder.tell(Kind.MESSAGE, "s", new byte[] {'{', '}'}, false);
                    }
                    return Mono.just(1);
                })
                .subscribeOn(Schedulers.fromExecutor(loop))
                .block(Duration.ofSeconds(60));
    }

    private void change(Kind kind, int times) {
        for (int i = 0; i < times; i++) {
            events().record(USER, recorder -> {
                        recorder.tell(kind, "s", new byte[] {'{', '}'}, false);
                        return Mono.just(1);
                    })
                    .subscribeOn(Schedulers.fromExecutor(loop))
                    .block(Duration.ofSeconds(30));
        }
    }

    private void onLoopQuietly(Runnable task) {
        try {
            onLoop(task);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private void onLoop(Runnable task) throws Exception {
        Supplier<Boolean> whole = () -> {
            task.run();
            return true;
        };
        CompletableFuture.supplyAsync(whole, loop).get(30, TimeUnit.SECONDS);
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("it did not happen within 60 s");
            }
            Thread.sleep(5);
        }
    }
}
