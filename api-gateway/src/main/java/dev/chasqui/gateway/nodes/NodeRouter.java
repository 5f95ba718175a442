package dev.chasqui.gateway.nodes;

import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.ErrorReason;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.InferenceGrpc;
import dev.chasqui.proto.v1.ListModelsRequest;
import dev.chasqui.proto.v1.ListModelsResponse;
import dev.chasqui.proto.v1.Model;
import dev.chasqui.proto.v1.ModelState;
import dev.chasqui.proto.v1.ModelsGrpc;
import dev.chasqui.proto.v1.ShowModelRequest;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * The way to the nodes: picks one for each request. Failures come as {@link NodeException}, signals on the event loop.
 *
 * <p>Among the nodes that answer, one that has the model in memory goes first, then the one with the fewest requests of
 * this gateway.
 */
public final class NodeRouter implements AutoCloseable {
    private static final Duration RETRY_WHILE_LOADING = Duration.ofSeconds(2);
    private static final Duration RETRY_WHILE_DOWNLOADING = Duration.ofSeconds(10);

    private final List<GrpcNode> nodes;
    private volatile boolean draining;

    /**
     * @param addresses at least one
     * @param token sent to each node as a bearer token; null: none
     */
    public NodeRouter(List<NodeAddress> addresses, @Nullable String token, EventLoop loop) {
        if (addresses.isEmpty()) {
            throw new IllegalArgumentException("no nodes (expected: at least one)");
        }
        nodes = addresses.stream().map(a -> new GrpcNode(a, token, loop)).toList();
    }

    /** Begins to watch the nodes; waits for none. */
    public void start() {
        nodes.forEach(GrpcNode::start);
    }

    /**
     * One answer to a conversation. Each subscription is one call; its demand reaches the node, and cancelling it
     * frees the node's slot. While the default model is not ready a request for it fails at once.
     */
    public Flux<GenerationEvent> chat(ChatRequest request) {
        return Flux.defer(() -> {
            GrpcNode node = pick(request.getModel());
            requireReady(node.view(), request.getModel());
            return node.call(InferenceGrpc.getChatMethod(), request);
        });
    }

    /** Every model on disk and in the catalogue. */
    public Mono<ListModelsResponse> listModels() {
        return Mono.defer(() -> pick("").call(ModelsGrpc.getListModelsMethod(), ListModelsRequest.getDefaultInstance())
                .next());
    }

    /** One model; an empty name is the default one. */
    public Mono<Model> showModel(String name) {
        return Mono.defer(() -> pick(name)
                .call(
                        ModelsGrpc.getShowModelMethod(),
                        ShowModelRequest.newBuilder().setName(name).build())
                .next());
    }

    /** The best that any node can do for the default model. */
    public Readiness readiness() {
        if (draining) {
            return Readiness.unavailable("The gateway is shutting down.");
        }
        return nodes.stream()
                .map(node -> Readiness.of(node.view()))
                .min(Comparator.comparing(Readiness::state))
                .orElseThrow();
    }

    /** What is known of each node now. */
    public List<NodeView> views() {
        return nodes.stream().map(GrpcNode::view).toList();
    }

    /** The same as long as the same nodes run the same builds. */
    public String fingerprint() {
        int hash = 7;
        for (NodeView view : views()) {
            hash = 31 * hash + view.status().getVersion().hashCode();
            hash = 31 * hash + view.status().getLlamaCppVersion().hashCode();
        }
        return "fp_" + Integer.toHexString(hash);
    }

    /** A local node was started again: looks for it at once. */
    public void hurry() {
        nodes.forEach(GrpcNode::hurry);
    }

    /** From now on new requests fail with {@code SHUTTING_DOWN}; running ones go on. */
    public void drain() {
        draining = true;
    }

    /** Fails what is still running with {@code SHUTTING_DOWN}. */
    @Override
    public void close() {
        draining = true;
        nodes.forEach(GrpcNode::close);
    }

    private GrpcNode pick(String model) {
        if (draining) {
            throw new NodeException(
                    ErrorReason.ERROR_REASON_SHUTTING_DOWN, "The gateway is shutting down.", null, RETRY_WHILE_LOADING);
        }
        GrpcNode best = null;
        NodeView bestView = null;
        for (GrpcNode node : nodes) {
            NodeView view = node.view();
            if (view.reachable()
                    && !view.status().getDraining()
                    && (bestView == null || preference(model).compare(view, bestView) < 0)) {
                best = node;
                bestView = view;
            }
        }
        if (best == null) {
            throw new NodeException(
                    ErrorReason.ERROR_REASON_NODE_UNREACHABLE,
                    "The inference node is not reachable; it may be starting.",
                    null,
                    RETRY_WHILE_LOADING);
        }
        return best;
    }

    private static Comparator<NodeView> preference(String model) {
        return Comparator.comparing((NodeView view) -> !isReady(view.model(model)))
                .thenComparingInt(NodeView::inFlight);
    }

    private static boolean isReady(@Nullable Model model) {
        return model != null && model.getState() == ModelState.MODEL_STATE_READY;
    }

    /**
     * While the default model is on its way, says so at once instead of letting requests pile up at the node. Whatever
     * else is the matter, the node knows best: it loads on demand what a request names.
     */
    private static void requireReady(NodeView view, String name) {
        Model model = view.model("");
        if (!name.isEmpty() && (model == null || !name.equals(model.getName()))) {
            return;
        }
        ModelState state = model == null ? ModelState.MODEL_STATE_LOADING : model.getState();
        if (state == ModelState.MODEL_STATE_LOADING || state == ModelState.MODEL_STATE_DOWNLOADING) {
            throw new NodeException(
                    ErrorReason.ERROR_REASON_MODEL_NOT_READY,
                    Readiness.of(view).message(),
                    null,
                    state == ModelState.MODEL_STATE_LOADING ? RETRY_WHILE_LOADING : RETRY_WHILE_DOWNLOADING);
        }
    }
}
