package dev.chasqui.node.grpc;

import dev.chasqui.proto.v1.ErrorReason;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.StatusRuntimeException;
import java.time.Duration;

/**
 * Counts the calls that run, until the last byte of each is on its way, and refuses new ones once the node drains. Its own
 * lock guards it.
 */
final class RunningCalls implements ServerInterceptor {
    private static final Duration SOON = Duration.ofSeconds(1);

    private int running;
    private boolean draining;

    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
        if (!began()) {
            StatusRuntimeException refusal = Failures.status(
                    ErrorReason.ERROR_REASON_SHUTTING_DOWN, "the node takes no more requests: it ends", SOON, "");
            Metadata trailers = refusal.getTrailers();
            call.close(refusal.getStatus(), trailers == null ? new Metadata() : trailers);
            return new ServerCall.Listener<>() {};
        }
        return new SimpleForwardingServerCallListener<>(next.startCall(call, headers)) {
            @Override
            public void onComplete() {
                ended();
                super.onComplete();
            }

            @Override
            public void onCancel() {
                ended();
                super.onCancel();
            }
        };
    }

    /** From now on new calls are refused. */
    synchronized void drain() {
        draining = true;
    }

    synchronized int running() {
        return running;
    }

    /** Waits until none runs. Returns how many still do when the time is over. */
    synchronized int awaitNone(Duration most) throws InterruptedException {
        long end = System.nanoTime() + most.toNanos();
        for (long left = end - System.nanoTime(); running > 0 && left > 0; left = end - System.nanoTime()) {
            wait(Math.max(1, left / 1_000_000));
        }
        return running;
    }

    private synchronized boolean began() {
        if (!draining) {
            running++;
        }
        return !draining;
    }

    private synchronized void ended() {
        running--;
        notifyAll();
    }
}
