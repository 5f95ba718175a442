package dev.chasqui.node.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.chasqui.llama.TinyGguf;
import dev.chasqui.proto.v1.ChatMessage;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.ContentPart;
import dev.chasqui.proto.v1.DetokenizeRequest;
import dev.chasqui.proto.v1.Dry;
import dev.chasqui.proto.v1.GenerateRequest;
import dev.chasqui.proto.v1.Limits;
import dev.chasqui.proto.v1.Logprobs;
import dev.chasqui.proto.v1.Mirostat;
import dev.chasqui.proto.v1.OutputFormat;
import dev.chasqui.proto.v1.Sampling;
import dev.chasqui.proto.v1.Scheduling;
import dev.chasqui.proto.v1.TokenList;
import dev.chasqui.proto.v1.TokenizeRequest;
import dev.chasqui.proto.v1.Tool;
import dev.chasqui.proto.v1.ToolChoice;
import dev.chasqui.proto.v1.Xtc;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that make no sense: each is refused, and the refusal says what is wrong. */
@Timeout(120)
final class InvalidRequestTest extends ReadyNodeTest {
    private static final String SECRET = "the prompt that nobody may read";

    static Stream<Arguments> badSampling() {
        float nan = Float.NaN;
        return Stream.of(
                arguments("temperature", Sampling.newBuilder().setTemperature(-0.1f)),
                arguments("temperature", Sampling.newBuilder().setTemperature(100.5f)),
                arguments("temperature", Sampling.newBuilder().setTemperature(nan)),
                arguments("temperature", Sampling.newBuilder().setTemperature(Float.POSITIVE_INFINITY)),
                arguments("top_k", Sampling.newBuilder().setTopK(-1)),
                arguments("top_p", Sampling.newBuilder().setTopP(-0.1f)),
                arguments("top_p", Sampling.newBuilder().setTopP(1.1f)),
                arguments("top_p", Sampling.newBuilder().setTopP(nan)),
                arguments("min_p", Sampling.newBuilder().setMinP(2)),
                arguments("typical_p", Sampling.newBuilder().setTypicalP(2)),
                arguments("repeat_penalty", Sampling.newBuilder().setRepeatPenalty(0)),
                arguments("repeat_penalty", Sampling.newBuilder().setRepeatPenalty(11)),
                arguments("repeat_penalty", Sampling.newBuilder().setRepeatPenalty(nan)),
                arguments("frequency_penalty", Sampling.newBuilder().setFrequencyPenalty(-2.5f)),
                arguments("presence_penalty", Sampling.newBuilder().setPresencePenalty(2.5f)),
                arguments("penalty_last_n", Sampling.newBuilder().setPenaltyLastN(-2)),
                arguments(
                        "dry.multiplier",
                        Sampling.newBuilder().setDry(Dry.newBuilder().setMultiplier(-1))),
                arguments(
                        "dry.base",
                        Sampling.newBuilder()
                                .setDry(Dry.newBuilder().setMultiplier(1).setBase(0.5f))),
                arguments(
                        "dry.allowed_length",
                        Sampling.newBuilder()
                                .setDry(Dry.newBuilder().setMultiplier(1).setAllowedLength(-1))),
                arguments(
                        "dry.last_n",
                        Sampling.newBuilder()
                                .setDry(Dry.newBuilder().setMultiplier(1).setLastN(-1))),
                arguments(
                        "dry.sequence_breakers",
                        Sampling.newBuilder()
                                .setDry(Dry.newBuilder().setMultiplier(1).addSequenceBreakers(""))),
                arguments(
                        "dry.sequence_breakers",
                        Sampling.newBuilder()
                                .setDry(Dry.newBuilder()
                                        .setMultiplier(1)
                                        .addAllSequenceBreakers(Collections.nCopies(65, "x")))),
                arguments(
                        "xtc.probability",
                        Sampling.newBuilder().setXtc(Xtc.newBuilder().setProbability(1.5f))),
                arguments(
                        "xtc.threshold",
                        Sampling.newBuilder()
                                .setXtc(Xtc.newBuilder().setProbability(1).setThreshold(2))),
                arguments(
                        "mirostat.version",
                        Sampling.newBuilder().setMirostat(Mirostat.newBuilder().setVersion(3))),
                arguments(
                        "mirostat.version",
                        Sampling.newBuilder().setMirostat(Mirostat.newBuilder().setVersion(-1))),
                arguments(
                        "mirostat.tau",
                        Sampling.newBuilder()
                                .setMirostat(Mirostat.newBuilder().setVersion(1).setTau(-5))),
                arguments(
                        "mirostat.eta",
                        Sampling.newBuilder()
                                .setMirostat(Mirostat.newBuilder().setVersion(1).setEta(2))),
                arguments("logit_bias", Sampling.newBuilder().putLogitBias(-1, 1)),
                arguments("logit_bias", Sampling.newBuilder().putLogitBias(TinyGguf.VOCAB_SIZE, 1)),
                arguments("logit_bias", Sampling.newBuilder().putLogitBias(5, nan)),
                arguments("logit_bias", Sampling.newBuilder().putLogitBias(5, Float.POSITIVE_INFINITY)),
                arguments(
                        "logit_bias",
                        Sampling.newBuilder()
                                .putAllLogitBias(IntStream.range(0, 1025)
                                        .boxed()
                                        .collect(Collectors.toMap(token -> token, token -> 1f)))));
    }

    @ParameterizedTest(name = "{0}, {index}")
    @MethodSource
    void badSampling(String field, Sampling.Builder sampling) throws Exception {
        assertInvalid(field, TestNode.prompt(SECRET).setSampling(sampling).build());
    }

    static Stream<Arguments> badGeneration() {
        return Stream.of(
                arguments("choices", TestNode.prompt(SECRET).setChoices(17)),
                arguments("choices", TestNode.prompt(SECRET).setChoices(-1)),
                arguments(
                        "logprobs.top",
                        TestNode.prompt(SECRET)
                                .setLogprobs(Logprobs.newBuilder().setTop(21))),
                arguments(
                        "logprobs.top",
                        TestNode.prompt(SECRET)
                                .setLogprobs(Logprobs.newBuilder().setTop(-1))),
                arguments(
                        "max_tokens",
                        TestNode.prompt(SECRET).setLimits(Limits.newBuilder().setMaxTokens(-5))),
                arguments(
                        "stop",
                        TestNode.prompt(SECRET).setLimits(Limits.newBuilder().addStop(""))),
                arguments(
                        "stop",
                        TestNode.prompt(SECRET).setLimits(Limits.newBuilder().addStop("é".repeat(513)))),
                arguments(
                        "stop",
                        TestNode.prompt(SECRET)
                                .setLimits(Limits.newBuilder().addAllStop(Collections.nCopies(17, "x")))),
                arguments("prompt", GenerateRequest.newBuilder().setTokens(TokenList.getDefaultInstance())),
                arguments(
                        "tokens.ids",
                        GenerateRequest.newBuilder()
                                .setTokens(TokenList.newBuilder().addIds(-1))),
                arguments(
                        "tokens.ids",
                        GenerateRequest.newBuilder()
                                .setTokens(TokenList.newBuilder().addIds(1).addIds(TinyGguf.VOCAB_SIZE))),
                arguments(
                        "output_format.grammar",
                        TestNode.prompt(SECRET)
                                .setOutputFormat(OutputFormat.newBuilder().setGrammar("root ::= ((("))),
                arguments(
                        "output_format.json_schema",
                        TestNode.prompt(SECRET)
                                .setOutputFormat(OutputFormat.newBuilder().setJsonSchema("{\"type\":"))),
                arguments(
                        "output_format.json_schema",
                        TestNode.prompt(SECRET)
                                .setOutputFormat(
                                        OutputFormat.newBuilder().setJsonSchema("{\"type\":\"no such type\"}"))));
    }

    @ParameterizedTest(name = "{0}, {index}")
    @MethodSource
    void badGeneration(String field, GenerateRequest.Builder request) throws Exception {
        assertInvalid(field, request.build());
    }

    static Stream<Arguments> badChats() {
        return Stream.of(
                arguments("messages", ChatRequest.newBuilder()),
                arguments(
                        "output_format.json_schema",
                        TestNode.chatOf(SECRET)
                                .setOutputFormat(
                                        OutputFormat.newBuilder().setJsonSchema("{\"type\":\"no such type\"}"))),
                arguments("messages[0].role", ChatRequest.newBuilder().addMessages(ChatMessage.getDefaultInstance())),
                arguments("messages[1].role", TestNode.chatOf(SECRET).addMessages(TestNode.message("oracle", "x"))),
                arguments(
                        "messages[0].content[1]",
                        ChatRequest.newBuilder()
                                .addMessages(TestNode.message("user", SECRET).toBuilder()
                                        .addContent(ContentPart.getDefaultInstance()))),
                arguments(
                        "tools[0].parameters_schema",
                        TestNode.chatOf(SECRET)
                                .addTools(Tool.newBuilder().setName("f").setParametersSchema("{"))),
                arguments(
                        "tool_choice.name",
                        TestNode.chatOf(SECRET)
                                .addTools(Tool.newBuilder().setName("f"))
                                .setToolChoice(ToolChoice.newBuilder()
                                        .setMode(ToolChoice.Mode.MODE_REQUIRED)
                                        .setName("g"))),
                arguments(
                        "tool_choice",
                        TestNode.chatOf(SECRET)
                                .setToolChoice(ToolChoice.newBuilder().setMode(ToolChoice.Mode.MODE_REQUIRED))),
                arguments(
                        "output_format.json_schema",
                        TestNode.chatOf(SECRET)
                                .setOutputFormat(OutputFormat.newBuilder().setJsonSchema("nonsense"))),
                arguments(
                        "output_format.grammar",
                        TestNode.chatOf(SECRET)
                                .setOutputFormat(OutputFormat.newBuilder().setGrammar("nonsense"))),
                arguments("template_arguments.x", TestNode.chatOf(SECRET).putTemplateArguments("x", "{\"open\":")),
                arguments("template_arguments", TestNode.chatOf(SECRET).putTemplateArguments("messages", "[]")),
                arguments("continue_last_message", TestNode.chatOf(SECRET).setContinueLastMessage(true)),
                arguments("choices", TestNode.chatOf(SECRET).setChoices(17)),
                arguments(
                        "temperature",
                        TestNode.chatOf(SECRET)
                                .setSampling(Sampling.newBuilder().setTemperature(-1))),
                arguments(
                        "priority",
                        TestNode.chatOf(SECRET)
                                .setScheduling(Scheduling.newBuilder().setPriority(-101))),
                arguments(
                        "priority",
                        TestNode.chatOf(SECRET)
                                .setScheduling(Scheduling.newBuilder().setPriority(Integer.MAX_VALUE))),
                arguments(
                        "timeout_ms",
                        TestNode.chatOf(SECRET)
                                .setScheduling(Scheduling.newBuilder().setTimeoutMs(86_400_001))),
                arguments(
                        "timeout_ms",
                        TestNode.chatOf(SECRET)
                                .setScheduling(Scheduling.newBuilder().setTimeoutMs(-1))),
                arguments(
                        "logprobs.top",
                        TestNode.chatOf(SECRET)
                                .setLogprobs(Logprobs.newBuilder().setTop(21))));
    }

    @ParameterizedTest(name = "{0}, {index}")
    @MethodSource
    void badChats(String field, ChatRequest.Builder request) throws Exception {
        assertInvalid(field, node.chat(request.build()).failure());
    }

    @Test
    void goodOnesAreTakenAtTheirBounds() throws Exception {
        List<Sampling.Builder> bounds = List.of(
                Sampling.newBuilder().setTemperature(100),
                Sampling.newBuilder().setTopK(0),
                Sampling.newBuilder().setTopP(0),
                Sampling.newBuilder().setTopP(1),
                Sampling.newBuilder().setMinP(0),
                Sampling.newBuilder().setMinP(1),
                Sampling.newBuilder().setTypicalP(0),
                Sampling.newBuilder().setRepeatPenalty(10),
                Sampling.newBuilder().setFrequencyPenalty(-2).setPresencePenalty(2),
                Sampling.newBuilder().setPenaltyLastN(0),
                Sampling.newBuilder().setPenaltyLastN(-1),
                Sampling.newBuilder().setSeed(-1),
                Sampling.newBuilder().putLogitBias(TinyGguf.VOCAB_SIZE - 1, Float.NEGATIVE_INFINITY));
        for (Sampling.Builder sampling : bounds) {
            node.generate(TestNode.prompt("x")
                            .setSampling(sampling.setIgnoreEos(true))
                            .setLogprobs(Logprobs.newBuilder().setTop(20))
                            .setScheduling(
                                    Scheduling.newBuilder().setPriority(100).setTimeoutMs(86_400_000))
                            .setLimits(Limits.newBuilder().setMaxTokens(3).addStop("é".repeat(512)))
                            .build())
                    .completed();
        }
    }

    @Test
    void aTokenOutOfRangeCannotBeRead() {
        assertInvalid(
                "tokens",
                failureOf(() -> node.inference()
                        .detokenize(DetokenizeRequest.newBuilder()
                                .addTokens(TinyGguf.VOCAB_SIZE)
                                .build())));
    }

    @Test
    void anUnknownModelIsNotFound() throws Exception {
        Refusal refusal = Refusal.of(
                node.generate(TestNode.prompt(SECRET).setModel("gpt-9").build()).failure());

        assertThat(refusal.code()).isEqualTo(Status.Code.NOT_FOUND);
        assertThat(refusal.reason()).isEqualTo("MODEL_NOT_FOUND");
        assertThat(refusal.field()).isEqualTo("model");
        assertThat(refusal.message()).contains("gpt-9");
        assertThat(Refusal.of(failureOf(() -> node.inference()
                                .tokenize(TokenizeRequest.newBuilder()
                                        .setModel("gpt-9")
                                        .build())))
                        .code())
                .isEqualTo(Status.Code.NOT_FOUND);
    }

    @Test
    void aModelThatWasNotPulledIsNotFound() throws Exception {
        Refusal refusal = Refusal.of(node.generate(TestNode.prompt(SECRET)
                        .setModel("smollm2-360m-instruct")
                        .build())
                .failure());

        assertThat(refusal.code()).isEqualTo(Status.Code.NOT_FOUND);
        assertThat(refusal.message()).contains("not on disk");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/etc/passwd", "file:/etc/passwd", "/etc/passwd.gguf", "../tiny", "a\nb", " "})
    void filesOfThisMachineCannotBeNamed(String name) throws Exception {
        Refusal refusal = Refusal.of(
                node.generate(TestNode.prompt(SECRET).setModel(name).build()).failure());

        assertThat(refusal.code()).isIn(Status.Code.NOT_FOUND, Status.Code.INVALID_ARGUMENT);
        assertThat(refusal.field()).isEqualTo("model");
        assertThat(refusal.message()).doesNotContain("\n");
    }

    @Test
    void aPromptThatFillsTheContextIsRefused() throws Exception {
        Refusal refusal = Refusal.of(node.generate(
                        TestNode.prompt("x".repeat(TestNode.CONTEXT - 1)).build())
                .failure());

        assertThat(refusal.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        assertThat(refusal.reason()).isEqualTo("CONTEXT_LENGTH_EXCEEDED");
        assertThat(refusal.info().getMetadataMap())
                .containsEntry("prompt_tokens", String.valueOf(TestNode.CONTEXT))
                .containsEntry("context_tokens", String.valueOf(TestNode.CONTEXT));
        node.generate(TestNode.prompt("x".repeat(TestNode.CONTEXT - 2)).build()).completed();
    }

    /** Tokens of such a text take seconds to find, so they are not looked for. */
    @Test
    void whatIsFarTooLongIsRefusedBeforeItIsTokenised() throws Exception {
        String text = "x".repeat(5 << 20);
        List<Refusal> refusals = List.of(
                Refusal.of(node.generate(TestNode.prompt(text).build()).failure()),
                Refusal.of(node.chat(TestNode.chatOf(text).build()).failure()));

        for (Refusal refusal : refusals) {
            assertThat(refusal.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
            assertThat(refusal.reason()).isEqualTo("CONTEXT_LENGTH_EXCEEDED");
            assertThat(refusal.message())
                    .startsWith("prompt: at least ")
                    .endsWith("maximum context length is " + TestNode.CONTEXT + " tokens)");
            assertThat(refusal.info().getMetadataMap())
                    .containsEntry("context_tokens", String.valueOf(TestNode.CONTEXT));
        }
        Refusal spaces = Refusal.of(node.generate(
                        TestNode.prompt(" ".repeat(3 * TestNode.CONTEXT)).build())
                .failure());
        assertThat(spaces.message())
                .as("spaces may be left out, so they are counted")
                .doesNotContain("at least");
    }

    @Test
    void aTemplateThatRefusesSaysSo() throws Exception {
        Refusal refusal = Refusal.of(node.chat(TestNode.chatOf(SECRET)
                        .setModel("strict")
                        .addMessages(TestNode.message("user", SECRET))
                        .build())
                .failure());

        assertThat(refusal.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        assertThat(refusal.reason()).isEqualTo("TEMPLATE_REFUSED");
        assertThat(refusal.field()).isEqualTo("messages");
        assertThat(refusal.message()).contains("one user message").doesNotContain(SECRET);
        node.chat(TestNode.chatOf(SECRET).setModel("strict").build()).completed();
    }

    @Test
    void noRefusalLeavesASlotOrALeaseBehind() throws Exception {
        for (int i = 0; i < 20; i++) {
            node.generate(TestNode.prompt(SECRET)
                            .setSampling(Sampling.newBuilder().setTemperature(-1))
                            .build())
                    .failure();
            node.generate(TestNode.prompt(SECRET)
                            .setOutputFormat(OutputFormat.newBuilder().setGrammar("root ::= ((("))
                            .setChoices(3)
                            .build())
                    .failure();
            node.generate(TestNode.prompt("x".repeat(TestNode.CONTEXT))
                            .setChoices(2)
                            .build())
                    .failure();
        }
        TestNode.await("leases to come back", InvalidRequestTest::unloads);
        node.load("tiny");
    }

    private static boolean unloads() {
        try {
            node.models.unload("tiny");
            return true;
        } catch (RuntimeException e) {
            return false;
        }
    }

    private static void assertInvalid(String field, GenerateRequest request) throws InterruptedException {
        assertInvalid(field, node.generate(request).failure());
    }

    private static void assertInvalid(String field, StatusRuntimeException failure) {
        Refusal refusal = Refusal.of(failure);
        assertThat(refusal.code()).as(refusal.message()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        assertThat(refusal.reason()).isEqualTo("INVALID_REQUEST");
        assertThat(refusal.field()).as(refusal.message()).isEqualTo(field);
        assertThat(refusal.message())
                .startsWith(field + ": ")
                .doesNotContain(SECRET)
                .doesNotContain("\n");
        assertThat(refusal.retryAfter()).isNull();
    }

    private static StatusRuntimeException failureOf(ThrowingCallable call) {
        return org.assertj.core.api.Assertions.catchThrowableOfType(StatusRuntimeException.class, call);
    }
}
