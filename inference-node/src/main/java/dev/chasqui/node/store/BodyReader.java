package dev.chasqui.node.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Hands an HTTP body to a blocking reader that gives up when no byte comes for a while. One portion is on its way at a
 * time, so the queue holds at most that and the end.
 */
final class BodyReader implements Flow.Subscriber<List<ByteBuffer>> {
    /** The body ended before its time, or no byte came. */
    static final class Broken extends Exception {
        private static final long serialVersionUID = 1L;

        private final String how;

        Broken(String how) {
            super(how);
            this.how = how;
        }

        String how() {
            return how;
        }
    }

    private sealed interface Event permits Bytes, End {}

    private record Bytes(List<ByteBuffer> buffers) implements Event {}

    private record End(@Nullable Throwable error) implements Event {}

    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private final Duration patience;
    private volatile Flow.@Nullable Subscription subscription;
    private volatile boolean cancelled;

    BodyReader(Duration patience) {
        this.patience = patience;
    }

    /** Returns after the last byte. */
    void drainTo(PartialFile out) throws IOException, InterruptedException, Broken {
        while (true) {
            Event event = events.poll(patience.toMillis(), TimeUnit.MILLISECONDS);
            if (event instanceof Bytes bytes) {
                for (ByteBuffer buffer : bytes.buffers()) {
                    out.append(buffer);
                }
                request();
            } else if (event instanceof End end) {
                if (end.error() != null) {
                    throw new Broken("the connection broke");
                }
                return;
            } else {
                throw new Broken("no byte came for " + patience.toSeconds() + " s");
            }
        }
    }

    /** Ends a body that nobody wants (any more); a body has to be subscribed to for that. */
    void cancel(Flow.Publisher<List<ByteBuffer>> body) {
        cancelled = true;
        Flow.Subscription running = subscription;
        if (running != null) {
            running.cancel();
        } else {
            body.subscribe(this);
        }
    }

    private void request() {
        Flow.Subscription running = subscription;
        if (running != null) {
            running.request(1);
        }
    }

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
        this.subscription = subscription;
        if (cancelled) {
            subscription.cancel();
        } else {
            subscription.request(1);
        }
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
        events.add(new Bytes(buffers));
    }

    @Override
    public void onError(Throwable error) {
        events.add(new End(error));
    }

    @Override
    public void onComplete() {
        events.add(new End(null));
    }
}
