package dev.chasqui.gateway;

import com.google.protobuf.Any;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.chasqui.proto.v1.Admitted;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.Completed;
import dev.chasqui.proto.v1.Delta;
import dev.chasqui.proto.v1.ErrorReason;
import dev.chasqui.proto.v1.FinishReason;
import dev.chasqui.proto.v1.Finished;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.InferenceGrpc;
import dev.chasqui.proto.v1.ListModelsRequest;
import dev.chasqui.proto.v1.ListModelsResponse;
import dev.chasqui.proto.v1.Model;
import dev.chasqui.proto.v1.ModelState;
import dev.chasqui.proto.v1.ModelsGrpc;
import dev.chasqui.proto.v1.NodeGrpc;
import dev.chasqui.proto.v1.NodeStatus;
import dev.chasqui.proto.v1.Progress;
import dev.chasqui.proto.v1.ShowModelRequest;
import dev.chasqui.proto.v1.Timings;
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
import java.util.List;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A real gRPC server that speaks the proto and does what a test tells it. */
final class ScriptedNode implements AutoCloseable {
    static final String MODEL = "scripted-1b";

    /** What the node does with a chat; runs on a thread of its own and may block. */
    interface Script {
        void answer(ChatRequest request, Answer answer) throws Exception;
    }

    private final Server server;
    private final ExecutorService scripts = Executors.newCachedThreadPool(r -> {
        Thread thread = new Thread(r, "script");
        thread.setDaemon(true);
        return thread;
    });
    private final List<StreamObserver<NodeStatus>> watchers = new CopyOnWriteArrayList<>();
    final Queue<ChatRequest> requests = new ConcurrentLinkedQueue<>();
    final BlockingQueue<String> cancelled = new LinkedBlockingQueue<>();
    final Queue<String> authorizations = new ConcurrentLinkedQueue<>();
    final AtomicInteger sent = new AtomicInteger();
    private volatile Script script = saying("Hello", " wörld", "!");
    private volatile NodeStatus status = ready();
    private volatile List<Model> models = List.of(model(ModelState.MODEL_STATE_READY, 1));

    ScriptedNode() throws IOException {
        this(0);
    }

    ScriptedNode(int port) throws IOException {
        server = NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", port))
                .maxInboundMessageSize(16 << 20)
                .addService(new Inference())
                .addService(new Models())
                .addService(new Node())
                .intercept(new Authorizations())
                .build()
                .start();
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

    void knows(Model... known) {
        models = List.of(known);
    }

    void is(NodeStatus next) {
        status = next;
        watchers.forEach(watcher -> watcher.onNext(next));
    }

    /** As a process that is killed: connections break. */
    @Override
    public void close() {
        server.shutdownNow();
        scripts.shutdownNow();
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
            send(GenerationEvent.newBuilder()
                    .setAdmitted(Admitted.newBuilder().setModel(MODEL).setPromptTokens(promptTokens))
                    .build());
        }

        void progress(int done, int of) {
            send(GenerationEvent.newBuilder()
                    .setProgress(Progress.newBuilder().setPromptTokensDone(done).setPromptTokens(of))
                    .build());
        }

        void say(int choice, String text) {
            delta(Delta.newBuilder().setChoice(choice).setContent(text).setTokens(1));
        }

        void delta(Delta.Builder delta) {
            send(GenerationEvent.newBuilder().setDelta(delta).build());
        }

        void finish(int choice, FinishReason reason, int tokens) {
            send(GenerationEvent.newBuilder()
                    .setFinished(Finished.newBuilder()
                            .setChoice(choice)
                            .setReason(reason)
                            .setCompletionTokens(tokens))
                    .build());
        }

        void complete(int prompt, int cached, int completion) {
            send(GenerationEvent.newBuilder()
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
            if (!out.isCancelled()) {
                out.onNext(event);
                sent.incrementAndGet();
            }
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
            Answer answer = new Answer((ServerCallStreamObserver<GenerationEvent>) out);
            scripts.execute(() -> {
                try {
                    script.answer(request, answer);
                } catch (Exception e) {
                    if (!answer.isCancelled()) {
                        answer.fail(
                                Status.INTERNAL.withDescription(e.toString()).asRuntimeException());
                    }
                }
            });
        }
    }

    private final class Models extends ModelsGrpc.ModelsImplBase {
        @Override
        public void listModels(ListModelsRequest request, StreamObserver<ListModelsResponse> out) {
            out.onNext(ListModelsResponse.newBuilder().addAllModels(models).build());
            out.onCompleted();
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

    private final class Node extends NodeGrpc.NodeImplBase {
        @Override
        public void watchStatus(WatchStatusRequest request, StreamObserver<NodeStatus> out) {
            out.onNext(status);
            watchers.add(out);
            ((ServerCallStreamObserver<NodeStatus>) out).setOnCancelHandler(() -> watchers.remove(out));
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

    /**
     * For trying the gateway by hand: {@code PORT TOKENS STEPS_PER_SECOND}, 0 a second for as fast as it goes. With a
     * rate all answers get their tokens together, as an engine gives them.
     */
    public static void main(String[] args) throws Exception {
        ScriptedNode node = new ScriptedNode(Integer.parseInt(args[0]));
        int tokens = Integer.parseInt(args[1]);
        double rate = Double.parseDouble(args[2]);
        Queue<Runnable> running = new ConcurrentLinkedQueue<>();
        node.does((request, answer) -> {
            answer.admit(7);
            AtomicInteger said = new AtomicInteger();
            Runnable step = () -> {
                if (said.incrementAndGet() <= tokens) {
                    answer.say(0, " token");
                } else if (said.get() == tokens + 1) {
                    answer.finish(0, FinishReason.FINISH_REASON_LENGTH, tokens);
                    answer.complete(7, 0, tokens);
                }
            };
            if (rate > 0) {
                running.add(step);
                return;
            }
            for (int i = 0; i <= tokens && !answer.isCancelled(); i++) {
                step.run();
            }
        });
        long start = System.nanoTime();
        for (int i = 0; ; i++) {
            long due = start + (long) (i * 1e9 / Math.max(1, rate));
            Thread.sleep(Math.max(0, (due - System.nanoTime()) / 1_000_000));
            running.forEach(Runnable::run);
        }
    }
}
