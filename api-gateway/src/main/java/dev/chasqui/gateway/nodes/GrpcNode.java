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
import io.grpc.netty.NettyChannelBuilder;
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
    private static final int MAX_MESSAGE_BYTES = 32 * 1024 * 1024;
    /** Of one call that the node may send unread: for a reader who does not read it lies here, so it is not much. */
    private static final int WINDOW_BYTES = 64 * 1024;

    private static final long FIRST_RETRY_MS = 100;
    private static final long LONGEST_RETRY_MS = 500;
    /** A node speaks at least every 10 s; one that has been silent for this long is taken for gone. */
    private static final long SILENCE_MS = 30_000;

    private final NodeAddress address;
    private final EventLoop loop;
    private final ManagedChannel channel;
    private final @Nullable String authorization;
    private final AtomicInteger inFlight = new AtomicInteger();
    private final ServerStream.Owner requests = new Requests();
    private volatile NodeStatus status = NodeStatus.getDefaultInstance();
    private volatile boolean reachable;
    private volatile boolean closing;

    private @Nullable Watch watch;
    private long retryMs = FIRST_RETRY_MS;
    private Runnable cancelRetry = () -> {};

    GrpcNode(NodeAddress address, @Nullable String token, EventLoop loop) {
        this.address = address;
        this.loop = loop;
        this.authorization = token == null ? null : "Bearer " + token;
        this.channel = NettyChannelBuilder.forAddress(address.host(), address.port())
                .eventLoopGroup(loop.group())
                .channelType(loop.socketType())
                .maxInboundMessageSize(MAX_MESSAGE_BYTES)
                .flowControlWindow(WINDOW_BYTES)
                .disableRetry()
                .proxyDetector(target -> null)
                .usePlaintext()
                .build();
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

    private void connect() {
        if (closing || watch != null) {
            return;
        }
        cancelRetry.run();
        channel.resetConnectBackoff();
        Watch next = new Watch();
        watch = next;
        next.listenForSilence();
        new ServerStream<>(
                        channel,
                        loop,
                        NodeGrpc.getWatchStatusMethod(),
                        authorization,
                        WatchStatusRequest.getDefaultInstance(),
                        new Watching())
                .subscribe(next);
    }

    private void lost() {
        watch = null;
        if (closing) {
            return;
        }
        if (reachable) {
            reachable = false;
            log.warn("node {} is not reachable", address);
        }
        cancelRetry = loop.schedule(this::connect, retryMs);
        retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
    }

    private final class Watch extends BaseSubscriber<NodeStatus> {
        private long heardNanos = System.nanoTime();
        private Runnable cancelCheck = () -> {};

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
            status = next;
            if (!reachable) {
                reachable = true;
                log.info("node {} answers (version {})", address, next.getVersion());
            }
        }

        @Override
        protected void hookOnError(Throwable error) {
            lost();
        }

        @Override
        protected void hookOnComplete() {
            lost();
        }

        @Override
        protected void hookOnCancel() {
            lost();
        }

        @Override
        protected void hookFinally(SignalType type) {
            cancelCheck.run();
        }
    }

    private class Watching implements ServerStream.Owner {
        @Override
        public void began() {}

        @Override
        public void ended() {}

        @Override
        public NodeException failure(Status failure, Metadata trailers) {
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
