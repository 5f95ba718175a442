package dev.chasqui.gateway.nodes;

import java.util.HashSet;
import java.util.Set;
import java.util.function.Function;
import reactor.core.publisher.Flux;

/**
 * One request on its way to a node that answers it: where one refuses it for reasons of its own, or is gone before the
 * answer began, another is asked. What is wrong with the request itself is wrong everywhere and is told at once.
 */
final class Attempts<R> {
    /** A request that brings nodes down must not go through all of them. */
    private static final int MOST_NODES = 3;

    private final Function<Set<GrpcNode>, GrpcNode> pick;
    private final Function<GrpcNode, Flux<R>> call;
    private final Runnable again;
    private final Set<GrpcNode> tried = new HashSet<>();
    private boolean wasFull;

    private Attempts(Function<Set<GrpcNode>, GrpcNode> pick, Function<GrpcNode, Flux<R>> call, Runnable again) {
        this.pick = pick;
        this.call = call;
        this.again = again;
    }

    /**
     * @param pick a node that is none of these; throws {@link NodeException} where there is none
     * @param call asks a node
     * @param again hears of each attempt after the first
     */
    static <R> Flux<R> of(Function<Set<GrpcNode>, GrpcNode> pick, Function<GrpcNode, Flux<R>> call, Runnable again) {
        return Flux.defer(() -> {
            Attempts<R> attempts = new Attempts<>(pick, call, again);
            return attempts.at(pick.apply(attempts.tried));
        });
    }

    private Flux<R> at(GrpcNode node) {
        tried.add(node);
        return call.apply(node).onErrorResume(NodeException.class, this::elsewhere);
    }

    private Flux<R> elsewhere(NodeException failure) {
        if (!failure.beforeAnswer() || !helps(failure) || tried.size() == MOST_NODES) {
            return Flux.error(failure);
        }
        GrpcNode next;
        try {
            next = pick.apply(tried);
        } catch (NodeException none) {
            return Flux.error(failure);
        }
        again.run();
        return at(next);
    }

    /** Whether another node may do better. Where a second one is full too, they all will be. */
    private boolean helps(NodeException failure) {
        return switch (failure.reason()) {
            case ERROR_REASON_NODE_UNREACHABLE, ERROR_REASON_SHUTTING_DOWN, ERROR_REASON_MODEL_NOT_READY -> true;
            case ERROR_REASON_QUEUE_FULL -> {
                boolean first = !wasFull;
                wasFull = true;
                yield first;
            }
            default -> failure.isOfAnotherModel();
        };
    }
}
