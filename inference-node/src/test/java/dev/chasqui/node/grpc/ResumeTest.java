package dev.chasqui.node.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.llama.TinyGguf;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.Completed;
import dev.chasqui.proto.v1.Dry;
import dev.chasqui.proto.v1.FinishReason;
import dev.chasqui.proto.v1.GenerateRequest;
import dev.chasqui.proto.v1.Limits;
import dev.chasqui.proto.v1.Logprobs;
import dev.chasqui.proto.v1.Mirostat;
import dev.chasqui.proto.v1.OutputFormat;
import dev.chasqui.proto.v1.Resume;
import dev.chasqui.proto.v1.ResumedChoice;
import dev.chasqui.proto.v1.Sampling;
import dev.chasqui.proto.v1.Scheduling;
import dev.chasqui.proto.v1.Tool;
import dev.chasqui.proto.v1.ToolChoice;
import dev.chasqui.proto.v1.Xtc;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * An answer that broke off goes on at another node: wherever it broke off, the client has what he would have had. Where a grammar
 * says each token the model is a slow one, so that most of them come alone and there are many places to break off at.
 */
@Timeout(240)
final class ResumeTest {
    private static final String THINKING = TinyGguf.CHATML.replace(
            "{%- if message.content %}{{ message.content }}{%- endif %}",
            "{%- if message.reasoning_content %}{{ '<think>\\n' + message.reasoning_content"
                    + " + '\\n</think>\\n\\n' }}{%- endif %}{%- if message.content %}{{ message.content }}{%- endif %}");

    @TempDir
    static Path folder;

    private static TestNode first;
    private static TestNode second;

    @BeforeAll
    static void start() throws IOException {
        first = TestNode.ready(folder.resolve("first"));
        second = TestNode.ready(folder.resolve("second"));
        for (TestNode node : List.of(first, second)) {
            TinyGguf.write(
                    node.modelsFolder.resolve("thinker.gguf"),
                    TinyGguf.Options.DEFAULT.withLayers(48).withTemplate(THINKING));
            node.load("slow");
        }
    }

    @AfterAll
    static void stop() {
        first.close();
        second.close();
    }

    private static Answer goesOnEverywhere(GenerateRequest.Builder asked) throws InterruptedException {
        GenerateRequest request = asked.build();
        Answer whole = first.generate(request);
        List<BrokenOff> all = BrokenOff.everywhere(whole);
        assertThat(all).isNotEmpty();
        for (BrokenOff off : all) {
            check(whole, off, second.generate(off.goOn(request)));
        }
        return whole;
    }

    private static Answer goesOnEverywhere(ChatRequest.Builder asked) throws InterruptedException {
        ChatRequest request = asked.build();
        Answer whole = first.chat(request);
        List<BrokenOff> all = BrokenOff.everywhere(whole);
        assertThat(all).isNotEmpty();
        for (BrokenOff off : all) {
            check(whole, off, second.chat(off.goOn(request)));
        }
        return whole;
    }

    private static void check(Answer whole, BrokenOff off, Answer rest) {
        Completed completed = rest.completed();
        // Tokens of reasoning are reckoned from the text of each piece, and pieces differ.
        assertThat(off.with(rest))
                .as("behind %d events", off.told().size())
                .usingRecursiveComparison()
                .ignoringFields("reasoningTokens")
                .isEqualTo(BrokenOff.said(whole));
        if (BrokenOff.said(whole).size() == 1) {
            assertThat(completed.getUsage().getCompletionTokens())
                    .isEqualTo(whole.completed().getUsage().getCompletionTokens());
            assertThat(completed.getUsage().getPromptTokens())
                    .isEqualTo(whole.completed().getUsage().getPromptTokens());
        }
    }

    private static Sampling.Builder warm(int seed) {
        return Sampling.newBuilder().setTemperature(1.5f).setSeed(seed).setIgnoreEos(true);
    }

    @Test
    void aGreedyAnswer() throws Exception {
        goesOnEverywhere(TestNode.prompt("Once upon a time")
                .setLimits(Limits.newBuilder().setMaxTokens(40)));
        goesOnEverywhere(TestNode.chatOf("Hello there"));
    }

    @Test
    void whatIsDrawnWithASeed() throws Exception {
        for (Sampling.Builder sampling : List.of(
                warm(1),
                warm(2).setTopK(0).setTopP(1).setMinP(0),
                warm(3).setRepeatPenalty(1.3f).setFrequencyPenalty(0.5f).setPresencePenalty(0.5f),
                warm(4).setDry(Dry.newBuilder().setMultiplier(2).setAllowedLength(1)),
                warm(5).setXtc(Xtc.newBuilder().setProbability(0.5f).setThreshold(0.02f)),
                warm(6).setMirostat(Mirostat.newBuilder().setVersion(1)),
                warm(7).setMirostat(Mirostat.newBuilder().setVersion(2)))) {
            goesOnEverywhere(TestNode.prompt("One day").setSampling(sampling));
        }
    }

    @Test
    void whatWasDrawnWithASeedThatNobodyChose() throws Exception {
        GenerateRequest.Builder request = TestNode.prompt("One day");
        request.setSampling(warm(0).clearSeed());
        goesOnEverywhere(request);
    }

    @Test
    void insideACharacter() throws Exception {
        Answer whole = goesOnEverywhere(TestNode.saying("¡Aña😀! 日本語 👩‍🚀").setModel("slow"));
        assertThat(whole.text()).isEqualTo("¡Aña😀! 日本語 👩‍🚀");
    }

    @Test
    void whileAStopStringIsHeldBack() throws Exception {
        Answer whole = goesOnEverywhere(TestNode.saying("a<b<en<end>and more")
                .setModel("slow")
                .setLimits(Limits.newBuilder().setMaxTokens(40).addStop("<end>").addStop("zz")));
        assertThat(whole.text()).isEqualTo("a<b<en");
        assertThat(whole.finished(0).getStop()).isEqualTo("<end>");
    }

    @Test
    void whatIsLetOutOnlyAtTheEnd() throws Exception {
        Answer whole = goesOnEverywhere(TestNode.saying("abcdefgh")
                .setModel("slow")
                .setLimits(Limits.newBuilder().setMaxTokens(5).addStop("defx")));
        assertThat(whole.text()).isEqualTo("abcde");
    }

    @Test
    void logprobsComeOnceForEachToken() throws Exception {
        Answer whole = goesOnEverywhere(TestNode.saying("né < éa<en 😀 ok")
                .setModel("slow")
                .setLogprobs(Logprobs.newBuilder().setTop(2))
                .setLimits(Limits.newBuilder().setMaxTokens(60).addStop("<end>").addStop("a<")));
        assertThat(BrokenOff.said(whole).get(0).logprobs()).isNotEmpty();
    }

    @Test
    void anAnswerOfAForm() throws Exception {
        OutputFormat format = OutputFormat.newBuilder()
                .setJsonSchema("{\"type\": \"object\", \"properties\": {\"name\": {\"enum\": [\"Inti\", \"Killa\"]}, "
                        + "\"size\": {\"type\": \"integer\", \"minimum\": 1, \"maximum\": 99}, \"old\": {\"type\": \"boolean\"}}, "
                        + "\"required\": [\"name\", \"size\", \"old\"]}")
                .build();
        for (int seed = 0; seed < 3; seed++) {
            Sampling sampling =
                    Sampling.newBuilder().setTemperature(1.5f).setSeed(seed).build();
            goesOnEverywhere(TestNode.prompt("JSON: ").setSampling(sampling).setOutputFormat(format));
            Answer chat = goesOnEverywhere(TestNode.chatOf("JSON")
                    .setSampling(sampling)
                    .setOutputFormat(format)
                    .setLimits(Limits.newBuilder().setMaxTokens(300)));
            assertThat(chat.text()).startsWith("{").endsWith("}");
        }
    }

    @Test
    void callsOfTools() throws Exception {
        Tool weather = Tool.newBuilder()
                .setName("weather")
                .setParametersSchema(
                        "{\"type\": \"object\", \"properties\": {\"city\": {\"enum\": [\"Cusco\", \"Lima\"]}, "
                                + "\"days\": {\"type\": \"integer\", \"minimum\": 1, \"maximum\": 9}}, \"required\": [\"city\", \"days\"]}")
                .build();
        int calls = 0;
        for (int seed = 0; seed < 3; seed++) {
            Sampling.Builder sampling =
                    Sampling.newBuilder().setTemperature(1.3f).setSeed(seed);
            // Noise would end the answer as soon as it may.
            sampling.putLogitBias(TinyGguf.EOS, -4).putLogitBias(TinyGguf.IM_END, -4);
            Answer whole = goesOnEverywhere(TestNode.chatOf("What is the weather?")
                    .setSampling(sampling)
                    .setLimits(Limits.newBuilder().setMaxTokens(120))
                    .addTools(weather)
                    .setParallelToolCalls(true)
                    .setToolChoice(ToolChoice.newBuilder().setMode(ToolChoice.Mode.MODE_REQUIRED)));
            calls += BrokenOff.said(whole).get(0).calls().size();
        }
        assertThat(calls).isPositive();
    }

    @Test
    void whatTheModelThinks() throws Exception {
        OutputFormat thought = OutputFormat.newBuilder()
                .setGrammar("root ::= \"<think>\\nwell, let me see\\n</think>\\n\\nthe answer is 4\"")
                .build();
        Answer whole = goesOnEverywhere(TestNode.chatOf("2 + 2?")
                .setModel("thinker")
                .setOutputFormat(thought)
                .setLimits(Limits.newBuilder().setMaxTokens(100)));
        BrokenOff.Said said = BrokenOff.said(whole).get(0);
        assertThat(said.content()).isEqualTo("the answer is 4");
        assertThat(said.reasoning()).contains("let me see");
        assertThat(said.reasoningTokens()).isPositive();
    }

    @Test
    void severalAnswersOfWhichSomeHaveEnded() throws Exception {
        ChatRequest.Builder request = TestNode.chatOf("Say something")
                .setChoices(3)
                .setSampling(Sampling.newBuilder().setTemperature(1.5f).setSeed(9))
                .setLimits(Limits.newBuilder().setMaxTokens(24).addStop("e"));
        request.getSamplingBuilder().putLogitBias(TinyGguf.FIRST_BYTE + 'e', 4);
        Answer whole = goesOnEverywhere(request);
        assertThat(BrokenOff.said(whole)).hasSize(3);
    }

    @Test
    void withAnAdapterAndAPriority() throws Exception {
        GenerateRequest.Builder request = TestNode.prompt("Poems ").setSampling(warm(3));
        request.addLoraBuilder().setName("poet");
        goesOnEverywhere(request.setScheduling(Scheduling.newBuilder().setPriority(-3)));
    }

    @Test
    void anAnswerThatOnlyHasToEndEndsWithoutComputing() throws Exception {
        GenerateRequest request = TestNode.prompt("x")
                .setLogprobs(Logprobs.getDefaultInstance())
                .setLimits(Limits.newBuilder().setMaxTokens(4))
                .build();
        Answer whole = first.generate(request);
        List<Integer> tokens = BrokenOff.said(whole).get(0).logprobs();
        GenerateRequest.Builder goOn = begun(whole).goOn(request).toBuilder();
        goOn.getResumeBuilder().getChoicesBuilder(0).clearTokenIds().addAllTokenIds(tokens);
        long steps = second.engine("tiny").getStepsTotal();

        Answer rest = second.generate(goOn.build());

        assertThat(rest.finished(0).getReason()).isEqualTo(FinishReason.FINISH_REASON_LENGTH);
        assertThat(rest.completed().getUsage().getCompletionTokens()).isEqualTo(4);
        assertThat(rest.text()).isEmpty();
        assertThat(second.engine("tiny").getStepsTotal()).isEqualTo(steps);
    }

    /** Behind its admission. */
    private static BrokenOff begun(Answer whole) {
        return BrokenOff.everywhere(whole).get(0);
    }

    @Test
    void theTimeItHasTakenCounts() throws Exception {
        GenerateRequest request = TestNode.prompt("x")
                .setScheduling(Scheduling.newBuilder().setTimeoutMs(50_000))
                .build();
        GenerateRequest.Builder late = begun(first.generate(request)).goOn(request).toBuilder();
        late.getResumeBuilder().setAgeMs(50_001);
        assertThat(second.generate(late.build()).failure().getStatus().getCode())
                .isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    }

    @Test
    void anotherModelDoesNotGoOn() throws Exception {
        GenerateRequest request = TestNode.prompt("x").build();
        Refusal refusal = Refusal.of(second.generate(begun(first.generate(request)).goOn(request).toBuilder()
                        .setModel("slow")
                        .build())
                .failure());
        assertThat(refusal.field()).isEqualTo("resume.model_fingerprint");
    }

    @Test
    void whatNoAnswerCanHaveSaidIsRefused() throws Exception {
        GenerateRequest request = TestNode.saying("abc").build();
        GenerateRequest good = begun(first.generate(request)).goOn(request);
        assertRefused(
                good, "resume.choices.token_ids", ResumedChoice.newBuilder().addTokenIds(-1));
        assertRefused(
                good, "resume.choices.token_ids", ResumedChoice.newBuilder().addTokenIds(1 << 30));
        assertRefused(
                good, "resume.choices.token_ids", ResumedChoice.newBuilder().addTokenIds(TinyGguf.EOS));
        assertRefused(
                good, "resume.choices.token_ids", ResumedChoice.newBuilder().addTokenIds(TinyGguf.FIRST_BYTE + 'z'));
        assertRefused(good, "resume.choices", ResumedChoice.newBuilder().setChoice(1));
        GenerateRequest.Builder seedless = good.toBuilder();
        seedless.getSamplingBuilder().clearSeed();
        assertThat(Refusal.of(second.generate(seedless.build()).failure()).field())
                .isEqualTo("resume");
        ResumedChoice.Builder longer = ResumedChoice.newBuilder();
        for (int i = 0; i < TestNode.CONTEXT; i++) {
            longer.addTokenIds(TinyGguf.FIRST_BYTE + 'a');
        }
        GenerateRequest.Builder full = good.toBuilder().clearOutputFormat();
        full.getResumeBuilder().clearChoices().addChoices(longer);
        assertThat(Refusal.of(second.generate(full.build()).failure()).reason()).isEqualTo("CONTEXT_LENGTH_EXCEEDED");
        assertRefused(full.build(), "resume.choices.token_ids", longer.addTokenIds(TinyGguf.FIRST_BYTE));
    }

    private static void assertRefused(GenerateRequest good, String field, ResumedChoice.Builder choice)
            throws InterruptedException {
        GenerateRequest.Builder bad = good.toBuilder();
        Resume.Builder resume = bad.getResumeBuilder().clearChoices();
        resume.addChoices(choice);
        Refusal refusal = Refusal.of(second.generate(bad.build()).failure());
        assertThat(refusal.field()).isEqualTo(field);
        assertThat(refusal.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    }
}
