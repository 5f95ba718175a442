package dev.chasqui.gateway.nodes;

import java.time.Duration;
import java.util.function.Supplier;
import reactor.core.publisher.Mono;
import reactor.util.retry.Retry;

/**
 * The time in which no node answers, though one did a moment ago: requests that come then wait for its end, so that a
 * restart is a pause to those who ask. Where none has answered yet, or the last one is away for longer, they are told at
 * once. On the event loop.
 */
final class Outage {
    /** Each holds its request meanwhile. */
    private static final int MOST_WAITING = 256;

    /** A request that brings down the nodes that take it is not given to more of them. */
    private static final int MOST_LOST = 2;

    private static final long RETRY_MS = 200;

    private final Duration patience;
    private final EventLoop loop;
    private final Supplier<Readiness> readiness;
    private boolean known;
    private long lastNanos;
    private int waiting;

    /**
     * @param patience how long it may last for anybody to wait; zero: nobody does
     * @param readiness of the best node
     */
    Outage(Duration patience, EventLoop loop, Supplier<Readiness> readiness) {
        this.patience = patience;
        this.loop = loop;
        this.readiness = readiness;
    }

    /** A node answers requests, or did until now. */
    void answered() {
        known = true;
        lastNanos = System.nanoTime();
    }

    /** Requests that wait now. */
    int waiting() {
        return waiting;
    }

    /** Whether a node may soon take what none has taken. */
    private boolean endsSoon(NodeException refusal) {
        boolean away = switch (refusal.reason()) {
            case ERROR_REASON_NODE_UNREACHABLE -> true;
            // A node's; the gateway's own is for good.
            case ERROR_REASON_SHUTTING_DOWN -> refusal.beforeAnswer();
            case ERROR_REASON_MODEL_NOT_READY -> readiness.get().state() == Readiness.State.LOADING;
            default -> false;
        };
        return away && known && System.nanoTime() - lastNanos < patience.toNanos();
    }

    /** One request that no node has begun to answer. */
    final class Wait {
        private int lost;
        private boolean waits;
        private Runnable cancel = () -> {};

        /**
         * Asks again in a moment.
         *
         * @param refusal what became of the last attempt
         * @return false where that is for good
         */
        boolean again(NodeException refusal, Runnable attempt) {
            if (!endsSoon(refusal) || waiting == MOST_WAITING || (refusal.beforeAnswer() && ++lost > MOST_LOST)) {
                return false;
            }
            waiting++;
            waits = true;
            cancel = loop.schedule(
                    () -> {
                        end();
                        attempt.run();
                    },
                    RETRY_MS);
            return true;
        }

        void cancel() {
            cancel.run();
            end();
        }

        private void end() {
            if (waits) {
                waits = false;
                waiting--;
            }
        }
    }

    /** For a call with one answer. */
    Retry waits() {
        return Retry.from(failures -> {
            Wait wait = new Wait();
            return failures.concatMap(failure -> again(wait, failure.failure()));
        });
    }

    private static Mono<Boolean> again(Wait wait, Throwable failure) {
        return Mono.create(attempt -> {
            if (failure instanceof NodeException refusal && wait.again(refusal, () -> attempt.success(true))) {
                attempt.onCancel(wait::cancel);
            } else {
                attempt.error(failure);
            }
        });
    }
}
