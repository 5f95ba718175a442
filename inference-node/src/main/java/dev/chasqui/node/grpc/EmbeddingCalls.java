package dev.chasqui.node.grpc;

import dev.chasqui.llama.Pooling;
import dev.chasqui.node.embedding.Embedder;
import dev.chasqui.node.model.KeepAlive;
import dev.chasqui.node.model.LoadedModel;
import dev.chasqui.node.model.ModelLease;
import dev.chasqui.node.model.Models;
import dev.chasqui.proto.v1.EmbedRequest;
import dev.chasqui.proto.v1.EmbedResponse;
import dev.chasqui.proto.v1.Embedding;
import dev.chasqui.proto.v1.RankedDocument;
import dev.chasqui.proto.v1.RerankRequest;
import dev.chasqui.proto.v1.RerankResponse;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Embeddings and reranking, computed by a model's embedder. */
final class EmbeddingCalls {
    private static final int MOST_INPUTS = 2048;
    private static final int MOST_DOCUMENTS = 1024;

    private final Models models;
    private final Executor handlers;

    EmbeddingCalls(Models models, Executor handlers) {
        this.models = models;
        this.handlers = handlers;
    }

    void embed(EmbedRequest request, StreamObserver<EmbedResponse> response) {
        run(
                request.getModel(),
                keepAlive(request.hasKeepAliveS(), request.getKeepAliveS()),
                response,
                (model, embedder, call) -> {
                    Pooling pooling = pooling(request, model);
                    int width = width(request.getDimensions(), model);
                    EmbeddingInputs inputs =
                            new EmbeddingInputs(request, model, embedder.mostTokens(), call::checkCaller);
                    call.compute(
                            embedder, inputs::tokens, pooling, computed -> embedded(model, computed, width, pooling));
                });
    }

    void rerank(RerankRequest request, StreamObserver<RerankResponse> response) {
        run(
                request.getModel(),
                keepAlive(request.hasKeepAliveS(), request.getKeepAliveS()),
                response,
                (model, embedder, call) -> {
                    requireKind(model, true, "a model that ranks");
                    int count = request.getDocumentsCount();
                    checkCount("documents", count, MOST_DOCUMENTS);
                    InvalidRequest.require(
                            request.getTopN() >= 0,
                            "top_n",
                            Integer.toUnsignedString(request.getTopN()),
                            "0 to " + count);
                    RerankPairs pairs = new RerankPairs(request, model, embedder.mostTokens(), call::checkCaller);
                    call.compute(embedder, pairs::tokens, Pooling.MEAN, computed -> ranked(request, model, computed));
                });
    }

    private static Pooling pooling(EmbedRequest request, LoadedModel model) {
        requireKind(model, false, "a model that embeds, not one that ranks");
        checkCount("inputs", request.getInputsCount(), MOST_INPUTS);
        return switch (request.getPooling()) {
            case POOLING_MEAN -> Pooling.MEAN;
            case POOLING_CLS -> Pooling.CLS;
            case POOLING_LAST -> Pooling.LAST;
            case POOLING_UNSPECIFIED ->
                model.info().pooling().isEmpty()
                        ? Pooling.MEAN
                        : Pooling.valueOf(model.info().pooling());
            case UNRECOGNIZED ->
                throw new InvalidRequest("pooling", request.getPoolingValue(), "one of the values of Pooling");
        };
    }

    private static int width(int dimensions, LoadedModel model) {
        int own = model.info().embeddingWidth();
        InvalidRequest.require(
                dimensions >= 0 && dimensions <= own,
                "dimensions",
                Integer.toUnsignedString(dimensions),
                "1 to " + own);
        return dimensions == 0 ? own : dimensions;
    }

    private static void checkCount(String field, int count, int most) {
        InvalidRequest.require(count >= 1 && count <= most, field, count, "1 to " + most);
    }

    private static void requireKind(LoadedModel model, boolean ranks, String expected) {
        InvalidRequest.require(model.info().ranks() == ranks, "model", model.name(), expected);
    }

    private static EmbedResponse embedded(LoadedModel model, Embedder.Computed computed, int width, Pooling pooling) {
        float[][] vectors = computed.vectors();
        EmbedResponse.Builder response = EmbedResponse.newBuilder()
                .setModel(model.name())
                .setPromptTokens(tokens(computed))
                .setPooling(
                        switch (pooling) {
                            case MEAN -> dev.chasqui.proto.v1.Pooling.POOLING_MEAN;
                            case CLS -> dev.chasqui.proto.v1.Pooling.POOLING_CLS;
                            case LAST -> dev.chasqui.proto.v1.Pooling.POOLING_LAST;
                        });
        for (int i = 0; i < vectors.length; i++) {
            float scale = width == vectors[i].length ? 1 : scale(vectors[i], width);
            Embedding.Builder embedding =
                    Embedding.newBuilder().setTokens(computed.texts().get(i).length);
            for (int j = 0; j < width; j++) {
                embedding.addValues(vectors[i][j] * scale);
            }
            response.addEmbeddings(embedding);
        }
        return response.build();
    }

    /** What makes the first numbers of a vector one of length 1. */
    private static float scale(float[] vector, int width) {
        double square = 0;
        for (int i = 0; i < width; i++) {
            square += vector[i] * vector[i];
        }
        return square > 0 ? (float) (1 / Math.sqrt(square)) : 0;
    }

    private static RerankResponse ranked(RerankRequest request, LoadedModel model, Embedder.Computed computed) {
        float[][] scores = computed.vectors();
        List<RankedDocument> documents = new ArrayList<>();
        for (int i = 0; i < scores.length; i++) {
            documents.add(RankedDocument.newBuilder()
                    .setIndex(i)
                    .setScore(scores[i][0])
                    .build());
        }
        documents.sort(Comparator.comparing(RankedDocument::getScore).reversed());
        int wanted = request.getTopN() == 0 ? documents.size() : Math.min(request.getTopN(), documents.size());
        return RerankResponse.newBuilder()
                .setModel(model.name())
                .addAllResults(documents.subList(0, wanted))
                .setPromptTokens(tokens(computed))
                .build();
    }

    private static int tokens(Embedder.Computed computed) {
        return computed.texts().stream().mapToInt(text -> text.length).sum();
    }

    private static @Nullable KeepAlive keepAlive(boolean said, double seconds) {
        return said ? KeepAlive.ofSeconds(seconds) : null;
    }

    /** Leases the model, opens its embedder, and lets {@code work} begin the computing on a handler thread. */
    private <T> void run(String name, @Nullable KeepAlive keepAlive, StreamObserver<T> response, Work<T> work) {
        Call<T> call = new Call<>((ServerCallStreamObserver<T>) response, keepAlive);
        models.lease(name).whenComplete((lease, failure) -> {
            if (failure != null) {
                call.fail(failure);
                return;
            }
            call.lease = lease;
            models.embedder(lease)
                    .thenAcceptAsync(
                            embedder -> {
                                call.checkCaller();
                                work.begin(lease.model(), embedder, call);
                            },
                            handlers)
                    .exceptionally(broken -> {
                        call.fail(broken);
                        return null;
                    });
        });
    }

    /** What a call does once its embedder is there. */
    private interface Work<T> {
        void begin(LoadedModel model, Embedder embedder, Call<T> call);
    }

    /** How what was computed becomes an answer. */
    private interface Reply<T> {
        T of(Embedder.Computed computed);
    }

    /** One call, until it is answered or its caller has gone. */
    private final class Call<T> {
        private final ServerCallStreamObserver<T> out;
        private final @Nullable KeepAlive keepAlive;
        volatile @Nullable ModelLease lease;
        private volatile @Nullable CompletableFuture<Embedder.Computed> computing;

        Call(ServerCallStreamObserver<T> out, @Nullable KeepAlive keepAlive) {
            this.out = out;
            this.keepAlive = keepAlive;
            out.setOnCancelHandler(this::cancel);
        }

        void compute(Embedder embedder, Supplier<List<int[]>> texts, Pooling pooling, Reply<T> reply) {
            CompletableFuture<Embedder.Computed> result = embedder.compute(() -> kept(texts.get()), pooling);
            computing = result;
            if (out.isCancelled()) {
                cancel();
            }
            // Not on the embedder's thread, which may be slow on purpose.
            result.thenApplyAsync(reply::of, handlers).whenComplete((answer, failure) -> {
                if (failure != null) {
                    fail(failure);
                } else {
                    succeed(answer);
                }
            });
        }

        /** Texts that will be computed: what is refused before does not change how long the model stays. */
        private List<int[]> kept(List<int[]> texts) {
            ModelLease held = lease;
            if (held != null && keepAlive != null) {
                held.keep(keepAlive);
            }
            return texts;
        }

        /** Ends what is done for a caller that has gone. */
        void checkCaller() {
            if (out.isCancelled()) {
                throw new CancellationException();
            }
        }

        void fail(Throwable failure) {
            release();
            if (!out.isCancelled()) {
                out.onError(Failures.status(failure));
            }
        }

        private void succeed(T answer) {
            release();
            if (!out.isCancelled()) {
                out.onNext(answer);
                out.onCompleted();
            }
        }

        private void cancel() {
            CompletableFuture<Embedder.Computed> running = computing;
            if (running != null) {
                running.cancel(false);
            }
        }

        private void release() {
            ModelLease held = lease;
            if (held != null) {
                held.close();
            }
        }
    }
}
