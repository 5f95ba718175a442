package dev.chasqui.gateway;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.chasqui.proto.v1.Admitted;
import dev.chasqui.proto.v1.CancelPullRequest;
import dev.chasqui.proto.v1.CancelPullResponse;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.Completed;
import dev.chasqui.proto.v1.CountTokensResponse;
import dev.chasqui.proto.v1.DeleteModelRequest;
import dev.chasqui.proto.v1.DeleteModelResponse;
import dev.chasqui.proto.v1.Delta;
import dev.chasqui.proto.v1.DetokenizeRequest;
import dev.chasqui.proto.v1.DetokenizeResponse;
import dev.chasqui.proto.v1.EmbedRequest;
import dev.chasqui.proto.v1.EmbedResponse;
import dev.chasqui.proto.v1.Embedding;
import dev.chasqui.proto.v1.ErrorReason;
import dev.chasqui.proto.v1.FinishReason;
import dev.chasqui.proto.v1.Finished;
import dev.chasqui.proto.v1.GenerateRequest;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.InferenceGrpc;
import dev.chasqui.proto.v1.ListModelsRequest;
import dev.chasqui.proto.v1.ListModelsResponse;
import dev.chasqui.proto.v1.LoadModelRequest;
import dev.chasqui.proto.v1.Model;
import dev.chasqui.proto.v1.ModelProgress;
import dev.chasqui.proto.v1.ModelState;
import dev.chasqui.proto.v1.ModelsGrpc;
import dev.chasqui.proto.v1.NodeGrpc;
import dev.chasqui.proto.v1.NodeStatus;
import dev.chasqui.proto.v1.Progress;
import dev.chasqui.proto.v1.PullModelRequest;
import dev.chasqui.proto.v1.RankedDocument;
import dev.chasqui.proto.v1.RerankRequest;
import dev.chasqui.proto.v1.RerankResponse;
import dev.chasqui.proto.v1.ShowModelRequest;
import dev.chasqui.proto.v1.Timings;
import dev.chasqui.proto.v1.TokenizeRequest;
import dev.chasqui.proto.v1.TokenizeResponse;
import dev.chasqui.proto.v1.UnloadModelRequest;
import dev.chasqui.proto.v1.UnloadModelResponse;
import dev.chasqui.proto.v1.Usage;
import dev.chasqui.proto.v1.WatchStatusRequest;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** A real gRPC server that speaks the proto and does what a test tells it. */
final class ScriptedNode implements AutoCloseable {
    static final String MODEL = "scripted-1b";
    private static final int BEAT_MS = 500;

    /** What the node does with a chat; runs on a thread of its own and may block. */
    interface Script {
        void answer(ChatRequest request, Answer answer) throws Exception;
    }

    /** What the node does with a raw prompt; as {@link Script}. */
    interface RawScript {
        void answer(GenerateRequest request, Answer answer) throws Exception;
    }

    private final Server server;
    private final @Nullable ExecutorService threads;
    private final Executor scripts;
    private final List<StreamObserver<NodeStatus>> watchers = new CopyOnWriteArrayList<>();
    private final ScheduledExecutorService heart = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "heart");
        thread.setDaemon(true);
        return thread;
    });
    final Queue<ChatRequest> requests = new ConcurrentLinkedQueue<>();
    final Queue<GenerateRequest> rawRequests = new ConcurrentLinkedQueue<>();
    final Queue<EmbedRequest> embedRequests = new ConcurrentLinkedQueue<>();
    final Queue<RerankRequest> rerankRequests = new ConcurrentLinkedQueue<>();
    final Queue<PullModelRequest> pulls = new ConcurrentLinkedQueue<>();
    final Queue<String> cancelledPulls = new ConcurrentLinkedQueue<>();
    final Queue<LoadModelRequest> loads = new ConcurrentLinkedQueue<>();
    final Queue<String> unloads = new ConcurrentLinkedQueue<>();
    final BlockingQueue<String> cancelled = new LinkedBlockingQueue<>();
    final Queue<String> authorizations = new ConcurrentLinkedQueue<>();
    final AtomicInteger sent = new AtomicInteger();
    private volatile Script script = saying("Hello", " wörld", "!");
    private volatile RawScript rawScript = (request, answer) -> {
        int choices = Math.max(1, request.getChoices());
        answer.admit(5);
        for (int choice = 0; choice < choices; choice++) {
            answer.say(choice, request.getText() + " and");
            answer.say(choice, " on");
        }
        for (int choice = 0; choice < choices; choice++) {
            answer.finish(choice, FinishReason.FINISH_REASON_LENGTH, 2);
        }
        answer.complete(5, 1, 2 * choices);
    };
    private volatile @Nullable StatusRuntimeException pullFailure;
    private volatile @Nullable StatusRuntimeException failure;
    private volatile ToIntFunction<ChatRequest> tokens = request -> 42;
    private volatile int contextTokens = 4096;
    private volatile NodeStatus status = ready();
    private volatile boolean silent;
    private volatile List<Model> models = List.of(model(ModelState.MODEL_STATE_READY, 1));

    ScriptedNode() throws IOException {
        this(0);
    }

    ScriptedNode(int port) throws IOException {
        this("127.0.0.1", port);
    }

    ScriptedNode(String host, int port) throws IOException {
        this(host, port, Executors.newCachedThreadPool(r -> {
            Thread thread = new Thread(r, "script");
            thread.setDaemon(true);
            return thread;
        }));
    }

    private ScriptedNode(String host, int port, ExecutorService threads) throws IOException {
        this(host, port, threads, threads);
    }

    /** A node whose scripts never block, and run on its I/O threads. */
    static ScriptedNode ofQuickScripts(int port) throws IOException {
        return new ScriptedNode("127.0.0.1", port, Runnable::run, null);
    }

    private ScriptedNode(String host, int port, Executor scripts, @Nullable ExecutorService threads)
            throws IOException {
        this.scripts = scripts;
        this.threads = threads;
        NettyServerBuilder builder = NettyServerBuilder.forAddress(new InetSocketAddress(host, port))
                .maxInboundMessageSize(16 << 20)
                .addService(new Inference())
                .addService(new Models())
                .addService(new Node())
                .intercept(new Authorizations());
        if (threads == null) {
            builder.executor(scripts);
        }
        server = builder.build().start();
        heart.scheduleWithFixedDelay(this::beat, BEAT_MS, BEAT_MS, TimeUnit.MILLISECONDS);
    }

    int port() {
        return server.getPort();
    }

    String address() {
        return "127.0.0.1:" + port();
    }

    void does(Script next) {
        script = next;
    }

    void continues(RawScript next) {
        rawScript = next;
    }

    /** How many tokens a chat has, and how many may be. */
    void counts(ToIntFunction<ChatRequest> counted, int context) {
        tokens = counted;
        contextTokens = context;
    }

    /** Every question that is for a model. */
    void failsAll(StatusRuntimeException next) {
        failure = next;
    }

    void failsToPull(StatusRuntimeException failure) {
        pullFailure = failure;
    }

    void knows(Model... known) {
        models = List.of(known);
    }

    void is(NodeStatus next) {
        status = next;
        heart.execute(this::tell);
    }

    /** From now on it says nothing of itself, as if it hung, or speaks again. */
    void isSilent(boolean now) {
        silent = now;
    }

    private void beat() {
        if (!silent) {
            tell();
        }
    }

    private void tell() {
        watchers.forEach(watcher -> watcher.onNext(status));
    }

    /** As a process that is killed: connections break. */
    @Override
    public void close() {
        server.shutdownNow();
        heart.shutdownNow();
        if (threads != null) {
            threads.shutdownNow();
        }
    }

    static NodeStatus ready() {
        return status(model(ModelState.MODEL_STATE_READY, 1));
    }

    static NodeStatus status(Model model) {
        return NodeStatus.newBuilder()
                .setVersion("0.1.0")
                .setLlamaCppVersion("v0")
                .setDefaultModel(model.getName())
                .addModels(model)
                .build();
    }

    static Model model(ModelState state, double progress) {
        return Model.newBuilder()
                .setName(MODEL)
                .setState(state)
                .setProgress(progress)
                .setIsDefault(true)
                .setSizeBytes(1000)
                .setModifiedEpochS(1_700_000_000)
                .build();
    }

    static GenerationEvent admitted(int promptTokens) {
        return GenerationEvent.newBuilder()
                .setAdmitted(Admitted.newBuilder().setModel(MODEL).setPromptTokens(promptTokens))
                .build();
    }

    static GenerationEvent text(int choice, String text, int tokens) {
        return GenerationEvent.newBuilder()
                .setDelta(Delta.newBuilder().setChoice(choice).setContent(text).setTokens(tokens))
                .build();
    }

    static GenerationEvent finished(int choice, FinishReason reason, int tokens) {
        return GenerationEvent.newBuilder()
                .setFinished(Finished.newBuilder()
                        .setChoice(choice)
                        .setReason(reason)
                        .setCompletionTokens(tokens))
                .build();
    }

    /** Admits, says each piece as a token, and completes. */
    static Script saying(String... pieces) {
        return (request, answer) -> {
            answer.admit(7);
            for (String piece : pieces) {
                for (int choice = 0; choice < Math.max(1, request.getChoices()); choice++) {
                    answer.say(choice, piece);
                }
            }
            for (int choice = 0; choice < Math.max(1, request.getChoices()); choice++) {
                answer.finish(choice, FinishReason.FINISH_REASON_STOP, pieces.length);
            }
            answer.complete(7, 3, pieces.length * Math.max(1, request.getChoices()));
        };
    }

    static Script failing(Status.Code code, ErrorReason reason, String message, @Nullable String field, int retryMs) {
        return (request, answer) -> answer.fail(error(code, reason, message, field, retryMs));
    }

    static StatusRuntimeException error(
            Status.Code code, ErrorReason reason, String message, @Nullable String field, int retryMs) {
        ErrorInfo.Builder info = ErrorInfo.newBuilder()
                .setDomain("chasqui")
                .setReason(reason.name().replace("ERROR_REASON_", ""));
        if (field != null) {
            info.putMetadata("field", field);
        }
        com.google.rpc.Status.Builder status = com.google.rpc.Status.newBuilder()
                .setCode(code.value())
                .setMessage(message)
                .addDetails(Any.pack(info.build()));
        if (retryMs > 0) {
            status.addDetails(Any.pack(RetryInfo.newBuilder()
                    .setRetryDelay(com.google.protobuf.Duration.newBuilder()
                            .setSeconds(retryMs / 1000)
                            .setNanos(retryMs % 1000 * 1_000_000))
                    .build()));
        }
        return StatusProto.toStatusRuntimeException(status.build());
    }

    /** One call, as its script sees it. Sending waits while the caller is slow, as gRPC says when. */
    final class Answer {
        private final ServerCallStreamObserver<GenerationEvent> out;
        private final Object ready = new Object();

        Answer(ServerCallStreamObserver<GenerationEvent> out) {
            this.out = out;
            out.setOnReadyHandler(this::wake);
            out.setOnCancelHandler(() -> {
                cancelled.add("cancelled");
                wake();
            });
        }

        void admit(int promptTokens) {
            send(admitted(promptTokens));
        }

        void queued(int position) {
            send(GenerationEvent.newBuilder()
                    .setProgress(Progress.newBuilder().setQueuePosition(position))
                    .build());
        }

        void progress(int done, int of) {
            send(GenerationEvent.newBuilder()
                    .setProgress(Progress.newBuilder().setPromptTokensDone(done).setPromptTokens(of))
                    .build());
        }

        void say(int choice, String text) {
            send(text(choice, text, 1));
        }

        void delta(Delta.Builder delta) {
            send(GenerationEvent.newBuilder().setDelta(delta).build());
        }

        void finish(int choice, FinishReason reason, int tokens) {
            send(finished(choice, reason, tokens));
        }

        void complete(int prompt, int cached, int completion) {
            put(GenerationEvent.newBuilder()
                    .setCompleted(Completed.newBuilder()
                            .setUsage(Usage.newBuilder()
                                    .setPromptTokens(prompt)
                                    .setCachedTokens(cached)
                                    .setCompletionTokens(completion))
                            .setTimings(Timings.newBuilder().setPromptMs(8).setDecodeMs(20)))
                    .build());
            out.onCompleted();
        }

        void fail(Throwable error) {
            out.onError(error);
        }

        void send(GenerationEvent event) {
            synchronized (ready) {
                while (!out.isReady() && !out.isCancelled()) {
                    try {
                        ready.wait();
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                }
            }
            put(event);
        }

        /** As {@link #send}, but waits for nobody. */
        void put(GenerationEvent event) {
            if (!out.isCancelled()) {
                out.onNext(event);
                sent.incrementAndGet();
            }
        }

        boolean isReady() {
            return out.isReady();
        }

        boolean isCancelled() {
            return out.isCancelled();
        }

        private void wake() {
            synchronized (ready) {
                ready.notifyAll();
            }
        }
    }

    private final class Inference extends InferenceGrpc.InferenceImplBase {
        @Override
        public void chat(ChatRequest request, StreamObserver<GenerationEvent> out) {
            requests.add(request);
            run(out, answer -> script.answer(request, answer));
        }

        @Override
        public void generate(GenerateRequest request, StreamObserver<GenerationEvent> out) {
            rawRequests.add(request);
            run(out, answer -> rawScript.answer(request, answer));
        }

        private void run(StreamObserver<GenerationEvent> out, Step step) {
            Answer answer = new Answer((ServerCallStreamObserver<GenerationEvent>) out);
            StatusRuntimeException fault = failure;
            scripts.execute(() -> {
                try {
                    if (fault != null) {
                        answer.fail(fault);
                        return;
                    }
                    step.with(answer);
                } catch (Exception e) {
                    // A script that close() interrupts says nothing: a killed process does not tell of its end.
                    if (!answer.isCancelled() && !server.isShutdown()) {
                        answer.fail(
                                Status.INTERNAL.withDescription(e.toString()).asRuntimeException());
                    }
                }
            });
        }

        @Override
        public void countTokens(ChatRequest request, StreamObserver<CountTokensResponse> out) {
            requests.add(request);
            unlessItFails(
                    out,
                    CountTokensResponse.newBuilder()
                            .setTokens(tokens.applyAsInt(request))
                            .setContextTokens(contextTokens)
                            .build());
        }

        /** Each character is a token. */
        @Override
        public void tokenize(TokenizeRequest request, StreamObserver<TokenizeResponse> out) {
            TokenizeResponse.Builder response = TokenizeResponse.newBuilder();
            if (request.getAddSpecial()) {
                response.addTokens(1).addPieces(ByteString.copyFromUtf8("<s>"));
            }
            request.getText()
                    .codePoints()
                    .forEach(c -> response.addTokens(c).addPieces(ByteString.copyFromUtf8(Character.toString(c))));
            unlessItFails(out, response.build());
        }

        @Override
        public void detokenize(DetokenizeRequest request, StreamObserver<DetokenizeResponse> out) {
            StringBuilder text = new StringBuilder();
            request.getTokensList().forEach(text::appendCodePoint);
            unlessItFails(
                    out,
                    DetokenizeResponse.newBuilder().setText(text.toString()).build());
        }

        @Override
        public void embed(EmbedRequest request, StreamObserver<EmbedResponse> out) {
            embedRequests.add(request);
            EmbedResponse.Builder response = EmbedResponse.newBuilder().setModel(MODEL);
            for (int i = 0; i < request.getInputsCount(); i++) {
                response.addEmbeddings(Embedding.newBuilder()
                        .addValues(i)
                        .addValues(0.5f)
                        .addValues(-0.25f)
                        .setTokens(3));
            }
            unlessItFails(
                    out, response.setPromptTokens(3 * request.getInputsCount()).build());
        }

        /** The longest is the best. */
        @Override
        public void rerank(RerankRequest request, StreamObserver<RerankResponse> out) {
            rerankRequests.add(request);
            RerankResponse.Builder response =
                    RerankResponse.newBuilder().setModel(MODEL).setPromptTokens(9);
            IntStream.range(0, request.getDocumentsCount())
                    .boxed()
                    .sorted(Comparator.comparing(i -> -request.getDocuments(i).length()))
                    .limit(request.getTopN() == 0 ? Long.MAX_VALUE : request.getTopN())
                    .forEach(i -> response.addResults(RankedDocument.newBuilder()
                            .setIndex(i)
                            .setScore(request.getDocuments(i).length())));
            unlessItFails(out, response.build());
        }
    }

    private <T> void unlessItFails(StreamObserver<T> out, T answer) {
        StatusRuntimeException fault = failure;
        if (fault == null) {
            one(out, answer);
        } else {
            out.onError(fault);
        }
    }

    private static <T> void one(StreamObserver<T> out, T answer) {
        out.onNext(answer);
        out.onCompleted();
    }

    /** Something to do with an answer. */
    private interface Step {
        void with(Answer answer) throws Exception;
    }

    private final class Models extends ModelsGrpc.ModelsImplBase {
        @Override
        public void listModels(ListModelsRequest request, StreamObserver<ListModelsResponse> out) {
            out.onNext(ListModelsResponse.newBuilder().addAllModels(models).build());
            out.onCompleted();
        }

        @Override
        public void pullModel(PullModelRequest request, StreamObserver<ModelProgress> out) {
            pull(request, out);
        }

        @Override
        public void loadModel(LoadModelRequest request, StreamObserver<ModelProgress> out) {
            loads.add(request);
            out.onNext(ModelProgress.newBuilder()
                    .setState(ModelState.MODEL_STATE_LOADING)
                    .setProgress(0.5)
                    .setModel(request.getName())
                    .build());
            one(
                    out,
                    ModelProgress.newBuilder()
                            .setState(ModelState.MODEL_STATE_READY)
                            .setModel(request.getName())
                            .build());
        }

        @Override
        public void unloadModel(UnloadModelRequest request, StreamObserver<UnloadModelResponse> out) {
            unloads.add(request.getName());
            one(out, UnloadModelResponse.getDefaultInstance());
        }

        @Override
        public void cancelPull(CancelPullRequest request, StreamObserver<CancelPullResponse> out) {
            if (models.stream().noneMatch(model -> model.getName().equals(request.getName()))) {
                out.onError(error(
                        Status.Code.NOT_FOUND,
                        ErrorReason.ERROR_REASON_MODEL_NOT_FOUND,
                        "The model is not being fetched.",
                        "name",
                        0));
                return;
            }
            cancelledPulls.add(request.getName());
            one(out, CancelPullResponse.getDefaultInstance());
        }

        @Override
        public void deleteModel(DeleteModelRequest request, StreamObserver<DeleteModelResponse> out) {
            if (request.getName().equals(MODEL)) {
                out.onError(error(
                        Status.Code.FAILED_PRECONDITION,
                        ErrorReason.ERROR_REASON_MODEL_IN_USE,
                        "The model is in memory.",
                        "name",
                        0));
                return;
            }
            models = models.stream()
                    .filter(model -> !model.getName().equals(request.getName()))
                    .toList();
            one(out, DeleteModelResponse.getDefaultInstance());
        }

        @Override
        public void showModel(ShowModelRequest request, StreamObserver<Model> out) {
            for (Model model : models) {
                if (request.getName().isEmpty() || model.getName().equals(request.getName())) {
                    out.onNext(model);
                    out.onCompleted();
                    return;
                }
            }
            out.onError(error(
                    Status.Code.NOT_FOUND,
                    ErrorReason.ERROR_REASON_MODEL_NOT_FOUND,
                    "There is no model \"" + request.getName() + "\".",
                    "model",
                    0));
        }
    }

    /** Fetches in three steps, unless it is told to fail. */
    private void pull(PullModelRequest request, StreamObserver<ModelProgress> out) {
        pulls.add(request);
        for (int step = 1; step <= 3; step++) {
            out.onNext(ModelProgress.newBuilder()
                    .setState(ModelState.MODEL_STATE_DOWNLOADING)
                    .setProgress(step / 4.0)
                    .setBytesDone(step * 250)
                    .setBytesTotal(1000)
                    .setBytesPerSecond(500)
                    .setSource("hf:a/b/c.gguf")
                    .setModel(request.getName())
                    .build());
        }
        StatusRuntimeException failure = pullFailure;
        if (failure != null) {
            out.onError(failure);
            return;
        }
        one(
                out,
                ModelProgress.newBuilder()
                        .setState(ModelState.MODEL_STATE_ON_DISK)
                        .setProgress(1)
                        .setModel(request.getName())
                        .build());
    }

    private final class Node extends NodeGrpc.NodeImplBase {
        @Override
        public void watchStatus(WatchStatusRequest request, StreamObserver<NodeStatus> out) {
            ((ServerCallStreamObserver<NodeStatus>) out).setOnCancelHandler(() -> watchers.remove(out));
            heart.execute(() -> {
                watchers.add(out);
                if (!silent) {
                    out.onNext(status);
                }
            });
        }
    }

    private final class Authorizations implements ServerInterceptor {
        @Override
        public <Q, R> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
            String value = headers.get(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER));
            authorizations.add(value == null ? "" : value);
            return next.startCall(call, headers);
        }
    }
}
