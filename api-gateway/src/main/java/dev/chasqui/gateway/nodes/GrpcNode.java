package dev.chasqui.gateway.nodes;

import com.google.protobuf.MessageLite;
import dev.chasqui.proto.v1.ErrorReason;
import dev.chasqui.proto.v1.NodeGrpc;
import dev.chasqui.proto.v1.NodeStatus;
import dev.chasqui.proto.v1.WatchStatusRequest;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.SignalType;

/**
 * One node: its channel, the calls to it, and a standing watch of its status that comes back by itself after the node
 * was away. The watch runs on the event loop, which owns its fields.
 */
final class GrpcNode {
    private static final Logger log = LoggerFactory.getLogger(GrpcNode.class);
    private static final long FIRST_RETRY_MS = 100;
    private static final long LONGEST_RETRY_MS = 500;
    /** One that was never there may still be starting, so its absence is told only after this. */
    private static final long STARTING_MS = 15_000;
    /** A node speaks at least every 10 s; one that has been silent for this long is taken for gone. */
    private static final long SILENCE_MS = 30_000;

    private final NodeAddress address;
    private final EventLoop loop;
    private final ManagedChannel channel;
    private final @Nullable String authorization;
    private final long createdNanos = System.nanoTime();
    private final AtomicInteger inFlight = new AtomicInteger();
    private final ServerStream.Owner requests = new Requests();
    private volatile NodeStatus status = NodeStatus.getDefaultInstance();
    private volatile boolean reachable;
    private volatile boolean closing;

    private @Nullable Watch watch;
    private @Nullable Unreachable told;
    private boolean retired;
    private long retryMs = FIRST_RETRY_MS;
    private Runnable cancelRetry = () -> {};

    /** @param name that its certificate must have; null: the address's host */
    GrpcNode(NodeAddress address, @Nullable String name, NodeChannels channels) {
        this.address = address;
        this.loop = channels.loop();
        this.authorization = channels.authorization();
        this.channel = channels.open(address, name);
    }

    /** Begins to watch the node; returns at once. */
    void start() {
        loop.execute(this::connect);
    }

    NodeView view() {
        return new NodeView(address, reachable, status, inFlight.get());
    }

    <Q extends MessageLite, R> Flux<R> call(MethodDescriptor<Q, R> method, Q request) {
        return new ServerStream<>(channel, loop, method, authorization, request, requests);
    }

    /** A new process may listen there now: tries at once instead of waiting out the backoff. */
    void hurry() {
        loop.execute(() -> {
            retryMs = FIRST_RETRY_MS;
            if (!reachable && watch == null) {
                connect();
            }
        });
    }

    /** Fails what is running with {@code SHUTTING_DOWN} and closes the channel. */
    void close() {
        closing = true;
        loop.execute(cancelRetry);
        channel.shutdownNow();
    }

    /** Takes no new calls, and closes the channel when those that run have ended. */
    void retire() {
        retired = true;
        cancelRetry.run();
        if (watch != null) {
            watch.cancel();
        }
        channel.shutdown();
    }

    private void connect() {
        if (closing || retired || watch != null) {
            return;
        }
        cancelRetry.run();
        channel.resetConnectBackoff();
        Watching watching = new Watching();
        Watch next = new Watch(watching);
        watch = next;
        next.listenForSilence();
        new ServerStream<>(
                        channel,
                        loop,
                        NodeGrpc.getWatchStatusMethod(),
                        authorization,
                        WatchStatusRequest.getDefaultInstance(),
                        watching)
                .subscribe(next);
    }

    private void lost(@Nullable Unreachable reason) {
        watch = null;
        if (closing || retired) {
            return;
        }
        tell(reason == null ? new Unreachable(false, "it ended the connection") : reason);
        reachable = false;
        cancelRetry = loop.schedule(this::connect, retryMs);
        retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
    }

    /** Once for each reason, until it answers again. */
    private void tell(Unreachable reason) {
        boolean starting = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - createdNanos) < STARTING_MS;
        if (reachable || (!reason.equals(told) && (reason.refused() || (told == null && !starting)))) {
            log.warn("node {} is not reachable: {}", address, reason.why());
            told = reason;
        }
    }

    private final class Watch extends BaseSubscriber<NodeStatus> {
        private final Watching watching;
        private long heardNanos = System.nanoTime();
        private Runnable cancelCheck = () -> {};

        Watch(Watching watching) {
            this.watching = watching;
        }

        void listenForSilence() {
            cancelCheck = loop.schedule(this::check, SILENCE_MS);
        }

        private void check() {
            long silentMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - heardNanos);
            if (silentMs >= SILENCE_MS) {
                cancel();
            } else {
                cancelCheck = loop.schedule(this::check, SILENCE_MS - silentMs);
            }
        }

        @Override
        protected void hookOnNext(NodeStatus next) {
            heardNanos = System.nanoTime();
            retryMs = FIRST_RETRY_MS;
            told = null;
            status = next;
            if (!reachable) {
                reachable = true;
                log.info("node {} answers (version {})", address, next.getVersion());
            }
        }

        @Override
        protected void hookOnError(Throwable error) {
            lost(watching.reason);
        }

        @Override
        protected void hookOnComplete() {
            lost(null);
        }

        @Override
        protected void hookOnCancel() {
            lost(new Unreachable(false, "it is silent"));
        }

        @Override
        protected void hookFinally(SignalType type) {
            cancelCheck.run();
        }
    }

    private class Watching implements ServerStream.Owner {
        private @Nullable Unreachable reason;

        @Override
        public void began() {}

        @Override
        public void ended() {}

        @Override
        public NodeException failure(Status failure, Metadata trailers) {
            reason = Unreachable.of(failure);
            return closing
                    ? new NodeException(
                            ErrorReason.ERROR_REASON_SHUTTING_DOWN,
                            "The gateway is shutting down.",
                            null,
                            StatusMapping.RETRY_SOON)
                    : StatusMapping.exception(failure, trailers);
        }
    }

    private final class Requests extends Watching {
        @Override
        public void began() {
            inFlight.incrementAndGet();
        }

        @Override
        public void ended() {
            inFlight.decrementAndGet();
        }
    }
}
