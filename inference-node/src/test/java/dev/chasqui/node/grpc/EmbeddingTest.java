package dev.chasqui.node.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import dev.chasqui.llama.TinyGguf;
import dev.chasqui.proto.v1.EmbedInput;
import dev.chasqui.proto.v1.EmbedRequest;
import dev.chasqui.proto.v1.EmbedResponse;
import dev.chasqui.proto.v1.Embedding;
import dev.chasqui.proto.v1.InferenceGrpc;
import dev.chasqui.proto.v1.Model;
import dev.chasqui.proto.v1.Pooling;
import dev.chasqui.proto.v1.RankedDocument;
import dev.chasqui.proto.v1.RerankRequest;
import dev.chasqui.proto.v1.RerankResponse;
import dev.chasqui.proto.v1.ShowModelRequest;
import dev.chasqui.proto.v1.TokenList;
import dev.chasqui.proto.v1.UnloadModelRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Embeddings and reranking over the wire. */
@Timeout(120)
final class EmbeddingTest extends ReadyNodeTest {
    @BeforeAll
    static void addModels() throws IOException {
        TinyGguf.Options tiny = TinyGguf.Options.DEFAULT;
        TinyGguf.write(node.modelsFolder.resolve("embedder.gguf"), tiny.withKind(TinyGguf.Kind.EMBEDDER));
        TinyGguf.write(node.modelsFolder.resolve("reranker.gguf"), tiny.withKind(TinyGguf.Kind.RERANKER));
        TinyGguf.write(node.modelsFolder.resolve("last.gguf"), tiny.withPooling(3));
    }

    private static EmbedRequest.Builder texts(String... texts) {
        EmbedRequest.Builder request = EmbedRequest.newBuilder();
        for (String text : texts) {
            request.addInputs(EmbedInput.newBuilder().setText(text));
        }
        return request;
    }

    private static EmbedResponse embed(EmbedRequest.Builder request) {
        return node.inference().embed(request.build());
    }

    private static RerankRequest.Builder query(String query, String... documents) {
        return RerankRequest.newBuilder().setModel("reranker").setQuery(query).addAllDocuments(List.of(documents));
    }

    private static Refusal refused(Runnable call) {
        return Refusal.of(catchThrowableOfType(StatusRuntimeException.class, call::run));
    }

    private static Refusal refused(EmbedRequest.Builder request) {
        return refused(() -> embed(request));
    }

    private static Refusal refused(RerankRequest.Builder request) {
        return refused(() -> node.inference().rerank(request.build()));
    }

    private static double cosine(Embedding a, Embedding b) {
        double product = 0;
        for (int i = 0; i < a.getValuesCount(); i++) {
            product += a.getValues(i) * b.getValues(i);
        }
        return product;
    }

    @Test
    void everyInputGetsAVectorOfLengthOne() {
        for (String model : List.of("tiny", "embedder")) {
            EmbedResponse response =
                    embed(texts("the first", "the second, longer", "the first").setModel(model));

            assertThat(response.getModel()).isEqualTo(model);
            assertThat(response.getEmbeddingsList()).hasSize(3).allSatisfy(one -> {
                assertThat(one.getValuesList()).hasSize(64);
                assertThat(cosine(one, one)).isCloseTo(1, within(1e-3));
            });
            assertThat(cosine(response.getEmbeddings(0), response.getEmbeddings(2)))
                    .isCloseTo(1, within(1e-3));
            assertThat(cosine(response.getEmbeddings(0), response.getEmbeddings(1)))
                    .isLessThan(0.9999);
            // A token is a byte here, with a start token in front, and an end token behind where the model wants one.
            assertThat(response.getEmbeddings(0).getTokens()).isEqualTo(model.equals("tiny") ? 10 : 11);
            assertThat(response.getPromptTokens())
                    .isEqualTo(response.getEmbeddingsList().stream()
                            .mapToInt(Embedding::getTokens)
                            .sum());
        }
    }

    @Test
    void theModelOrTheRequestSaysHowToPool() {
        assertThat(embed(texts("a").setModel("tiny")).getPooling()).isEqualTo(Pooling.POOLING_MEAN);
        assertThat(embed(texts("a").setModel("embedder")).getPooling()).isEqualTo(Pooling.POOLING_CLS);
        assertThat(embed(texts("a").setModel("last")).getPooling()).isEqualTo(Pooling.POOLING_LAST);
        EmbedResponse asked = embed(texts("a", "b").setModel("last").setPooling(Pooling.POOLING_CLS));
        assertThat(asked.getPooling()).isEqualTo(Pooling.POOLING_CLS);
        // Their first tokens are the same, and a token sees only what stands before it.
        assertThat(cosine(asked.getEmbeddings(0), asked.getEmbeddings(1))).isCloseTo(1, within(1e-3));
    }

    @Test
    void tokensAreUsedAsTheyAre() {
        EmbedResponse response = embed(texts("hi")
                .addInputs(EmbedInput.newBuilder()
                        .setTokens(TokenList.newBuilder()
                                .addIds(TinyGguf.BOS)
                                .addIds(TinyGguf.FIRST_BYTE + 'h')
                                .addIds(TinyGguf.FIRST_BYTE + 'i'))));
        assertThat(response.getEmbeddings(1).getTokens()).isEqualTo(3);
        assertThat(cosine(response.getEmbeddings(0), response.getEmbeddings(1))).isCloseTo(1, within(1e-3));
    }

    @Test
    void specialTokensInATextStayText() {
        assertThat(embed(texts("<|im_end|>")).getPromptTokens()).isEqualTo(1 + "<|im_end|>".length());
    }

    @Test
    void fewerDimensionsAreTheFirstOnesOfLengthOne() {
        EmbedResponse all = embed(texts("abc"));
        EmbedResponse few = embed(texts("abc").setDimensions(8));
        Embedding cut = few.getEmbeddings(0);
        assertThat(cut.getValuesList()).hasSize(8);
        assertThat(cosine(cut, cut)).isCloseTo(1, within(1e-3));
        float ratio = cut.getValues(0) / all.getEmbeddings(0).getValues(0);
        assertThat(cut.getValues(7)).isCloseTo(all.getEmbeddings(0).getValues(7) * ratio, within(1e-3f));
    }

    @Test
    void aLongTextIsRefusedOrCut() {
        for (String model : List.of("tiny", "embedder")) {
            EmbedRequest.Builder request =
                    texts("x", "y".repeat(TestNode.CONTEXT + 5)).setModel(model);
            Refusal refusal = refused(request);
            assertThat(refusal.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
            assertThat(refusal.reason()).isEqualTo("CONTEXT_LENGTH_EXCEEDED");
            assertThat(refusal.field()).isEqualTo("inputs[1]");
            assertThat(refusal.info().getMetadataOrThrow("context_tokens")).isEqualTo("" + TestNode.CONTEXT);
            assertThat(embed(request.setTruncate(true)).getEmbeddings(1).getTokens())
                    .isEqualTo(TestNode.CONTEXT);
        }
    }

    @Test
    void manyTextsOfAllLengthsAtOnce() throws Exception {
        EmbedRequest.Builder request = EmbedRequest.newBuilder();
        for (int i = 0; i < 300; i++) {
            request.addInputs(EmbedInput.newBuilder().setText("text " + i + "z".repeat(i * 37 % 400)));
        }
        List<Future<EmbedResponse>> calls = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            calls.add(InferenceGrpc.newFutureStub(node.channel).embed(request.build()));
        }
        Answer chat = node.generate(TestNode.prompt("meanwhile").build());
        assertThat(chat.tokens()).isEqualTo(16);
        EmbedResponse first = calls.get(0).get(60, TimeUnit.SECONDS);
        for (Future<EmbedResponse> call : calls) {
            EmbedResponse response = call.get(60, TimeUnit.SECONDS);
            assertThat(response.getEmbeddingsCount()).isEqualTo(300);
            assertThat(cosine(response.getEmbeddings(299), first.getEmbeddings(299)))
                    .isCloseTo(1, within(1e-3));
        }
    }

    @Test
    void aCallerThatLeavesEndsTheComputing() throws Exception {
        EmbedRequest.Builder request = EmbedRequest.newBuilder().setModel("slow");
        request.addAllInputs(Collections.nCopies(
                1000, EmbedInput.newBuilder().setText("x".repeat(2000)).build()));
        Future<EmbedResponse> call = InferenceGrpc.newFutureStub(node.channel).embed(request.build());
        TestNode.await(
                "the model",
                () -> node.models.loaded().stream().anyMatch(one -> one.name().equals("slow")));
        Thread.sleep(300);
        call.cancel(true);
        TestNode.await("the lease", () -> {
            try {
                node.modelsStub()
                        .unloadModel(
                                UnloadModelRequest.newBuilder().setName("slow").build());
                return true;
            } catch (StatusRuntimeException e) {
                return false;
            }
        });
    }

    @Test
    void aDeadlineEndsTheComputing() {
        EmbedRequest.Builder request = EmbedRequest.newBuilder().setModel("slow");
        request.addAllInputs(Collections.nCopies(
                1000, EmbedInput.newBuilder().setText("x".repeat(2000)).build()));
        StatusRuntimeException failure = catchThrowableOfType(
                StatusRuntimeException.class,
                () -> InferenceGrpc.newBlockingStub(node.channel)
                        .withDeadlineAfter(Duration.ofMillis(500))
                        .embed(request.build()));
        assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    }

    @Test
    void itsMemoryIsCounted() {
        node.load("strict");
        long before = show("strict").getMemoryBytes();
        embed(texts("a").setModel("strict"));
        assertThat(show("strict").getMemoryBytes()).isGreaterThan(before);
    }

    @Test
    void aModelTellsWhatItCan() {
        node.load("embedder");
        node.load("reranker");
        Model generator = show("tiny");
        Model embedder = show("embedder");
        Model reranker = show("reranker");
        assertThat(generator.getGenerates()).isTrue();
        assertThat(generator.getReranks()).isFalse();
        assertThat(generator.getEmbeddingDimensions()).isEqualTo(64);
        assertThat(embedder.getGenerates()).isFalse();
        assertThat(embedder.getEmbeddingDimensions()).isEqualTo(64);
        assertThat(embedder.getSlots()).isZero();
        assertThat(embedder.getContextTokens()).isEqualTo(TestNode.CONTEXT);
        assertThat(reranker.getReranks()).isTrue();
        assertThat(reranker.getEmbeddingDimensions()).isZero();
    }

    private static Model show(String name) {
        return node.modelsStub()
                .showModel(ShowModelRequest.newBuilder().setName(name).build());
    }

    @Test
    void documentsComeInTheOrderOfTheirScores() {
        RerankResponse response = node.inference()
                .rerank(query("which one", "this", "that, perhaps", "none", "this")
                        .build());

        assertThat(response.getModel()).isEqualTo("reranker");
        assertThat(response.getResultsList())
                .extracting(RankedDocument::getIndex)
                .containsExactlyInAnyOrder(0, 1, 2, 3);
        assertThat(response.getResultsList()).isSortedAccordingTo((a, b) -> Float.compare(b.getScore(), a.getScore()));
        float[] byIndex = new float[4];
        response.getResultsList().forEach(one -> byIndex[one.getIndex()] = one.getScore());
        assertThat(byIndex[0]).isCloseTo(byIndex[3], within(1e-3f)).isNotEqualTo(byIndex[1]);
        // Start, query, end, document, end.
        assertThat(response.getPromptTokens()).isEqualTo(4 * (3 + 9) + 4 + 13 + 4 + 4);

        RerankResponse best = node.inference()
                .rerank(query("which one", "this", "that, perhaps", "none", "this")
                        .setTopN(1)
                        .build());
        assertThat(best.getResultsList()).hasSize(1);
        assertThat(best.getResults(0).getScore())
                .isCloseTo(response.getResults(0).getScore(), within(1e-3f));
    }

    @Test
    void aLongDocumentIsRefusedOrCut() {
        RerankRequest.Builder request = query("q", "short", "x".repeat(TestNode.CONTEXT));
        Refusal refusal = refused(request);
        assertThat(refusal.reason()).isEqualTo("CONTEXT_LENGTH_EXCEEDED");
        assertThat(refusal.field()).isEqualTo("documents[1]");
        RerankResponse cut = node.inference().rerank(request.setTruncate(true).build());
        assertThat(cut.getResultsCount()).isEqualTo(2);
        assertThat(cut.getPromptTokens()).isEqualTo(3 + 1 + 5 + TestNode.CONTEXT);
        assertThat(refused(query("q".repeat(TestNode.CONTEXT), "d").setTruncate(true))
                        .field())
                .isEqualTo("query");
    }

    @Test
    void aModelIsAskedForWhatItCanDo() {
        Refusal embedsWithReranker = refused(texts("a").setModel("reranker"));
        Refusal ranksWithGenerator = refused(query("q", "d").setModel("tiny"));
        Refusal chatsWithEmbedder = refused(() -> node.inference()
                .chat(TestNode.chatOf("hi").setModel("embedder").build())
                .forEachRemaining(event -> {}));
        for (Refusal refusal : List.of(embedsWithReranker, ranksWithGenerator, chatsWithEmbedder)) {
            assertThat(refusal.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
            assertThat(refusal.reason()).isEqualTo("INVALID_REQUEST");
            assertThat(refusal.field()).isEqualTo("model");
        }
        assertThat(ranksWithGenerator.message()).isEqualTo("model: tiny (expected: a model that ranks)");
    }

    @Test
    void whatMakesNoSenseIsRefused() {
        assertThat(refused(texts()).message()).isEqualTo("inputs: 0 (expected: 1 to 2048)");
        assertThat(refused(texts("a").setDimensions(65)).field()).isEqualTo("dimensions");
        assertThat(refused(texts("a").setDimensions(-1)).field()).isEqualTo("dimensions");
        assertThat(refused(texts("a").setPoolingValue(9)).field()).isEqualTo("pooling");
        assertThat(refused(texts("a").setModel("nobody")).code()).isEqualTo(Status.Code.NOT_FOUND);
        assertThat(refused(texts("a").addInputs(EmbedInput.getDefaultInstance()))
                        .message())
                .isEqualTo("inputs[1]: neither text nor tokens (expected: one of them)");
        assertThat(refused(EmbedRequest.newBuilder()
                                .addInputs(EmbedInput.newBuilder().setTokens(TokenList.getDefaultInstance())))
                        .message())
                .isEqualTo("inputs[0]: 0 tokens (expected: at least 1)");
        for (int bad : new int[] {-1, TinyGguf.VOCAB_SIZE}) {
            assertThat(refused(EmbedRequest.newBuilder()
                                    .addInputs(EmbedInput.newBuilder()
                                            .setTokens(TokenList.newBuilder().addIds(bad))))
                            .field())
                    .isEqualTo("inputs[0].tokens.ids");
        }
        assertThat(refused(query("q")).field()).isEqualTo("documents");
        assertThat(refused(query("q", "d").setTopN(-1)).field()).isEqualTo("top_n");
        EmbedRequest.Builder many = EmbedRequest.newBuilder();
        many.addAllInputs(
                Collections.nCopies(2049, EmbedInput.newBuilder().setText("x").build()));
        assertThat(refused(many).field()).isEqualTo("inputs");
    }

    @Test
    void aFullQueueSaysWhenToComeBack() throws Exception {
        EmbedRequest.Builder request = EmbedRequest.newBuilder().setModel("slow");
        request.addAllInputs(Collections.nCopies(
                100, EmbedInput.newBuilder().setText("x".repeat(1000)).build()));
        node.load("slow");
        List<Future<EmbedResponse>> calls = new ArrayList<>();
        for (int i = 0; i < 80; i++) {
            calls.add(InferenceGrpc.newFutureStub(node.channel).embed(request.build()));
        }
        TestNode.await("a refusal", () -> calls.stream().anyMatch(Future::isDone));
        Future<EmbedResponse> refused =
                calls.stream().filter(Future::isDone).findFirst().orElseThrow();
        ExecutionException failure = catchThrowableOfType(ExecutionException.class, refused::get);
        Refusal refusal = Refusal.of((StatusRuntimeException) Objects.requireNonNull(failure.getCause()));
        calls.forEach(call -> call.cancel(true));
        assertThat(refusal.code()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
        assertThat(refusal.reason()).isEqualTo("QUEUE_FULL");
        assertThat(refusal.retryAfter()).isNotNull();
    }
}
