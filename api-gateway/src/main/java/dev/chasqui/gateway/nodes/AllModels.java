package dev.chasqui.gateway.nodes;

import com.google.protobuf.MessageLite;
import dev.chasqui.proto.v1.ErrorReason;
import dev.chasqui.proto.v1.ListModelsRequest;
import dev.chasqui.proto.v1.ListModelsResponse;
import dev.chasqui.proto.v1.Model;
import dev.chasqui.proto.v1.ModelState;
import dev.chasqui.proto.v1.ModelsGrpc;
import dev.chasqui.proto.v1.ShowModelRequest;
import io.grpc.MethodDescriptor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BinaryOperator;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * The models of all nodes as if they were one node's. A model that several have is described by the one that is nearest to
 * answering with it; what takes a model away does so at each.
 */
final class AllModels {
    /** Whoever has not answered by then is left out, where there are others. */
    private static final long LATE_MS = 10_000;

    private static final Comparator<Model> BEST_FIRST = Comparator.comparingInt(
                    (Model model) -> NodeView.distance(model.getState()))
            .thenComparing(model -> model.getState() != ModelState.MODEL_STATE_FAILED)
            .thenComparing(model -> -model.getProgress());
    private static final BinaryOperator<Model> BEST = BinaryOperator.minBy(BEST_FIRST);

    private final Supplier<List<GrpcNode>> nodes;
    private final EventLoop loop;

    /** @param nodes that can be asked, at least one; throws {@link NodeException} where there is none */
    AllModels(Supplier<List<GrpcNode>> nodes, EventLoop loop) {
        this.nodes = nodes;
        this.loop = loop;
    }

    /** Every model that a node knows: the default ones first, then by name. */
    Mono<ListModelsResponse> list() {
        return Flux.defer(() ->
                        ofEach(nodes.get(), ModelsGrpc.getListModelsMethod(), ListModelsRequest.getDefaultInstance()))
                .transform(AllModels::answersOf)
                .collectList()
                .map(AllModels::united);
    }

    private static ListModelsResponse united(List<ListModelsResponse> lists) {
        Map<String, Model> byName = new HashMap<>();
        for (ListModelsResponse list : lists) {
            list.getModelsList().forEach(model -> byName.merge(model.getName(), model, AllModels::united));
        }
        ListModelsResponse.Builder all = ListModelsResponse.newBuilder();
        byName.values().stream()
                .sorted(Comparator.comparing((Model model) -> !model.getIsDefault())
                        .thenComparing(Model::getName))
                .forEach(all::addModels);
        return all.build();
    }

    private static Model united(Model one, Model other) {
        Model best = BEST.apply(one, other);
        return one.getIsDefault() == other.getIsDefault()
                ? best
                : best.toBuilder().setIsDefault(true).build();
    }

    /** One model; an empty name is the default one. */
    Mono<Model> show(String name) {
        ShowModelRequest request = ShowModelRequest.newBuilder().setName(name).build();
        return Flux.defer(() -> ofEach(nodes.get(), ModelsGrpc.getShowModelMethod(), request))
                .transform(AllModels::answersOf)
                .reduce(AllModels::united);
    }

    /**
     * Does something at each node that has the model. Where one refuses, the others behind it are not asked: first come those
     * where it is in memory.
     */
    <Q extends MessageLite, R> Mono<R> change(String name, MethodDescriptor<Q, R> method, Q request) {
        return Flux.defer(() -> {
                    List<GrpcNode> nearestFirst = nodes.get().stream()
                            .sorted(Comparator.comparingInt(node -> node.view().distance(name)))
                            .toList();
                    return Flux.fromIterable(nearestFirst)
                            .concatMap(node -> ask(node, method, request))
                            .takeUntil(Answer::isRefusal);
                })
                .collectList()
                .flatMap(AllModels::onlyIfAllDid);
    }

    private static <R> Mono<R> onlyIfAllDid(List<Answer<R>> answers) {
        for (Answer<R> answer : answers) {
            NodeException failure = answer.failure;
            if (failure != null && answer.isRefusal()) {
                return Mono.error(failure);
            }
        }
        return answersOf(Flux.fromIterable(answers)).next();
    }

    /** What a node said: one of both. */
    private record Answer<R>(@Nullable R value, @Nullable NodeException failure) {
        boolean isRefusal() {
            return failure != null && !isUnknown();
        }

        /** It has nothing to do with that model, as others may. */
        boolean isUnknown() {
            return failure != null && failure.reason() == ErrorReason.ERROR_REASON_MODEL_NOT_FOUND;
        }
    }

    private <Q extends MessageLite, R> Flux<Answer<R>> ofEach(
            List<GrpcNode> asked, MethodDescriptor<Q, R> method, Q request) {
        if (asked.size() == 1) {
            return ask(asked.get(0), method, request).flux();
        }
        Mono<Boolean> late = Mono.create(sink -> {
            Runnable cancel = loop.schedule(() -> sink.success(true), LATE_MS);
            sink.onDispose(cancel::run);
        });
        return Flux.fromIterable(asked)
                .flatMapSequential(node -> ask(node, method, request).takeUntilOther(late));
    }

    private static <Q extends MessageLite, R> Mono<Answer<R>> ask(
            GrpcNode node, MethodDescriptor<Q, R> method, Q request) {
        return node.call(method, request, answer -> true)
                .next()
                .map(value -> new Answer<>(value, null))
                .onErrorResume(NodeException.class, failure -> Mono.just(new Answer<R>(null, failure)));
    }

    /** What was said; an error where nobody said anything, and of several the one that says most. */
    private static <R> Flux<R> answersOf(Flux<Answer<R>> answers) {
        return answers.collectList().flatMapMany(all -> {
            List<R> values = new ArrayList<>(all.size());
            for (Answer<R> answer : all) {
                R value = answer.value();
                if (value != null) {
                    values.add(value);
                }
            }
            if (!values.isEmpty()) {
                return Flux.fromIterable(values);
            }
            return Flux.error(all.stream()
                    .filter(answer -> !answer.isUnknown())
                    .findFirst()
                    .or(() -> all.stream().findFirst())
                    .map(Answer::failure)
                    .orElseGet(NodeException::unreachable));
        });
    }
}
