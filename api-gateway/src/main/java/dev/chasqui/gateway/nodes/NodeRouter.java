package dev.chasqui.gateway.nodes;

import com.google.protobuf.MessageLite;
import dev.chasqui.proto.v1.CancelPullRequest;
import dev.chasqui.proto.v1.CancelPullResponse;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.CountTokensResponse;
import dev.chasqui.proto.v1.DeleteModelRequest;
import dev.chasqui.proto.v1.DeleteModelResponse;
import dev.chasqui.proto.v1.DetokenizeRequest;
import dev.chasqui.proto.v1.DetokenizeResponse;
import dev.chasqui.proto.v1.EmbedRequest;
import dev.chasqui.proto.v1.EmbedResponse;
import dev.chasqui.proto.v1.ErrorReason;
import dev.chasqui.proto.v1.GenerateRequest;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.InferenceGrpc;
import dev.chasqui.proto.v1.ListModelsResponse;
import dev.chasqui.proto.v1.LoadModelRequest;
import dev.chasqui.proto.v1.Model;
import dev.chasqui.proto.v1.ModelProgress;
import dev.chasqui.proto.v1.ModelState;
import dev.chasqui.proto.v1.ModelsGrpc;
import dev.chasqui.proto.v1.PullModelRequest;
import dev.chasqui.proto.v1.RerankRequest;
import dev.chasqui.proto.v1.RerankResponse;
import dev.chasqui.proto.v1.Resume;
import dev.chasqui.proto.v1.Scheduling;
import dev.chasqui.proto.v1.TokenizeRequest;
import dev.chasqui.proto.v1.TokenizeResponse;
import dev.chasqui.proto.v1.UnloadModelRequest;
import dev.chasqui.proto.v1.UnloadModelResponse;
import io.grpc.MethodDescriptor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * The way to the nodes: picks one for each request, and another where that one refuses it or is gone before it answers.
 * Failures come as {@link NodeException}, signals on the event loop.
 *
 * <p>Of the nodes that take requests those with the model in memory come first, then those that load it, then those that
 * have it on disk. Among equals {@link Placement} chooses. A silent node is asked only where there is no other.
 */
public final class NodeRouter implements AutoCloseable {
    private static final Duration RETRY_WHILE_LOADING = Duration.ofSeconds(2);
    private static final Duration RETRY_WHILE_DOWNLOADING = Duration.ofSeconds(10);

    /** Where nobody else could go on with its answers, a node may stand still for at least so long. */
    private static final Duration ALONE = Duration.ofMinutes(1);

    /** One that is started again when it hangs has so many times the silence that ends answers elsewhere. */
    private static final int SUPERVISED = 3;

    private final NodeChannels channels;
    private final Duration patience;
    private final Placement placement = new Placement();
    private final AtomicLong retries = new AtomicLong();
    private final List<Discovery> discoveries = new ArrayList<>();
    /** Changed on the event loop only. */
    private volatile List<GrpcNode> nodes;

    private final Takeovers takeovers;
    private final Outage outage;
    private final AllModels models;
    private final GrpcNode.Company company = new Company();
    private volatile @Nullable Runnable supervisor;
    private volatile boolean draining;
    private volatile boolean closed;

    /**
     * @param targets at least one
     * @param patience how long a node may be silent until its answers count as broken off, where another node can go on
     *     with them; three times as long where it is supervised and alone
     * @param takeovers of answers whose node is lost
     * @throws IllegalArgumentException where there is none, or a file of the credentials cannot be used
     */
    public NodeRouter(
            List<NodeTarget> targets,
            NodeCredentials credentials,
            Duration patience,
            Takeovers takeovers,
            EventLoop loop) {
        if (targets.isEmpty()) {
            throw new IllegalArgumentException("no nodes (expected: at least one)");
        }
        this.patience = patience;
        this.takeovers = takeovers;
        outage = new Outage(takeovers.patience(), loop, this::readiness);
        models = new AllModels(this::allThatAnswer, loop);
        channels = new NodeChannels(credentials, loop);
        nodes = targets.stream()
                .filter(target -> !target.everyAddress())
                .map(target -> node(target.address(), null))
                .toList();
        targets.stream()
                .filter(NodeTarget::everyAddress)
                .map(target -> discovery(target.address(), loop))
                .forEach(discoveries::add);
    }

    private GrpcNode node(NodeAddress address, @Nullable String name) {
        return new GrpcNode(address, name, channels, company);
    }

    /** All nodes, as each of them sees the others. */
    private final class Company implements GrpcNode.Company {
        @Override
        public boolean othersAnswer(GrpcNode but) {
            return nodes.stream().anyMatch(node -> node != but && node.state() == NodeState.UP && node.answers());
        }

        @Override
        public Duration patience(boolean othersAnswer) {
            if (othersAnswer) {
                return patience;
            }
            if (supervisor != null) {
                return patience.multipliedBy(SUPERVISED);
            }
            return patience.compareTo(ALONE) > 0 ? patience : ALONE;
        }

        @Override
        public void answered() {
            outage.answered();
        }

        @Override
        public void hangs() {
            Runnable restart = supervisor;
            if (restart != null) {
                restart.run();
            }
        }
    }

    private Discovery discovery(NodeAddress name, EventLoop loop) {
        Map<String, GrpcNode> known = new HashMap<>();
        return new Discovery(name, addresses -> loop.execute(() -> follow(name, known, addresses)));
    }

    /** Of the nodes behind one name, lets those go whose address is gone, and takes in those that are new. */
    private void follow(NodeAddress name, Map<String, GrpcNode> known, Set<String> addresses) {
        if (draining) {
            return;
        }
        List<GrpcNode> next = new ArrayList<>(nodes);
        List<GrpcNode> gone = known.entrySet().stream()
                .filter(node -> !addresses.contains(node.getKey()))
                .map(Map.Entry::getValue)
                .toList();
        next.removeAll(gone);
        known.keySet().retainAll(addresses);
        for (String address : addresses) {
            known.computeIfAbsent(address, literal -> {
                GrpcNode node = node(new NodeAddress(literal, name.port()), name.host());
                next.add(node);
                node.start();
                return node;
            });
        }
        nodes = List.copyOf(next);
        gone.forEach(GrpcNode::retire);
    }

    /** Begins to watch the nodes; waits for none. */
    public void start() {
        nodes.forEach(GrpcNode::start);
        discoveries.forEach(Discovery::start);
    }

    /**
     * One answer to a conversation. Each subscription is one call; its demand reaches the node, and cancelling it
     * frees the node's slot. While the default model is not ready a request for it fails at once; where all nodes are gone
     * that were there a moment ago it waits. Where its node is lost another one goes on with it.
     */
    public Flux<GenerationEvent> chat(ChatRequest request) {
        return unbroken(
                InferenceGrpc.getChatMethod(),
                request,
                request.getModel(),
                () -> PromptKey.of(request),
                request.getChoices(),
                request.getScheduling(),
                (seed, resume) -> {
                    ChatRequest.Builder rest = request.toBuilder().setResume(resume);
                    rest.getSamplingBuilder().setSeed(seed);
                    return rest.build();
                });
    }

    /** Continuations of a raw prompt; else as {@link #chat}. */
    public Flux<GenerationEvent> generate(GenerateRequest request) {
        return unbroken(
                InferenceGrpc.getGenerateMethod(),
                request,
                request.getModel(),
                () -> PromptKey.of(request),
                request.getChoices(),
                request.getScheduling(),
                (seed, resume) -> {
                    GenerateRequest.Builder rest = request.toBuilder().setResume(resume);
                    rest.getSamplingBuilder().setSeed(seed);
                    return rest.build();
                });
    }

    /** How many tokens the prompt of a chat would have. */
    public Mono<CountTokensResponse> countTokens(ChatRequest request) {
        return ask(request.getModel(), InferenceGrpc.getCountTokensMethod(), request);
    }

    /** A text as tokens. */
    public Mono<TokenizeResponse> tokenize(TokenizeRequest request) {
        return ask(request.getModel(), InferenceGrpc.getTokenizeMethod(), request);
    }

    /** Tokens as a text. */
    public Mono<DetokenizeResponse> detokenize(DetokenizeRequest request) {
        return ask(request.getModel(), InferenceGrpc.getDetokenizeMethod(), request);
    }

    /** Texts as vectors. */
    public Mono<EmbedResponse> embed(EmbedRequest request) {
        return ask(request.getModel(), InferenceGrpc.getEmbedMethod(), request);
    }

    /** How well documents fit a query. */
    public Mono<RerankResponse> rerank(RerankRequest request) {
        return ask(request.getModel(), InferenceGrpc.getRerankMethod(), request);
    }

    /** Every model on disk and in the catalogue of any node, described by the node that is nearest to answering with it. */
    public Mono<ListModelsResponse> listModels() {
        return models.list();
    }

    /** One model, described likewise; an empty name is the default one. */
    public Mono<Model> showModel(String name) {
        return models.show(name);
    }

    /**
     * Fetches a model to the disk of one node, the nearest to having it, and tells how far it is. Cancelling it does not end a
     * download.
     */
    public Flux<ModelProgress> pullModel(PullModelRequest request) {
        return atNearest(request.getName(), ModelsGrpc.getPullModelMethod(), request);
    }

    /** Brings a model into memory at one node likewise. Cancelling it does not end the load. */
    public Flux<ModelProgress> loadModel(LoadModelRequest request) {
        return atNearest(request.getName(), ModelsGrpc.getLoadModelMethod(), request);
    }

    /** Takes a model out of the memory of each node. */
    public Mono<UnloadModelResponse> unloadModel(String name) {
        return models.change(
                name,
                ModelsGrpc.getUnloadModelMethod(),
                UnloadModelRequest.newBuilder().setName(name).build());
    }

    /** Ends the downloads of a model, for all who wait for them. */
    public Mono<CancelPullResponse> cancelPull(String name) {
        return models.change(
                name,
                ModelsGrpc.getCancelPullMethod(),
                CancelPullRequest.newBuilder().setName(name).build());
    }

    /** Removes a model's file from each node; from none where one of them uses it. */
    public Mono<DeleteModelResponse> deleteModel(String name) {
        return models.change(
                name,
                ModelsGrpc.getDeleteModelMethod(),
                DeleteModelRequest.newBuilder().setName(name).build());
    }

    /** A request with the end of an answer that another node has begun. */
    private interface Rest<Q> {
        Q of(int seed, Resume resume);
    }

    private <Q extends MessageLite> Flux<GenerationEvent> unbroken(
            MethodDescriptor<Q, GenerationEvent> method,
            Q request,
            String model,
            Supplier<PromptKey> key,
            int choices,
            Scheduling scheduling,
            Rest<Q> rest) {
        UnbrokenAnswer.Request asked = new UnbrokenAnswer.Request() {
            @Override
            public Flux<GenerationEvent> begin() {
                return attempt(method, request, tried -> ready(model, key, tried));
            }

            /** Also while the gateway takes nothing new, and of a node that still loads the model. */
            @Override
            public Flux<GenerationEvent> goOn(int seed, Resume resume) {
                return attempt(method, rest.of(seed, resume), tried -> best(model, key, tried));
            }

            @Override
            public int choices() {
                return Math.max(1, choices);
            }

            @Override
            public long timeoutMs() {
                return scheduling.getTimeoutMs();
            }

            @Override
            public boolean open() {
                return !closed;
            }
        };
        return new UnbrokenAnswer(asked, channels.loop(), takeovers, outage);
    }

    private <Q extends MessageLite> Flux<GenerationEvent> attempt(
            MethodDescriptor<Q, GenerationEvent> method, Q request, Function<Set<GrpcNode>, GrpcNode> pick) {
        return Attempts.of(
                pick,
                node -> node.call(method, request, event -> event.hasDelta() || event.hasFinished()),
                retries::incrementAndGet);
    }

    /** One answer of a model; fails at once, or waits, as {@link #chat}. */
    private <Q extends MessageLite, R> Mono<R> ask(String model, MethodDescriptor<Q, R> method, Q request) {
        return Attempts.<R>of(
                        tried -> ready(model, null, tried),
                        node -> node.call(method, request, answer -> true),
                        retries::incrementAndGet)
                .next()
                .retryWhen(outage.waits());
    }

    private <Q extends MessageLite, R> Flux<R> atNearest(String model, MethodDescriptor<Q, R> method, Q request) {
        return Flux.defer(() -> pick(model, null, Set.of()).call(method, request, word -> true));
    }

    private GrpcNode ready(String model, @Nullable Supplier<PromptKey> key, Set<GrpcNode> tried) {
        GrpcNode node = pick(model, key, tried);
        NodeException notYet = notYet(node.view(), model);
        if (notYet != null) {
            throw notYet;
        }
        return node;
    }

    /** How often a request went to another node because the one before refused it or was gone. */
    public long retries() {
        return retries.get();
    }

    /** Requests that wait because no node takes any. On the event loop. */
    public int waiting() {
        return outage.waiting();
    }

    /** Whether the gateway ends, and takes no more requests. */
    public boolean isDraining() {
        return draining;
    }

    /** The best that any node can do for the default model. */
    public Readiness readiness() {
        if (draining) {
            return Readiness.unavailable("The gateway is shutting down.");
        }
        return nodes.stream()
                .map(node -> Readiness.of(node.view()))
                .min(Comparator.comparing(Readiness::state))
                .orElseGet(() -> Readiness.unavailable("No inference node is known yet."));
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

    /**
     * The node runs on this machine, and can be started again.
     *
     * @param restart called, on the event loop, when the node was silent for so long that it must hang
     */
    public void supervised(Runnable restart) {
        supervisor = restart;
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
        closed = true;
        discoveries.forEach(Discovery::close);
        nodes.forEach(GrpcNode::close);
        channels.close();
    }

    /**
     * @param key of the prompt; null where it does not matter what a node has computed before
     * @param tried nodes that are out of the question
     */
    private GrpcNode pick(String model, @Nullable Supplier<PromptKey> key, Set<GrpcNode> tried) {
        requireOpen();
        return best(model, key, tried);
    }

    private void requireOpen() {
        if (draining) {
            throw new NodeException(
                    ErrorReason.ERROR_REASON_SHUTTING_DOWN, "The gateway is shutting down.", null, RETRY_WHILE_LOADING);
        }
    }

    /** Those that answer, or else those that are silent. */
    private List<GrpcNode> allThatAnswer() {
        requireOpen();
        for (NodeState state : List.of(NodeState.UP, NodeState.SILENT)) {
            List<GrpcNode> those =
                    nodes.stream().filter(node -> node.state() == state).toList();
            if (!those.isEmpty()) {
                return those;
            }
        }
        throw NodeException.unreachable();
    }

    private GrpcNode best(String model, @Nullable Supplier<PromptKey> key, Set<GrpcNode> tried) {
        List<Candidate> best = new ArrayList<>();
        for (GrpcNode node : nodes) {
            NodeView view = node.view();
            boolean asked = view.state() == NodeState.UP || view.state() == NodeState.SILENT;
            if (!asked || tried.contains(node)) {
                continue;
            }
            Candidate candidate = new Candidate(node, view, model);
            if (!best.isEmpty() && candidate.distance() < best.get(0).distance()) {
                best.clear();
            }
            if (best.isEmpty() || candidate.distance() == best.get(0).distance()) {
                best.add(candidate);
            }
        }
        if (best.isEmpty()) {
            throw NodeException.unreachable();
        }
        return best.size() == 1
                ? best.get(0).node()
                : placement.choose(best, key == null ? null : key.get()).node();
    }

    /** A node that may be asked, and how far it is from answering. */
    private record Candidate(GrpcNode node, String name, int load, int slots, int distance) implements Placement.Place {
        private static final int SILENT = 100;
        private static final int NOT_YET = 200;

        Candidate(GrpcNode node, NodeView view, String model) {
            this(
                    node,
                    view.address().toString(),
                    view.load(),
                    view.slots(model),
                    view.distance(model)
                            + (view.state() == NodeState.SILENT ? SILENT : 0)
                            + (notYet(view, model) == null ? 0 : NOT_YET));
        }
    }

    /**
     * While the default model is on its way, says so at once instead of letting requests pile up at the node. Whatever
     * else is the matter, the node knows best: it loads on demand what a request names.
     */
    private static @Nullable NodeException notYet(NodeView view, String name) {
        Model model = view.model("");
        if (view.status().getServing() || (!name.isEmpty() && (model == null || !name.equals(model.getName())))) {
            return null;
        }
        ModelState state = model == null ? ModelState.MODEL_STATE_LOADING : model.getState();
        if (state != ModelState.MODEL_STATE_LOADING && state != ModelState.MODEL_STATE_DOWNLOADING) {
            return null;
        }
        return new NodeException(
                ErrorReason.ERROR_REASON_MODEL_NOT_READY,
                Readiness.of(view).message(),
                null,
                state == ModelState.MODEL_STATE_LOADING ? RETRY_WHILE_LOADING : RETRY_WHILE_DOWNLOADING);
    }
}
