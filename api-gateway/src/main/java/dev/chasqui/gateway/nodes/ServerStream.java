package dev.chasqui.gateway.nodes;

import com.google.common.util.concurrent.MoreExecutors;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.concurrent.atomic.AtomicBoolean;
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
        void began();

        void ended();

        NodeException failure(Status status, Metadata trailers);
    }

    private final Channel channel;
    private final EventLoop loop;
    private final MethodDescriptor<Q, R> method;
    private final @Nullable String authorization;
    private final Q request;
    private final Owner owner;

    /** @param loop on which the channel's answers come, and all signals */
    ServerStream(
            Channel channel,
            EventLoop loop,
            MethodDescriptor<Q, R> method,
            @Nullable String authorization,
            Q request,
            Owner owner) {
        this.channel = channel;
        this.loop = loop;
        this.method = method;
        this.authorization = authorization;
        this.request = request;
        this.owner = owner;
    }

    @Override
    public void subscribe(CoreSubscriber<? super R> actual) {
        Call<Q, R> call = new Call<>(channel.newCall(method, OPTIONS), loop, actual, owner);
        actual.onSubscribe(call);
        Metadata headers = new Metadata();
        if (authorization != null) {
            headers.put(AUTHORIZATION, authorization);
        }
        call.start(headers, request);
    }

    /** Both ends of one call. Demand and cancellation may come from any thread, also before the call is started. */
    private static final class Call<Q, R> extends ClientCall.Listener<R> implements Subscription {
        private final ClientCall<Q, R> call;
        private final EventLoop loop;
        private final CoreSubscriber<? super R> actual;
        private final Owner owner;
        private final AtomicBoolean ended = new AtomicBoolean();
        private boolean started;
        private long demandBeforeStart;

        Call(ClientCall<Q, R> call, EventLoop loop, CoreSubscriber<? super R> actual, Owner owner) {
            this.call = call;
            this.loop = loop;
            this.actual = actual;
            this.owner = owner;
            owner.began();
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
                owner.ended();
                call.cancel("no longer wanted", null);
            }
        }

        @Override
        public void onMessage(R message) {
            if (!ended.get()) {
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
            owner.ended();
            if (status.isOk()) {
                actual.onComplete();
            } else {
                actual.onError(owner.failure(status, trailers));
            }
        }

        private static int saturated(long n) {
            return (int) Math.min(n, Integer.MAX_VALUE);
        }
    }
}
