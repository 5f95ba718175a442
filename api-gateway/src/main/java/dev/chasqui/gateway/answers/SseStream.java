package dev.chasqui.gateway.answers;

import dev.chasqui.gateway.nodes.EventLoop;
import dev.chasqui.gateway.nodes.GenerationOutcome;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Queue;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.http.server.reactive.ServerHttpResponse;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Operators;

/**
 * The body of a streamed answer: events, mostly of a node, encoded, and a ping whenever nothing was sent for a while.
 *
 * <p>An error before the first byte goes on as an error, so that it can still become a status of its own; a later one
 * becomes the last event. While the reader does not take what was written nothing more is asked of the node, so that his
 * text piles up there and not here. The first piece goes through the server, which sends the head before it; the others
 * go straight to the connection. Everything here happens on the event loop, so there are no locks.
 *
 * @param <E> what the answer is made of
 */
final class SseStream<E> extends Flux<DataBuffer> {
    private static final Logger log = LoggerFactory.getLogger(SseStream.class);
    /** Events that the node may send before it hears that they were taken. */
    private static final int WINDOW = 8;

    private final Flux<E> events;
    private final AnswerEncoder<? super E> encoder;
    private final ServerHttpResponse response;
    private final EventLoop loop;
    private final Pings pings;
    private final GenerationOutcome outcome;
    private @Nullable Relay relay;

    /** @param outcome counts what is sent */
    SseStream(
            Flux<E> events,
            AnswerEncoder<? super E> encoder,
            ServerHttpResponse response,
            EventLoop loop,
            Pings pings,
            GenerationOutcome outcome) {
        this.events = events;
        this.encoder = encoder;
        this.response = response;
        this.loop = loop;
        this.pings = pings;
        this.outcome = outcome;
    }

    /** Writes all of this as the response's body; once. Whatever ends the writing early ends the node's call too. */
    Mono<Void> write() {
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
        /** Events that the node was asked for and has not sent. */
        private int outstanding;
        /** From its second request on, when the server has the first piece and with it the head. */
        private @Nullable BodyWriter body;

        private boolean asked;
        /** What came between the first piece and then. */
        private final Queue<byte[]> held = new ArrayDeque<>(2);

        private boolean begun;
        private boolean sentSinceTick;
        private boolean ended;
        private boolean cancelled;
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
            if (!Operators.validate(n) || cancelled) {
                return;
            }
            if (!asked) {
                asked = true;
                askNode();
            } else if (body == null) {
                goOn(new BodyWriter(response, loop, this::askNode));
            }
        }

        private void goOn(BodyWriter next) {
            body = next;
            boolean complete = ended;
            while (!held.isEmpty()) {
                byte[] piece = held.remove();
                next.write(piece, piece.length);
            }
            if (complete) {
                actual.onComplete();
            } else {
                askNode();
            }
        }

        @Override
        public void cancel() {
            if (!ended) {
                outcome.cutOff();
            }
            cancelled = true;
            end();
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
            outstanding--;
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
                send(bytes.array(), bytes.size());
            }
            askNode();
        }

        @Override
        public void onError(Throwable error) {
            if (ended) {
                return;
            }
            end();
            if (begun) {
                JsonBytes last = encoder.fail(error);
                send(last.array(), last.size());
                complete();
            } else {
                actual.onError(error);
            }
        }

        @Override
        public void onComplete() {
            if (!ended) {
                end();
                complete();
            }
        }

        /** Now, or when what is held has gone. */
        private void complete() {
            if (body != null || !begun) {
                actual.onComplete();
            }
        }

        /** Asks for as much as a reader who reads will have taken by then, and of one who does not for nothing. */
        private void askNode() {
            if (node != null && !ended && outstanding <= WINDOW / 2 && isWritable()) {
                int more = WINDOW - outstanding;
                outstanding = WINDOW;
                node.request(more);
            }
        }

        private boolean isWritable() {
            return body == null ? held.size() < WINDOW : body.isWritable();
        }

        private void tick() {
            if (ended) {
                return;
            }
            if (!sentSinceTick && (!begun || (body != null && body.isWritable()))) {
                byte[] ping = encoder.ping();
                send(ping, ping.length);
            }
            sentSinceTick = false;
            cancelTick = loop.schedule(this::tick, pings.laterMs());
        }

        private void send(byte[] bytes, int size) {
            sentSinceTick = true;
            outcome.sent();
            if (body != null) {
                body.write(bytes, size);
            } else if (begun) {
                held.add(Arrays.copyOf(bytes, size));
            } else {
                begun = true;
                actual.onNext(response.bufferFactory().allocateBuffer(size).write(bytes, 0, size));
            }
        }

        private void end() {
            ended = true;
            cancelTick.run();
        }
    }
}
