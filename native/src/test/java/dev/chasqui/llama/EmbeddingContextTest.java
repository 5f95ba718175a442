package dev.chasqui.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.chasqui.llama.LlamaException.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class EmbeddingContextTest {
    private static final Offset<Double> LITTLE = within(1e-3);
    private static final TinyGguf.Options EMBEDDER = TinyGguf.Options.DEFAULT.withKind(TinyGguf.Kind.EMBEDDER);
    private static final TinyGguf.Options RERANKER = TinyGguf.Options.DEFAULT.withKind(TinyGguf.Kind.RERANKER);

    private static int[] text(LlamaModel model, String text) {
        return model.vocabulary().tokenize(text, true, false);
    }

    private static float[][] embed(EmbeddingContext context, Pooling pooling, List<int[]> texts) {
        return Objects.requireNonNull(context.embed(texts, pooling, 1));
    }

    private static float[] embed(EmbeddingContext context, Pooling pooling, int[] text) {
        return embed(context, pooling, List.of(text))[0];
    }

    private static double cosine(float[] a, float[] b) {
        double product = 0;
        for (int i = 0; i < a.length; i++) {
            product += a[i] * b[i];
        }
        return product;
    }

    /** However texts are packed into batches, and however long they are, each has the vector that it has alone. */
    @Test
    void companyChangesNothing() {
        for (TinyGguf.Options options : List.of(TinyGguf.Options.DEFAULT, EMBEDDER)) {
            try (LlamaModel model = Tiny.model(options);
                    EmbeddingContext context = model.newEmbeddingContext(1024, 1, false)) {
                List<int[]> texts = new ArrayList<>();
                for (int i = 0; i < 100; i++) {
                    texts.add(text(model, "text " + i + " ".repeat(i % 7) + "x".repeat(i * i % 900)));
                }
                for (Pooling pooling : Pooling.values()) {
                    float[][] together = embed(context, pooling, texts);
                    for (int i : new int[] {0, 1, 29, 63, 64, 65, 99}) {
                        float[] alone = embed(context, pooling, texts.get(i));
                        assertThat(cosine(alone, alone)).isCloseTo(1, LITTLE);
                        assertThat(cosine(alone, together[i]))
                                .as("%s of text %s", pooling, i)
                                .isCloseTo(1, LITTLE);
                    }
                    if (pooling == Pooling.MEAN) {
                        assertThat(cosine(together[0], together[29])).isLessThan(0.9999);
                    }
                }
            }
        }
    }

    /** In a model that looks back only, the first token's state does not depend on what follows, and the last one's does. */
    @Test
    void poolsAsItIsTold() {
        try (LlamaModel model = Tiny.model();
                EmbeddingContext context = model.newEmbeddingContext(1024, 1, false)) {
            int[] one = text(model, "a");
            int[] other = text(model, "b");
            assertThat(cosine(embed(context, Pooling.CLS, one), embed(context, Pooling.CLS, other)))
                    .isCloseTo(1, LITTLE);
            assertThat(cosine(embed(context, Pooling.LAST, one), embed(context, Pooling.LAST, other)))
                    .isLessThan(0.999);
            int[] single = {TinyGguf.FIRST_BYTE + 'q'};
            for (Pooling pooling : Pooling.values()) {
                assertThat(cosine(embed(context, pooling, single), embed(context, Pooling.MEAN, single)))
                        .isCloseTo(1, LITTLE);
            }
        }
    }

    @Test
    void theFileSaysHowToPoolAndWhatTheModelCan() {
        try (LlamaModel generator = Tiny.model(TinyGguf.Options.DEFAULT.withPooling(3));
                LlamaModel embedder = Tiny.model(EMBEDDER);
                LlamaModel reranker = Tiny.model(RERANKER)) {
            assertThat(generator.info().pooling()).isEqualTo("LAST");
            assertThat(generator.info().generates()).isTrue();
            assertThat(generator.info().embeddingWidth()).isEqualTo(64);
            assertThat(embedder.info().pooling()).isEqualTo("CLS");
            assertThat(embedder.info().generates()).isFalse();
            assertThat(embedder.info().addEos()).isTrue();
            assertThat(embedder.info().ranks()).isFalse();
            assertThat(reranker.info().ranks()).isTrue();
            assertThatThrownBy(() -> embedder.newContext(Tiny.contextOptions(1)))
                    .isInstanceOfSatisfying(
                            LlamaException.class, e -> assertThat(e.reason()).isEqualTo(Reason.INVALID_REQUEST))
                    .hasMessage("model: only embeds (expected: one that generates text)");
        }
    }

    @Test
    void scoresPairs() {
        try (LlamaModel model = Tiny.model(RERANKER);
                EmbeddingContext context = model.newEmbeddingContext(512, 1, true)) {
            List<int[]> pairs = List.of(text(model, "query"), text(model, "another"), text(model, "query"));
            float[][] scores = embed(context, Pooling.MEAN, pairs);
            assertThat(scores[0]).hasSize(1);
            assertThat(scores[2][0]).isCloseTo(scores[0][0], within(1e-3f));
            assertThat(scores[1][0]).isNotEqualTo(scores[0][0]);
        }
    }

    @Test
    void generatesBesideIt() {
        SamplerOptions greedy = SamplerOptions.greedy();
        try (LlamaModel model = Tiny.model();
                LlamaContext chat = model.newContext(Tiny.contextOptions(1));
                Sampler alone = model.newSampler(greedy);
                Sampler beside = model.newSampler(greedy)) {
            int[] expected = Tiny.generate(chat, alone, 0, 8, 1, 2, 3);
            chat.clear(0);
            try (EmbeddingContext context = model.newEmbeddingContext(256, 1, false)) {
                embed(context, Pooling.MEAN, text(model, "once"));
                assertThat(Tiny.generate(chat, beside, 0, 8, 1, 2, 3)).isEqualTo(expected);
            }
        }
    }

    @Test
    void refusesWhatItCannotCompute() {
        try (LlamaModel model = Tiny.model(EMBEDDER);
                EmbeddingContext context = model.newEmbeddingContext(1 << 20, 1, false)) {
            assertThat(context.mostTokens()).isEqualTo(TinyGguf.TRAINED_CONTEXT);
            for (List<int[]> bad : List.of(
                    List.<int[]>of(),
                    List.of(new int[0]),
                    List.of(new int[TinyGguf.TRAINED_CONTEXT + 1]),
                    List.of(new int[] {-1}),
                    List.of(new int[] {5}, new int[] {TinyGguf.VOCAB_SIZE}))) {
                assertThatThrownBy(() -> context.embed(bad, Pooling.MEAN, 1))
                        .isInstanceOfSatisfying(
                                LlamaException.class,
                                e -> assertThat(e.reason()).isEqualTo(Reason.INVALID_REQUEST));
            }
            assertThat(embed(context, Pooling.MEAN, new int[TinyGguf.TRAINED_CONTEXT]))
                    .hasSize(64);
        }
    }

    @Test
    void anAbortEndsIt() {
        try (LlamaModel model = Tiny.model();
                EmbeddingContext context = model.newEmbeddingContext(256, 1, false)) {
            context.abort();
            assertThat(context.embed(List.of(text(model, "x")), Pooling.MEAN, 1))
                    .isNull();
            context.clearAbort();
            assertThat(embed(context, Pooling.MEAN, text(model, "x"))).hasSize(64);
        }
    }
}
