package dev.chasqui.node.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.llama.ContextOptions;
import dev.chasqui.llama.DecodeStatus;
import dev.chasqui.llama.FlashAttention;
import dev.chasqui.llama.KvType;
import dev.chasqui.llama.LlamaContext;
import dev.chasqui.llama.LlamaModel;
import dev.chasqui.llama.LoadListener;
import dev.chasqui.llama.Logprobs;
import dev.chasqui.llama.ModelOptions;
import dev.chasqui.llama.Sampler;
import dev.chasqui.llama.SamplerOptions;
import dev.chasqui.node.model.ModelSettings;
import dev.chasqui.node.runner.TestLlama;
import dev.chasqui.node.store.Catalogue;
import dev.chasqui.node.store.ModelReference;
import dev.chasqui.node.store.ModelStore;
import dev.chasqui.node.store.StoreSettings;
import dev.chasqui.node.store.StoredModel;
import dev.chasqui.proto.v1.GenerateRequest;
import dev.chasqui.proto.v1.Limits;
import dev.chasqui.proto.v1.Sampling;
import dev.chasqui.proto.v1.TokenLogprob;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * With a real small model a greedy answer is the one that a plain loop over llama.cpp gives: nothing between the wire and the
 * model changes what it says. The model comes from the catalogue's own sources; without it these tests fail.
 */
@Timeout(900)
final class GreedyAnswerIT {
    private static final String MODEL = "smollm2-135m-instruct";
    private static final int CONTEXT = 512;
    private static final int SLOTS = 4;
    private static final int BATCH = 512;
    private static final int TOKENS = 24;

    /**
     * How far from the best token one may be, where llama.cpp adds up in another order in company. Where it does not, on processors with
     * kernels of ours, it must be the best one.
     */
    private static final float MARGIN = 0.3f;

    private static TestNode node;
    private static LlamaModel model;

    @BeforeAll
    static void start() throws IOException {
        Path folder = Path.of(Objects.requireNonNull(
                        System.getProperty("chasqui.test.home"), "system property chasqui.test.home is not set"))
                .resolve("models");
        StoredModel stored;
        try (ModelStore store = new ModelStore(folder, Catalogue.builtIn(), StoreSettings.DEFAULTS)) {
            stored = store.pull(ModelReference.parse(MODEL), false, progress -> {})
                    .future()
                    .join();
        }
        model = TestLlama.load().loadModel(stored.file(), new ModelOptions(0, true), LoadListener.NONE);
        node = TestNode.over(
                folder,
                new ModelSettings(MODEL, SLOTS, CONTEXT, 0, 16, 2, 0, 1L << 30, true, List.of(), null, 1L << 40));
    }

    @AfterAll
    static void stop() {
        if (node != null) {
            node.close();
        }
        if (model != null) {
            model.close();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"The capital of France is", "Once upon a time, there was", "def fibonacci(n):\n"})
    void aRawPromptIsContinuedAsByAPlainLoop(String prompt) throws Exception {
        Answer answer = node.generate(greedy(prompt));

        assertThat(answer.text())
                .isNotBlank()
                .isEqualTo(plainLoop(model.vocabulary().tokenize(prompt, true, true)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"What is the capital of France?", "Say hello in Spanish.", "Count from 1 to 5."})
    void aChatIsAnsweredAsByAPlainLoop(String question) throws Exception {
        Answer answer = node.chat(TestNode.chatOf(question)
                .setLimits(Limits.newBuilder().setMaxTokens(TOKENS))
                .build());
        int[] prompt = model.chatTemplate()
                .render("{\"messages\": [{\"role\": \"user\", \"content\": \"" + question + "\"}]}")
                .tokens();

        assertThat(answer.completed().getUsage().getPromptTokens()).isEqualTo(prompt.length);
        assertThat(answer.text()).isNotBlank().isEqualTo(plainLoop(prompt));
    }

    @Test
    void theModelKnowsWhatItIsAsked() throws Exception {
        assertThat(node.generate(greedy("The capital of France is")).text()).startsWith(" Paris");
    }

    @Test
    void inCompanyEachTokenIsTheBestOrNearlySo() throws Exception {
        List<String> prompts = List.of(
                "The capital of France is", "Once upon a time, there was", "def fibonacci(n):\n", "Water boils at");
        List<Answer> answers = new ArrayList<>();
        for (String prompt : prompts) {
            answers.add(node.start(greedy(prompt).toBuilder()
                    .setLogprobs(dev.chasqui.proto.v1.Logprobs.getDefaultInstance())
                    .build()));
        }
        for (int i = 0; i < prompts.size(); i++) {
            int[] tokens = answers.get(i).await().deltas().stream()
                    .flatMap(delta -> delta.getLogprobsList().stream())
                    .mapToInt(TokenLogprob::getToken)
                    .toArray();
            assertThat(tokens).hasSizeGreaterThan(TOKENS / 2);
            assertThat(worstGap(model.vocabulary().tokenize(prompts.get(i), true, true), tokens))
                    .as(prompts.get(i))
                    .isLessThanOrEqualTo(isSameInPieces() ? 0 : MARGIN);
        }
    }

    private static GenerateRequest greedy(String prompt) {
        return TestNode.prompt(prompt)
                .setSampling(Sampling.newBuilder().setTemperature(0))
                .setLimits(Limits.newBuilder().setMaxTokens(TOKENS))
                .build();
    }

    private static LlamaContext context() {
        return model.newContext(new ContextOptions(
                CONTEXT, SLOTS, BATCH, BATCH, 2, 2, FlashAttention.AUTO, KvType.F16, KvType.F16, false));
    }

    /** What the model says without engine, template text, streams or wire. */
    private static String plainLoop(int[] prompt) {
        int[] answer = new int[TOKENS];
        int count = 0;
        try (LlamaContext context = context();
                Sampler sampler = model.newSampler(SamplerOptions.greedy())) {
            int[] chosen = new int[1];
            int row = feed(context, prompt, 0);
            while (count < TOKENS) {
                context.sample(1, new Sampler[] {sampler}, new int[] {row}, chosen);
                if (model.vocabulary().isEndOfGeneration(chosen[0])) {
                    break;
                }
                answer[count++] = chosen[0];
                row = feed(context, chosen, prompt.length + count - 1);
            }
        }
        return model.vocabulary().detokenize(Arrays.copyOf(answer, count));
    }

    /** How much likelier than an answer's tokens the best ones were, at worst. */
    private static float worstGap(int[] prompt, int[] answer) {
        float worst = 0;
        try (LlamaContext context = context()) {
            int row = feed(context, prompt, 0);
            for (int i = 0; i < answer.length; i++) {
                Logprobs logprobs = context.logprobs(row, answer[i], 1);
                worst = Math.max(worst, logprobs.topLogprobs()[0] - logprobs.logprob());
                row = feed(context, new int[] {answer[i]}, prompt.length + i);
            }
        }
        return worst;
    }

    /** Whether llama.cpp computes the same, to the bit, of a prompt in one go and in pieces. */
    private static boolean isSameInPieces() {
        int[] prompt = model.vocabulary()
                .tokenize("The mountains between the two valleys are high, and few roads", true, true);
        try (LlamaContext atOnce = context();
                LlamaContext inPieces = context()) {
            int row = feed(atOnce, prompt, 0);
            int last = 0;
            for (int from = 0, size = 1;
                    from < prompt.length;
                    from += size, size = Math.min(size + 1, prompt.length - from)) {
                last = feed(inPieces, Arrays.copyOfRange(prompt, from, from + size), from);
            }
            return Arrays.equals(
                    atOnce.logprobs(row, 0, 5).topLogprobs(),
                    inPieces.logprobs(last, 0, 5).topLogprobs());
        }
    }

    private static int feed(LlamaContext context, int[] tokens, int position) {
        context.batch().clear();
        int row = -1;
        for (int i = 0; i < tokens.length; i++) {
            row = context.batch().add(tokens[i], position + i, 0, i == tokens.length - 1);
        }
        assertThat(context.decode()).isEqualTo(DecodeStatus.OK);
        return row;
    }
}
