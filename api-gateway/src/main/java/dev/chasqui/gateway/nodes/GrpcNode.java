package dev.chasqui.gateway.nodes;

import com.google.protobuf.MessageLite;
import dev.chasqui.proto.v1.EngineStatus;
import dev.chasqui.proto.v1.ErrorReason;
import dev.chasqui.proto.v1.NodeGrpc;
import dev.chasqui.proto.v1.NodeStatus;
import dev.chasqui.proto.v1.WatchStatusRequest;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.SignalType;

/**
 * One node: its channel, the calls to it, and a standing watch of its status that comes back by itself after the node
 * was away. The watch runs on the event loop, which owns its fields.
 *
 * <p>A node speaks twice a second. One that is silent for a moment gets no new requests where others take them, and those
 * that it has not begun to answer go there too; one that stays silent is taken for gone, and its calls fail. Each watch has a
 * channel of its own, so that what waits in a broken connection never stands in the way of a new one.
 */
final class GrpcNode {
    /** What a node needs to know of all of them, and tells them. */
    interface Company {
        /** Whether there is another that answers requests for the default model. */
        boolean othersAnswer(GrpcNode but);

        /** How long a node may be silent until its answers count as broken off. */
        Duration patience(boolean othersAnswer);

        /** A node answers requests for the default model, or did until now. */
        void answered();

        /** A node that had spoken was silent for longer than that. */
        void hangs();
    }

    private static final Logger log = LoggerFactory.getLogger(GrpcNode.class);
    private static final long FIRST_RETRY_MS = 100;
    private static final long LONGEST_RETRY_MS = 500;
    /** One that was never there may still be starting, so its absence is told only after this. */
    private static final long STARTING_MS = 15_000;

    private static final int BEAT_MS = 500;
    private static final long SILENT_AFTER_MS = 1_500;
    private static final long FIRST_WORD_MS = 10_000;

    private final NodeAddress address;
    private final @Nullable String name;
    private final NodeChannels channels;
    private final EventLoop loop;
    private final Company company;
    private final @Nullable String authorization;
    private final long createdNanos = System.nanoTime();
    private final Set<ServerStream.Running> running = ConcurrentHashMap.newKeySet();
    private final ServerStream.Owner requests = new Requests();
    private volatile ManagedChannel channel;
    private volatile NodeStatus status = NodeStatus.getDefaultInstance();
    private volatile int elsewhere;
    private volatile boolean reachable;
    private volatile boolean silent;
    private volatile boolean closing;

    private @Nullable Watch watch;
    /** Calls may still run there. */
    private volatile @Nullable ManagedChannel former;

    private @Nullable Unreachable told;
    private boolean retired;
    private long retryMs = FIRST_RETRY_MS;
    private Runnable cancelRetry = () -> {};

    /** @param name that its certificate must have; null: the address's host */
    GrpcNode(NodeAddress address, @Nullable String name, NodeChannels channels, Company company) {
        this.address = address;
        this.name = name;
        this.channels = channels;
        this.loop = channels.loop();
        this.company = company;
        this.authorization = channels.authorization();
        this.channel = channels.open(address, name);
    }

    /** Begins to watch the node; returns at once. */
    void start() {
        loop.execute(this::connect);
    }

    NodeState state() {
        if (!reachable) {
            return NodeState.DOWN;
        }
        return status.getDraining() ? NodeState.DRAINING : silent ? NodeState.SILENT : NodeState.UP;
    }

    /** Whether it takes requests for the default model, and has it. */
    boolean answers() {
        return Readiness.of(view()).state() == Readiness.State.READY;
    }

    NodeView view() {
        return new NodeView(address, state(), status, running.size(), elsewhere);
    }

    /** @param answers whether a message is part of the answer, so that nobody else can give it any more */
    <Q extends MessageLite, R> Flux<R> call(MethodDescriptor<Q, R> method, Q request, Predicate<R> answers) {
        return new ServerStream<>(channel, loop, method, authorization, request, requests, answers);
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
        if (former != null) {
            former.shutdownNow();
        }
    }

    /** Takes no new calls, and closes the channel when those that run have ended. */
    void retire() {
        tellAnswering();
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
        Watching watching = new Watching();
        Watch next = new Watch(watching);
        watch = next;
        next.listen();
        new ServerStream<>(
                        channel,
                        loop,
                        NodeGrpc.getWatchStatusMethod(),
                        authorization,
                        WatchStatusRequest.newBuilder().setIntervalMs(BEAT_MS).build(),
                        watching,
                        beat -> true)
                .subscribe(next);
    }

    /** @param broken whether calls must not go on waiting for the old connection */
    private void lost(@Nullable Unreachable reason, boolean broken) {
        watch = null;
        if (closing || retired) {
            return;
        }
        tell(reason == null ? new Unreachable(false, "it ended the connection") : reason);
        tellAnswering();
        reachable = false;
        silent = false;
        former = channel;
        channel = channels.open(address, name);
        if (broken) {
            former.shutdownNow();
        } else {
            former.shutdown();
        }
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

    private void tellAnswering() {
        if (answers()) {
            company.answered();
        }
    }

    private void heard(NodeStatus next) {
        tellAnswering();
        retryMs = FIRST_RETRY_MS;
        told = null;
        NodeState before = state();
        int all = 0;
        for (EngineStatus engine : next.getEnginesList()) {
            all += engine.getSlotsInUse() + engine.getQueued();
        }
        elsewhere = Math.max(0, all - running.size());
        status = next;
        reachable = true;
        silent = false;
        tellAnswering();
        NodeState now = state();
        if (now != before) {
            switch (now) {
                case DRAINING -> log.info("node {} takes no new requests: it ends", address);
                default -> log.info("node {} answers (version {})", address, next.getVersion());
            }
        }
    }

    private final class Watch extends BaseSubscriber<NodeStatus> {
        private static final long TICK_MS = 250;

        private final Watching watching;
        /**
         * Counted, not read from a clock: a gateway that itself stood still, in a collection of garbage or a closed laptop,
         * was not listening.
         */
        private long silentMs;

        private Runnable cancelTick = () -> {};

        Watch(Watching watching) {
            this.watching = watching;
        }

        void listen() {
            cancelTick = loop.schedule(this::tick, TICK_MS);
        }

        private void tick() {
            silentMs += TICK_MS;
            boolean takenOver = company.othersAnswer(GrpcNode.this);
            if (silentMs >= (reachable ? company.patience(takenOver).toMillis() : FIRST_WORD_MS)) {
                if (reachable) {
                    company.hangs();
                }
                cancel();
                return;
            }
            if (reachable && silentMs >= SILENT_AFTER_MS) {
                silent(takenOver);
            }
            listen();
        }

        private void silent(boolean takenOver) {
            if (!silent) {
                silent = true;
                log.warn("node {} is silent{}", address, takenOver ? ": requests go elsewhere" : "");
            }
            if (takenOver) {
                NodeException failure = new NodeException(
                        ErrorReason.ERROR_REASON_NODE_UNREACHABLE,
                        "The inference node does not answer.",
                        null,
                        StatusMapping.RETRY_SOON);
                running.forEach(call -> call.giveUp(failure));
            }
        }

        @Override
        protected void hookOnNext(NodeStatus next) {
            silentMs = 0;
            heard(next);
        }

        @Override
        protected void hookOnError(Throwable error) {
            lost(watching.reason, false);
        }

        @Override
        protected void hookOnComplete() {
            lost(null, false);
        }

        @Override
        protected void hookOnCancel() {
            lost(new Unreachable(false, "it is silent"), true);
        }

        @Override
        protected void hookFinally(SignalType type) {
            cancelTick.run();
        }
    }

    private class Watching implements ServerStream.Owner {
        private @Nullable Unreachable reason;

        @Override
        public void began(ServerStream.Running call) {}

        @Override
        public void ended(ServerStream.Running call) {}

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
        public void began(ServerStream.Running call) {
            running.add(call);
        }

        @Override
        public void ended(ServerStream.Running call) {
            running.remove(call);
        }
    }
}
