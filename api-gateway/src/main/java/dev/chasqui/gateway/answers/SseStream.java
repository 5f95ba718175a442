package dev.chasqui.gateway.answers;

import dev.chasqui.gateway.nodes.EventLoop;
import dev.chasqui.gateway.nodes.GenerationOutcome;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferFactory;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.http.server.reactive.ServerHttpResponse;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Operators;

/**
 * The body of a streamed answer: events, mostly of a node, encoded, and a ping whenever nothing was sent for a while.
 *
 * <p>An error before the first byte goes on as an error, so that it can still become a status of its own; a later one
 * becomes the last event. The reader's demand is the node's, so that a slow reader slows the node's sending and
 * nothing piles up here. Everything here happens on the event loop, so there are no locks.
 *
 * @param <E> what the answer is made of
 */
final class SseStream<E> extends Flux<DataBuffer> {
    private static final Logger log = LoggerFactory.getLogger(SseStream.class);

    private final Flux<E> events;
    private final AnswerEncoder<? super E> encoder;
    private final DataBufferFactory buffers;
    private final EventLoop loop;
    private final Pings pings;
    private final GenerationOutcome outcome;
    private @Nullable Relay relay;

    /** @param outcome counts what is sent */
    SseStream(
            Flux<E> events,
            AnswerEncoder<? super E> encoder,
            DataBufferFactory buffers,
            EventLoop loop,
            Pings pings,
            GenerationOutcome outcome) {
        this.events = events;
        this.encoder = encoder;
        this.buffers = buffers;
        this.loop = loop;
        this.pings = pings;
        this.outcome = outcome;
    }

    /** Writes all of this as the response's body; once. Whatever ends the writing early ends the node's call too. */
    Mono<Void> writeTo(ServerHttpResponse response) {
        // Spring's first write to a connection that has just closed fails without cancelling what it was to write.
        return response.writeWith(this).doOnError(error -> abandon());
    }

    @Override
    public void subscribe(CoreSubscriber<? super DataBuffer> actual) {
        relay = new Relay(actual);
        events.subscribe(relay);
    }

    private void abandon() {
        if (relay != null) {
            relay.cancel();
        }
    }

    private final class Relay implements CoreSubscriber<E>, Subscription {
        private final CoreSubscriber<? super DataBuffer> actual;
        private @Nullable Subscription node;
        /** Buffers that the reader still takes. */
        private long demand;
        /** Pings that took the place of an event which the node was already asked for. */
        private long debt;
        /** What came while the reader took nothing: as much as there were pings, and an error. */
        private final Deque<DataBuffer> held = new ArrayDeque<>(2);

        private boolean begun;
        private boolean sentSinceTick;
        private boolean ended;
        private Runnable cancelTick = () -> {};

        Relay(CoreSubscriber<? super DataBuffer> actual) {
            this.actual = actual;
        }

        @Override
        public void onSubscribe(Subscription subscription) {
            node = subscription;
            cancelTick = loop.schedule(this::tick, pings.firstMs());
            actual.onSubscribe(this);
        }

        @Override
        public void request(long n) {
            if (!Operators.validate(n)) {
                return;
            }
            demand = Operators.addCap(demand, n);
            while (demand > 0 && !held.isEmpty()) {
                emit(held.remove());
            }
            if (ended) {
                completeWhenEmpty();
                return;
            }
            long repaid = Math.min(debt, n);
            debt -= repaid;
            if (n > repaid) {
                askNode(n - repaid);
            }
        }

        @Override
        public void cancel() {
            if (!ended) {
                outcome.cutOff();
            }
            end();
            held.forEach(DataBufferUtils::release);
            held.clear();
            if (node != null) {
                node.cancel();
            }
        }

        @Override
        public void onNext(E event) {
            if (ended) {
                return;
            }
            JsonBytes bytes;
            try {
                bytes = encoder.encode(event);
            } catch (RuntimeException e) {
                log.error(
                        "an event of the node could not be encoded: {}",
                        e.getClass().getName());
                if (node != null) {
                    node.cancel();
                }
                onError(e);
                return;
            }
            if (bytes.size() > 0) {
                send(buffer(bytes));
            } else {
                askNode(1);
            }
        }

        @Override
        public void onError(Throwable error) {
            if (ended) {
                return;
            }
            end();
            if (begun) {
                send(buffer(encoder.fail(error)));
                completeWhenEmpty();
            } else {
                actual.onError(error);
            }
        }

        @Override
        public void onComplete() {
            if (!ended) {
                end();
                completeWhenEmpty();
            }
        }

        private void completeWhenEmpty() {
            if (held.isEmpty()) {
                actual.onComplete();
            }
        }

        private void askNode(long n) {
            if (node != null) {
                node.request(n);
            }
        }

        private void tick() {
            if (ended) {
                return;
            }
            if (!sentSinceTick && demand > 0) {
                debt++;
                send(buffers.wrap(encoder.ping()));
            }
            sentSinceTick = false;
            cancelTick = loop.schedule(this::tick, pings.laterMs());
        }

        private void send(DataBuffer buffer) {
            begun = true;
            sentSinceTick = true;
            if (demand > 0 && held.isEmpty()) {
                emit(buffer);
            } else {
                held.add(buffer);
            }
        }

        private void emit(DataBuffer buffer) {
            demand--;
            outcome.sent();
            actual.onNext(buffer);
        }

        private void end() {
            ended = true;
            cancelTick.run();
        }

        private DataBuffer buffer(JsonBytes bytes) {
            DataBuffer buffer = buffers.allocateBuffer(bytes.size());
            return buffer.write(bytes.array(), 0, bytes.size());
        }
    }
}
