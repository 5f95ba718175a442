package dev.chasqui.gateway.nodes;

import com.google.common.util.concurrent.MoreExecutors;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;

/**
 * A gRPC call with any number of answers, as a Flux: each subscription is one call, its demand is gRPC's, and
 * cancelling it cancels the call. Signals come on the event loop.
 */
final class ServerStream<Q, R> extends Flux<R> {
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

    /** Messages come on the event loop anyway: a queue before an executor would cost every token. */
    private static final CallOptions OPTIONS = CallOptions.DEFAULT.withExecutor(MoreExecutors.directExecutor());

    /** Told when calls begin and end, and asked what a failure means. */
    interface Owner {
        void began(Running call);

        void ended(Running call);

        NodeException failure(Status status, Metadata trailers);
    }

    /** A call that has begun and not ended. */
    interface Running {
        /** Ends it with this failure, unless the answer has begun. On the event loop. */
        void giveUp(NodeException failure);
    }

    private final Channel channel;
    private final EventLoop loop;
    private final MethodDescriptor<Q, R> method;
    private final @Nullable String authorization;
    private final Q request;
    private final Owner owner;
    private final Predicate<R> answers;

    /**
     * @param loop on which the channel's answers come, and all signals
     * @param answers whether a message is part of the answer, and not only word of its coming
     */
    ServerStream(
            Channel channel,
            EventLoop loop,
            MethodDescriptor<Q, R> method,
            @Nullable String authorization,
            Q request,
            Owner owner,
            Predicate<R> answers) {
        this.channel = channel;
        this.loop = loop;
        this.method = method;
        this.authorization = authorization;
        this.request = request;
        this.owner = owner;
        this.answers = answers;
    }

    @Override
    public void subscribe(CoreSubscriber<? super R> actual) {
        Call<Q, R> call = new Call<>(channel.newCall(method, OPTIONS), loop, actual, owner, answers);
        actual.onSubscribe(call);
        Metadata headers = new Metadata();
        if (authorization != null) {
            headers.put(AUTHORIZATION, authorization);
        }
        call.start(headers, request);
    }

    /** Both ends of one call. Demand and cancellation may come from any thread, also before the call is started. */
    private static final class Call<Q, R> extends ClientCall.Listener<R> implements Subscription, Running {
        private final ClientCall<Q, R> call;
        private final EventLoop loop;
        private final CoreSubscriber<? super R> actual;
        private final Owner owner;
        private final Predicate<R> answers;
        private final AtomicBoolean ended = new AtomicBoolean();
        private boolean answered;
        private boolean started;
        private long demandBeforeStart;

        Call(
                ClientCall<Q, R> call,
                EventLoop loop,
                CoreSubscriber<? super R> actual,
                Owner owner,
                Predicate<R> answers) {
            this.call = call;
            this.loop = loop;
            this.actual = actual;
            this.owner = owner;
            this.answers = answers;
            owner.began(this);
        }

        void start(Metadata headers, Q request) {
            if (ended.get()) {
                return;
            }
            call.start(this, headers);
            call.sendMessage(request);
            call.halfClose();
            long demand;
            synchronized (this) {
                started = true;
                demand = demandBeforeStart;
            }
            if (demand > 0) {
                call.request(saturated(demand));
            }
        }

        @Override
        public void request(long n) {
            if (!Operators.validate(n)) {
                return;
            }
            synchronized (this) {
                if (!started) {
                    demandBeforeStart = Operators.addCap(demandBeforeStart, n);
                    return;
                }
            }
            call.request(saturated(n));
        }

        @Override
        public void cancel() {
            if (ended.compareAndSet(false, true)) {
                owner.ended(this);
                call.cancel("no longer wanted", null);
            }
        }

        @Override
        public void giveUp(NodeException failure) {
            if (!answered && ended.compareAndSet(false, true)) {
                owner.ended(this);
                call.cancel("answered elsewhere", null);
                actual.onError(failure.toldBeforeAnswer());
            }
        }

        @Override
        public void onMessage(R message) {
            if (!ended.get()) {
                answered = answered || answers.test(message);
                actual.onNext(message);
            }
        }

        /** Comes from anywhere where a call fails without ever reaching the node. */
        @Override
        public void onClose(Status status, Metadata trailers) {
            loop.execute(() -> close(status, trailers));
        }

        private void close(Status status, Metadata trailers) {
            if (!ended.compareAndSet(false, true)) {
                return;
            }
            owner.ended(this);
            if (status.isOk()) {
                actual.onComplete();
            } else {
                NodeException failure = owner.failure(status, trailers);
                actual.onError(answered ? failure : failure.toldBeforeAnswer());
            }
        }

        private static int saturated(long n) {
            return (int) Math.min(n, Integer.MAX_VALUE);
        }
    }
}
