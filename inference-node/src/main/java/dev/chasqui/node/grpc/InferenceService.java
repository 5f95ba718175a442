package dev.chasqui.node.grpc;

import com.google.protobuf.ByteString;
import dev.chasqui.llama.ChatPrompt;
import dev.chasqui.llama.Vocabulary;
import dev.chasqui.node.engine.Generation;
import dev.chasqui.node.engine.GenerationRequest;
import dev.chasqui.node.engine.Ticker;
import dev.chasqui.node.model.KeepAlive;
import dev.chasqui.node.model.LoadedModel;
import dev.chasqui.node.model.ModelLease;
import dev.chasqui.node.model.Models;
import dev.chasqui.proto.v1.Admitted;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.CountTokensResponse;
import dev.chasqui.proto.v1.DetokenizeRequest;
import dev.chasqui.proto.v1.DetokenizeResponse;
import dev.chasqui.proto.v1.EmbedRequest;
import dev.chasqui.proto.v1.EmbedResponse;
import dev.chasqui.proto.v1.GenerateRequest;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.InferenceGrpc;
import dev.chasqui.proto.v1.Limits;
import dev.chasqui.proto.v1.Loading;
import dev.chasqui.proto.v1.RerankRequest;
import dev.chasqui.proto.v1.RerankResponse;
import dev.chasqui.proto.v1.TokenizeRequest;
import dev.chasqui.proto.v1.TokenizeResponse;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Function;

/** Chat, generation, embeddings and tokenising over the node's models. */
final class InferenceService extends InferenceGrpc.InferenceImplBase {
    private static final double LOADING_STEP = 0.02;

    private final Models models;
    private final ScheduledExecutorService relay;
    private final Executor handlers;
    private final EmbeddingCalls embeddings;

    /**
     * @param relay the one thread that writes answers out
     * @param handlers threads with stacks deep enough for templates
     */
    InferenceService(Models models, ScheduledExecutorService relay, Executor handlers) {
        this.models = models;
        this.relay = relay;
        this.handlers = handlers;
        this.embeddings = new EmbeddingCalls(models, handlers);
    }

    @Override
    public void chat(ChatRequest request, StreamObserver<GenerationEvent> response) {
        generate(
                request.getModel(),
                request.getLimits(),
                request.getChoices(),
                response,
                model -> chatPrompt(request, model));
    }

    @Override
    public void generate(GenerateRequest request, StreamObserver<GenerationEvent> response) {
        generate(
                request.getModel(),
                request.getLimits(),
                request.getChoices(),
                response,
                model -> rawPrompt(request, model));
    }

    @Override
    public void tokenize(TokenizeRequest request, StreamObserver<TokenizeResponse> response) {
        answer(request.getModel(), response, model -> {
            Vocabulary vocabulary = model.vocabulary();
            TokenizeResponse.Builder answer = TokenizeResponse.newBuilder();
            for (int token :
                    vocabulary.tokenize(request.getText(), request.getAddSpecial(), request.getParseSpecial())) {
                answer.addTokens(token).addPieces(ByteString.copyFrom(vocabulary.piece(token, true)));
            }
            return answer.build();
        });
    }

    @Override
    public void detokenize(DetokenizeRequest request, StreamObserver<DetokenizeResponse> response) {
        answer(request.getModel(), response, model -> {
            int[] tokens = RequestedTokens.of(request.getTokensList(), model.vocabulary(), "tokens");
            return DetokenizeResponse.newBuilder()
                    .setText(model.vocabulary().detokenize(tokens))
                    .build();
        });
    }

    @Override
    public void countTokens(ChatRequest request, StreamObserver<CountTokensResponse> response) {
        answer(request.getModel(), response, model -> {
            ChatRequest asked = AnswerTool.in(request);
            ChatPrompt prompt = ChatRendering.render(asked, AnswerTool.nameIn(asked, request), model);
            return CountTokensResponse.newBuilder()
                    .setTokens(prompt.tokens().length)
                    .setContextTokens(model.engine().contextTokens())
                    .build();
        });
    }

    @Override
    public void embed(EmbedRequest request, StreamObserver<EmbedResponse> response) {
        embeddings.embed(request, response);
    }

    @Override
    public void rerank(RerankRequest request, StreamObserver<RerankResponse> response) {
        embeddings.rerank(request, response);
    }

    private PreparedPrompt chatPrompt(ChatRequest request, LoadedModel model) {
        // Here a bad schema is known for what it is; the template engine would blame the messages.
        PreparedPrompt.grammarOf(request.getOutputFormat());
        PromptBound.check(request, model);
        ChatRequest asked = AnswerTool.in(request);
        String answerTool = AnswerTool.nameIn(asked, request);
        ChatPrompt chat = ChatRendering.render(asked, answerTool, model);
        return PreparedPrompt.of(
                model,
                chat.tokens(),
                chat.form(),
                answerTool,
                request.getSampling(),
                asked.getOutputFormat(),
                request.getLimits(),
                request.getChoices(),
                request.hasLogprobs() ? PreparedPrompt.logprobs(request.getLogprobs(), "logprobs.top") : -1,
                -1,
                request.getScheduling(),
                request.getLoraList(),
                request.hasResume() ? request.getResume() : null);
    }

    private PreparedPrompt rawPrompt(GenerateRequest request, LoadedModel model) {
        int[] tokens;
        if (request.hasTokens()) {
            tokens = RequestedTokens.of(request.getTokens().getIdsList(), model.vocabulary(), "tokens.ids");
        } else {
            PromptBound.check(List.of(request.getText()), model);
            tokens = model.vocabulary().tokenize(request.getText(), true, true);
        }
        return PreparedPrompt.of(
                model,
                tokens,
                null,
                "",
                request.getSampling(),
                request.getOutputFormat(),
                request.getLimits(),
                request.getChoices(),
                request.hasLogprobs() ? PreparedPrompt.logprobs(request.getLogprobs(), "logprobs.top") : -1,
                request.hasPromptLogprobs()
                        ? PreparedPrompt.logprobs(request.getPromptLogprobs(), "prompt_logprobs.top")
                        : -1,
                request.getScheduling(),
                request.getLoraList(),
                request.hasResume() ? request.getResume() : null);
    }

    private void generate(
            String name,
            Limits limits,
            int choices,
            StreamObserver<GenerationEvent> response,
            Function<LoadedModel, PreparedPrompt> prepare) {
        ServerCallStreamObserver<GenerationEvent> out = (ServerCallStreamObserver<GenerationEvent>) response;
        Call call = new Call(out);
        // It came on the thread that writes for everybody, which neither looks for models nor renders.
        handlers.execute(() -> lease(name, limits, choices, call, prepare));
    }

    private void lease(
            String name, Limits limits, int choices, Call call, Function<LoadedModel, PreparedPrompt> prepare) {
        Thread here = Thread.currentThread();
        models.lease(name, call::loading).whenComplete((lease, failure) -> {
            if (failure == null && limits.hasKeepAliveS()) {
                lease.keep(KeepAlive.ofSeconds(limits.getKeepAliveS()));
            }
            if (failure != null) {
                call.fail(failure);
            } else if (Thread.currentThread() == here) {
                call.begin(lease, choices, prepare);
            } else {
                handlers.execute(() -> call.begin(lease, choices, prepare));
            }
        });
    }

    private <T> void answer(String name, StreamObserver<T> response, Function<LoadedModel, T> function) {
        models.lease(name)
                .whenCompleteAsync(
                        (lease, failure) -> {
                            if (failure != null) {
                                response.onError(Failures.status(failure));
                                return;
                            }
                            try (lease) {
                                response.onNext(function.apply(lease.model()));
                                response.onCompleted();
                            } catch (RuntimeException e) {
                                response.onError(Failures.status(e));
                            }
                        },
                        handlers);
    }

    /** One streaming call from its arrival until the engine has taken it over. */
    private final class Call {
        private final long arrivedNanos = Ticker.system().nanos();
        private final ServerCallStreamObserver<GenerationEvent> out;
        private boolean cancelled;
        private boolean loaded;
        private double told = -1;
        private Optional<AnswerStream> stream = Optional.empty();

        Call(ServerCallStreamObserver<GenerationEvent> out) {
            this.out = out;
            // Both handlers must be set before the call's first method returns.
            out.setOnCancelHandler(this::cancel);
            out.setOnReadyHandler(() -> stream().ifPresent(AnswerStream::ready));
        }

        /** Says how far the model is that has to be loaded first. */
        synchronized void loading(String model, double progress) {
            if (!loaded && !cancelled && !out.isCancelled() && progress - told >= LOADING_STEP) {
                told = progress;
                out.onNext(GenerationEvent.newBuilder()
                        .setLoading(Loading.newBuilder().setModel(model).setProgress(progress))
                        .build());
            }
        }

        private synchronized void loaded() {
            loaded = true;
        }

        void begin(ModelLease lease, int choices, Function<LoadedModel, PreparedPrompt> prepare) {
            loaded();
            List<GenerationRequest> requests = new ArrayList<>();
            AnswerStream answer = new AnswerStream(out, relay, lease);
            try {
                if (!claim(answer)) {
                    lease.close();
                    return;
                }
                LoadedModel model = lease.model();
                PreparedPrompt.checkChoices(choices, model.engine().status());
                model.engine().checkRoom(Math.max(1, choices));
                PreparedPrompt prompt = prepare.apply(model);
                PreservedTokens text = new PreservedTokens(model.vocabulary(), prompt.form());
                for (int i = 0; i < prompt.choices(); i++) {
                    if (prompt.resumed().wants(i)) {
                        DeltaEncoder encoder =
                                new DeltaEncoder(i, model.vocabulary(), prompt.form(), prompt.answerTool());
                        requests.add(prompt.request(model, i, answer.choice(encoder), text, arrivedNanos));
                    }
                }
                List<Generation> running = model.engine().submit(requests);
                answer.began(running, admitted(model, prompt));
            } catch (RuntimeException e) {
                requests.forEach(request -> request.sampler().close());
                answer.discard();
                fail(e);
            }
        }

        void fail(Throwable failure) {
            loaded();
            if (!out.isCancelled()) {
                out.onError(Failures.status(failure));
            }
        }

        private Admitted admitted(LoadedModel model, PreparedPrompt prompt) {
            return Admitted.newBuilder()
                    .setModel(model.name())
                    .setPromptTokens(prompt.tokens().length)
                    .setQueuePosition(model.engine().status().queued())
                    .setSeed(prompt.seed())
                    .setModelFingerprint(model.fingerprint())
                    .build();
        }

        private synchronized boolean claim(AnswerStream answer) {
            stream = Optional.of(answer);
            return !cancelled;
        }

        private synchronized Optional<AnswerStream> stream() {
            return stream;
        }

        private void cancel() {
            synchronized (this) {
                cancelled = true;
            }
            stream().ifPresent(AnswerStream::cancel);
        }
    }
}
