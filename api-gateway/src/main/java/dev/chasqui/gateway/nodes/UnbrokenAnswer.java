package dev.chasqui.gateway.nodes;

import dev.chasqui.proto.v1.ErrorReason;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.Resume;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;

/**
 * One answer, by as many nodes as it takes: where the node that gives it is lost, another one, or the same when it is back,
 * goes on behind what was relayed. Whoever reads it sees a pause and nothing else.
 *
 * <p>Only the loss of a node does that, and its end; what is wrong with a request is wrong everywhere. A request that brings
 * down the nodes that take it is given up, unless each got further than the one before. What no node has taken yet waits
 * while an {@link Outage} is short.
 */
final class UnbrokenAnswer extends Flux<GenerationEvent> {
    /** Nodes that may break over it one after the other while the answer gets no further. */
    private static final int MOST_IN_VAIN = 3;

    /** So many tokens are further. */
    private static final int FURTHER = 8;

    private static final long RETRY_MS = 200;

    /** The request, and how it is asked for. */
    interface Request {
        /** Asks a node for the answer. */
        Flux<GenerationEvent> begin();

        /** Asks a node for what is missing of it. Fails at once where there is none now. */
        Flux<GenerationEvent> goOn(int seed, Resume resume);

        /** Answers that are wanted. */
        int choices();

        /** How long it may take; 0: as long as it takes. */
        long timeoutMs();

        /** Whether there can be a node at all. */
        boolean open();
    }

    private final Request request;
    private final EventLoop loop;
    private final Takeovers takeovers;
    private final Outage outage;

    UnbrokenAnswer(Request request, EventLoop loop, Takeovers takeovers, Outage outage) {
        this.request = request;
        this.loop = loop;
        this.takeovers = takeovers;
        this.outage = outage;
    }

    @Override
    public void subscribe(CoreSubscriber<? super GenerationEvent> actual) {
        Relay relay = new Relay(actual);
        actual.onSubscribe(relay);
        loop.execute(relay::begin);
    }

    /** Everything in it happens on the event loop. */
    private final class Relay implements Subscription {
        private final CoreSubscriber<? super GenerationEvent> actual;
        private final AnswerSoFar said = new AnswerSoFar();
        private final Queue<GenerationEvent> ready = new ArrayDeque<>(2);
        private final Outage.Wait wait = outage.new Wait();
        private final long beganNanos = System.nanoTime();
        private long demand;
        private boolean draining;
        private @Nullable Part part;
        private boolean ended;
        private @Nullable Throwable failure;
        private boolean cancelled;

        /** Why the node was lost that answered; null while one answers. */
        private @Nullable NodeException loss;

        private long lostNanos;
        private long heardNanos;
        private int tokensAtLoss;
        private int inVain;
        private Runnable cancelRetry = () -> {};
        private Runnable cancelCheck = () -> {};

        Relay(CoreSubscriber<? super GenerationEvent> actual) {
            this.actual = actual;
        }

        @Override
        public void request(long n) {
            if (Operators.validate(n)) {
                loop.execute(() -> {
                    demand = Operators.addCap(demand, n);
                    if (part != null) {
                        part.request(n);
                    }
                    drain();
                });
            }
        }

        @Override
        public void cancel() {
            loop.execute(() -> {
                cancelled = true;
                ready.clear();
                stop();
            });
        }

        void begin() {
            ask(request.begin());
        }

        private void ask(Flux<GenerationEvent> answer) {
            if (!cancelled) {
                part = new Part(this);
                answer.subscribe(part);
            }
        }

        private void take(GenerationEvent event, Part by) {
            int before = ready.size();
            said.take(event, ready::add);
            if (ready.size() == before) {
                by.request(1);
            }
            if (loss != null) {
                heard(event, by);
            }
            drain();
        }

        /** A word from a node that takes over. */
        private void heard(GenerationEvent event, Part by) {
            heardNanos = System.nanoTime();
            if (event.hasAdmitted()) {
                if (by.taken && ++inVain > MOST_IN_VAIN) {
                    giveUp();
                }
                by.taken = true;
            } else if (event.hasDelta() || event.hasFinished()) {
                cancelCheck.run();
                takeovers.goneOn(said.model(), since(lostNanos), tokensAtLoss);
                loss = null;
            }
        }

        private void drain() {
            if (draining) {
                return;
            }
            draining = true;
            while (demand > 0 && !ready.isEmpty()) {
                demand--;
                actual.onNext(ready.remove());
            }
            draining = false;
            if (ended && !cancelled && ready.isEmpty()) {
                cancelled = true;
                if (failure == null) {
                    actual.onComplete();
                } else {
                    actual.onError(failure);
                }
            }
        }

        private void end(@Nullable Throwable cause) {
            stop();
            ended = true;
            failure = cause;
            drain();
        }

        private void stop() {
            wait.cancel();
            cancelRetry.run();
            cancelCheck.run();
            Part running = part;
            part = null;
            if (running != null) {
                running.cancel();
            }
        }

        private void failed(Throwable cause, Part by) {
            part = null;
            if (!(cause instanceof NodeException problem) || !request.open()) {
                end(cause);
            } else if (!said.begun()) {
                beginLater(problem);
            } else if (!said.canGoOn() || takeovers.patience().isZero()) {
                end(problem);
            } else if (loss == null && isLost(problem)) {
                lost(problem);
            } else if (loss != null && mayDoLater(problem)) {
                tryAgain(problem, by);
            } else {
                end(problem);
            }
        }

        private void beginLater(NodeException refusal) {
            if (!wait.again(refusal, this::begin)) {
                end(refusal);
            } else if (request.timeoutMs() > 0) {
                cancelCheck.run();
                cancelCheck = loop.schedule(() -> end(tookTooLong()), Math.max(1, timeLeftMs()));
            }
        }

        private void lost(NodeException problem) {
            if (said.ended(request.choices())) {
                ready.add(said.completed());
                end(null);
                return;
            }
            inVain = said.tokens() - tokensAtLoss >= FURTHER ? 0 : inVain;
            count(problem);
            loss = problem;
            lostNanos = System.nanoTime();
            heardNanos = lostNanos;
            tokensAtLoss = said.tokens();
            if (inVain > MOST_IN_VAIN) {
                giveUp();
            } else {
                check();
                goOn();
            }
        }

        private void tryAgain(NodeException problem, Part by) {
            if (problem.reason() == ErrorReason.ERROR_REASON_MODEL_NOT_READY) {
                heardNanos = System.nanoTime();
            }
            if (by.taken) {
                count(problem);
            }
            if (inVain > MOST_IN_VAIN) {
                giveUp();
            } else {
                cancelRetry = loop.schedule(this::goOn, RETRY_MS);
            }
        }

        /** A node that ends does so for reasons of its own; one that breaks may do so over this request. */
        private void count(NodeException problem) {
            inVain += problem.reason() == ErrorReason.ERROR_REASON_SHUTTING_DOWN ? 0 : 1;
        }

        private void goOn() {
            long age = since(beganNanos).toMillis();
            ask(request.goOn(said.seed(), said.resume(request.choices(), age)));
        }

        /** Waits no longer than the request may take, and not for a node that says nothing. */
        private void check() {
            long left = takeovers.patience().minus(since(heardNanos)).toMillis();
            long timeLeft = timeLeftMs();
            if (timeLeft <= 0) {
                loss = tookTooLong();
            }
            cancelCheck.run();
            if (left <= 0 || timeLeft <= 0) {
                giveUp();
            } else {
                cancelCheck = loop.schedule(this::check, Math.min(left, timeLeft));
            }
        }

        private long timeLeftMs() {
            return request.timeoutMs() == 0
                    ? Long.MAX_VALUE
                    : request.timeoutMs() - since(beganNanos).toMillis();
        }

        private void giveUp() {
            takeovers.givenUp(said.model(), since(lostNanos), tokensAtLoss);
            end(loss);
        }
    }

    /** What one node says of it. */
    private static final class Part implements CoreSubscriber<GenerationEvent> {
        private final Relay relay;
        private @Nullable Subscription node;
        /** A node has taken the request. */
        boolean taken;

        Part(Relay relay) {
            this.relay = relay;
        }

        void request(long n) {
            if (node != null) {
                node.request(n);
            }
        }

        void cancel() {
            if (node != null) {
                node.cancel();
            }
        }

        @Override
        public void onSubscribe(Subscription subscription) {
            node = subscription;
            if (relay.part != this) {
                node.cancel();
            } else if (relay.demand > 0) {
                node.request(relay.demand);
            }
        }

        @Override
        public void onNext(GenerationEvent event) {
            if (relay.part == this) {
                relay.take(event, this);
            }
        }

        @Override
        public void onError(Throwable cause) {
            if (relay.part == this) {
                relay.failed(cause, this);
            }
        }

        @Override
        public void onComplete() {
            if (relay.part == this) {
                relay.end(null);
            }
        }
    }

    private static Duration since(long nanos) {
        return Duration.ofNanos(System.nanoTime() - nanos);
    }

    private static NodeException tookTooLong() {
        return new NodeException(
                ErrorReason.ERROR_REASON_DEADLINE_EXCEEDED, "The request took longer than allowed.", null, null);
    }

    private static boolean isLost(NodeException problem) {
        return problem.reason() == ErrorReason.ERROR_REASON_NODE_UNREACHABLE
                || problem.reason() == ErrorReason.ERROR_REASON_SHUTTING_DOWN;
    }

    /** Whether another node, or this one later, may take what this one did not. */
    private static boolean mayDoLater(NodeException problem) {
        return switch (problem.reason()) {
            case ERROR_REASON_NODE_UNREACHABLE,
                    ERROR_REASON_SHUTTING_DOWN,
                    ERROR_REASON_QUEUE_FULL,
                    ERROR_REASON_MODEL_NOT_READY -> true;
            default -> problem.isOfAnotherModel();
        };
    }
}
