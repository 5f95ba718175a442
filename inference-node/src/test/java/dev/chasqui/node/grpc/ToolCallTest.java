package dev.chasqui.node.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.llama.TinyGguf;
import dev.chasqui.proto.v1.ChatMessage;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.Delta;
import dev.chasqui.proto.v1.FinishReason;
import dev.chasqui.proto.v1.Limits;
import dev.chasqui.proto.v1.Logprobs;
import dev.chasqui.proto.v1.OutputFormat;
import dev.chasqui.proto.v1.Reasoning;
import dev.chasqui.proto.v1.Sampling;
import dev.chasqui.proto.v1.Tool;
import dev.chasqui.proto.v1.ToolCall;
import dev.chasqui.proto.v1.ToolCallDelta;
import dev.chasqui.proto.v1.ToolChoice;
import io.grpc.Status;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Tools and reasoning over the wire. The model writes noise, so what it must write is what the grammar leaves it. */
@Timeout(120)
final class ToolCallTest extends ReadyNodeTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /** Small enough that noise fills it soon. */
    private static final Tool WEATHER = tool("weather", """
            {"type": "object", "properties": {"city": {"enum": ["Cusco", "Lima"]}, "days": {"type": "integer",
            "minimum": 1, "maximum": 9}}, "required": ["city", "days"]}""");

    private static final Tool TIME = tool("clock.time", "");

    private static final String THINKING = TinyGguf.CHATML
            .replace(
                    "{{ '<|im_start|>assistant\\n' }}{%- endif %}",
                    "{{ '<|im_start|>assistant\\n' }}"
                            + "{%- if enable_thinking is defined and enable_thinking is false %}{{ '<think>\\n\\n</think>\\n\\n' }}"
                            + "{%- endif %}{%- endif %}")
            .replace(
                    "{%- if message.content %}{{ message.content }}{%- endif %}",
                    "{%- if message.reasoning_content %}{{ '<think>\\n' + message.reasoning_content"
                            + " + '\\n</think>\\n\\n' }}{%- endif %}{%- if message.content %}{{ message.content }}"
                            + "{%- endif %}");

    /** ChatML that knows no tools, as of many small models. */
    private static final String PLAIN_CHATML =
            "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
                    + "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

    private static final String OTHER =
            "{% for message in messages %}{{ '[' + message['role'] + '] ' + message['content'] }}"
                    + "{% endfor %}{{ '[assistant] ' }}";

    @BeforeAll
    static void addModels() throws IOException {
        TinyGguf.Options tiny = TinyGguf.Options.DEFAULT;
        TinyGguf.write(node.modelsFolder.resolve("thinker.gguf"), tiny.withTemplate(THINKING));
        TinyGguf.write(node.modelsFolder.resolve("plain.gguf"), tiny.withTemplate(PLAIN_CHATML));
        TinyGguf.write(node.modelsFolder.resolve("other.gguf"), tiny.withTemplate(OTHER));
    }

    private static Tool tool(String name, String schema) {
        return Tool.newBuilder()
                .setName(name)
                .setDescription("Tells the " + name)
                .setParametersSchema(schema)
                .build();
    }

    private static ToolChoice choice(ToolChoice.Mode mode, String name) {
        return ToolChoice.newBuilder().setMode(mode).setName(name).build();
    }

    private static ChatRequest.Builder asking(ToolChoice.Mode mode, int seed) {
        return TestNode.chatOf("What is the weather?")
                .setSampling(Sampling.newBuilder().setTemperature(1.3f).setSeed(seed))
                .setLimits(Limits.newBuilder().setMaxTokens(1500))
                .addTools(WEATHER)
                .addTools(TIME)
                .setToolChoice(choice(mode, ""));
    }

    private static Refusal refused(ChatRequest.Builder request) throws InterruptedException {
        Refusal refusal = Refusal.of(node.chat(request.build()).failure());
        assertThat(refusal.code()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        return refusal;
    }

    /** A call put together from its pieces. */
    private record Call(String id, String name, JsonNode arguments, int pieces) {}

    /** The calls of a choice; each begins with its id and name, which come once, and grows in order. */
    private static List<Call> calls(Answer answer, int choice) {
        List<List<ToolCallDelta>> byIndex = new ArrayList<>();
        for (Delta delta : answer.deltas()) {
            for (ToolCallDelta call :
                    delta.getChoice() == choice ? delta.getToolCallsList() : List.<ToolCallDelta>of()) {
                if (call.getIndex() == byIndex.size()) {
                    assertThat(call.getId()).isNotBlank();
                    assertThat(call.getName()).isNotBlank();
                    byIndex.add(new ArrayList<>());
                } else {
                    assertThat(call.getIndex()).isEqualTo(byIndex.size() - 1);
                    assertThat(call.getId()).isEmpty();
                    assertThat(call.getName()).isEmpty();
                }
                byIndex.get(call.getIndex()).add(call);
            }
        }
        return byIndex.stream().map(ToolCallTest::whole).toList();
    }

    private static Call whole(List<ToolCallDelta> pieces) {
        StringBuilder arguments = new StringBuilder();
        pieces.forEach(piece -> arguments.append(piece.getArguments()));
        return new Call(
                pieces.get(0).getId(), pieces.get(0).getName(), JSON.readTree(arguments.toString()), pieces.size());
    }

    private static void assertFits(Call call) {
        if (call.name().equals("weather")) {
            assertThat(call.arguments().get("city").asString()).isIn("Cusco", "Lima");
            assertThat(call.arguments().get("days").asInt()).isBetween(1, 9);
            assertThat(call.arguments().propertyNames()).containsExactlyInAnyOrder("city", "days");
        } else {
            assertThat(call.name()).isEqualTo("clock.time");
            assertThat(call.arguments().isObject()).isTrue();
        }
    }

    /** How an answer ended, and that it was not cut. */
    private static boolean ended(Answer answer, int choice) {
        FinishReason reason = answer.finished(choice).getReason();
        if (reason == FinishReason.FINISH_REASON_LENGTH) {
            return false;
        }
        assertThat(reason).isEqualTo(FinishReason.FINISH_REASON_TOOL_CALLS);
        return true;
    }

    @Test
    void aRequiredCallComesInPiecesAndFitsItsSchema() throws Exception {
        int whole = 0;
        for (String model : List.of("tiny", "plain")) {
            for (int seed = 0; seed < 6; seed++) {
                Answer answer = node.chat(asking(ToolChoice.Mode.MODE_REQUIRED, seed)
                        .setModel(model)
                        .setToolChoice(choice(ToolChoice.Mode.MODE_REQUIRED, "weather"))
                        .setParallelToolCalls(false)
                        .build());
                if (ended(answer, 0)) {
                    whole++;
                    assertThat(calls(answer, 0)).singleElement().satisfies(call -> {
                        assertThat(call.name()).isEqualTo("weather");
                        assertThat(call.pieces()).isGreaterThan(1);
                        assertFits(call);
                    });
                    assertThat(answer.text()).isBlank();
                }
            }
        }
        assertThat(whole).isGreaterThan(6);
    }

    @Test
    void anyOfTheToolsMayBeRequired() throws Exception {
        List<String> called = new ArrayList<>();
        for (int seed = 0; seed < 12; seed++) {
            ChatRequest.Builder request = asking(ToolChoice.Mode.MODE_REQUIRED, seed)
                    .setLimits(Limits.newBuilder().setMaxTokens(200));
            // Noise has a liking for some letters.
            request.getSamplingBuilder().putLogitBias(TinyGguf.FIRST_BYTE + (seed % 2 == 0 ? 'w' : 'c'), 12);
            Answer answer = node.chat(request.build());
            answer.deltas().forEach(delta -> delta.getToolCallsList().forEach(call -> called.add(call.getName())));
            if (ended(answer, 0)) {
                assertThat(calls(answer, 0)).isNotEmpty().allSatisfy(ToolCallTest::assertFits);
            }
        }
        assertThat(called).contains("weather", "clock.time");
    }

    @Test
    void severalCallsComeOnlyWhereTheyMay() throws Exception {
        int several = 0;
        for (int seed = 0; seed < 4; seed++) {
            ChatRequest.Builder request = asking(ToolChoice.Mode.MODE_REQUIRED, seed)
                    .setToolChoice(choice(ToolChoice.Mode.MODE_REQUIRED, "weather"))
                    .setLimits(Limits.newBuilder().setMaxTokens(300));
            // Noise would end the answer as soon as it may.
            request.getSamplingBuilder().putLogitBias(TinyGguf.EOS, -8).putLogitBias(TinyGguf.IM_END, -8);
            several = Math.max(
                    several, begun(node.chat(request.setParallelToolCalls(true).build())));
            assertThat(begun(node.chat(request.setParallelToolCalls(false).build())))
                    .isEqualTo(1);
            // Who names a tool wants one call of it.
            assertThat(begun(node.chat(request.clearParallelToolCalls().build())))
                    .isEqualTo(1);
        }
        assertThat(several).isGreaterThan(1);
    }

    /** Calls of an answer, the last of which may be cut. */
    private static int begun(Answer answer) {
        return answer.deltas().stream()
                .flatMap(delta -> delta.getToolCallsList().stream())
                .mapToInt(call -> call.getIndex() + 1)
                .max()
                .orElse(0);
    }

    @Test
    void aModelThatMayCallNeedNot() throws Exception {
        ChatRequest.Builder request = asking(ToolChoice.Mode.MODE_AUTO, 1)
                .setLimits(Limits.newBuilder().setMaxTokens(20));
        Answer auto = node.chat(request.build());
        assertThat(auto.text()).isNotBlank();
        assertThat(auto.completed().getUsage().getPromptTokens())
                .isGreaterThan(TestNode.chatOf("What is the weather?")
                        .build()
                        .toString()
                        .length());
        assertThat(calls(auto, 0)).isEmpty();

        Answer none = node.chat(
                request.setToolChoice(choice(ToolChoice.Mode.MODE_NONE, "")).build());
        assertThat(calls(none, 0)).isEmpty();
        assertThat(none.text()).isNotBlank();
    }

    @Test
    void aModelThatMayCallToolsAnswersInAFormOrCallsThem() throws Exception {
        String form =
                "{\"type\":\"object\",\"properties\":{\"sky\":{\"enum\":[\"blue\",\"grey\"]},\"dry\":{\"type\":\"boolean\"}},"
                        + "\"required\":[\"sky\",\"dry\"],\"additionalProperties\":false}";
        Set<FinishReason> ends = new HashSet<>();
        for (int seed = 0; seed < 24 && ends.size() < 2; seed++) {
            Answer answer = node.chat(asking(ToolChoice.Mode.MODE_AUTO, seed)
                    .setOutputFormat(OutputFormat.newBuilder().setJsonSchema(form))
                    .build());
            if (answer.finished(0).getReason() == FinishReason.FINISH_REASON_LENGTH) {
                continue;
            }
            List<Call> calls = calls(answer, 0);
            ends.add(answer.finished(0).getReason());
            calls.forEach(ToolCallTest::assertFits);
            if (calls.isEmpty()) {
                assertThat(answer.finished(0).getReason()).isEqualTo(FinishReason.FINISH_REASON_STOP);
                JsonNode said = JSON.readTree(answer.text());
                assertThat(said.propertyNames()).containsExactlyInAnyOrder("sky", "dry");
                assertThat(said.get("sky").asString()).isIn("blue", "grey");
                assertThat(said.get("dry").isBoolean()).isTrue();
            } else {
                assertThat(answer.finished(0).getReason()).isEqualTo(FinishReason.FINISH_REASON_TOOL_CALLS);
            }
        }

        assertThat(ends).hasSize(2);
    }

    /** Also where the tools' own schemas are held less exactly. */
    @Test
    void aFormBesideToolsIsHeldInAllItSays() throws Exception {
        String form =
                "{\"type\":\"object\",\"properties\":{\"share\":{\"type\":\"number\",\"minimum\":0,\"maximum\":1},"
                        + "\"code\":{\"type\":\"string\",\"pattern\":\"^[A-Z]{2}-[0-9]$\"}},\"required\":[\"share\",\"code\"]}";
        int whole = 0;
        for (int seed = 0; seed < 60 && whole < 3; seed++) {
            Answer answer = node.chat(asking(ToolChoice.Mode.MODE_AUTO, seed)
                    .setOutputFormat(OutputFormat.newBuilder().setJsonSchema(form))
                    .build());
            if (answer.finished(0).getReason() == FinishReason.FINISH_REASON_STOP) {
                JsonNode said = JSON.readTree(answer.text());
                assertThat(said.get("share").decimalValue()).isBetween(BigDecimal.ZERO, BigDecimal.ONE);
                assertThat(said.get("code").asString()).matches("[A-Z]{2}-[0-9]");
                whole++;
            }
        }

        assertThat(whole).isEqualTo(3);
    }

    @Test
    void callsComeWithLogprobsAndInEveryChoice() throws Exception {
        Answer answer = node.chat(asking(ToolChoice.Mode.MODE_REQUIRED, 5)
                .setToolChoice(choice(ToolChoice.Mode.MODE_REQUIRED, "weather"))
                .setParallelToolCalls(false)
                .setChoices(3)
                .setLogprobs(Logprobs.newBuilder().setTop(1))
                .build());
        List<String> ids = new ArrayList<>();
        for (int choice = 0; choice < 3; choice++) {
            int one = choice;
            if (ended(answer, choice)) {
                calls(answer, choice).forEach(call -> ids.add(call.id()));
            }
            int tokens = answer.deltas().stream()
                    .filter(delta -> delta.getChoice() == one)
                    .mapToInt(Delta::getTokens)
                    .sum();
            assertThat(answer.deltas().stream()
                            .filter(delta -> delta.getChoice() == one)
                            .mapToInt(Delta::getLogprobsCount)
                            .sum())
                    .isBetween(tokens - 1, tokens);
        }
        assertThat(ids).isNotEmpty().doesNotHaveDuplicates();
    }

    @Test
    void aStopStringEndsACallToo() throws Exception {
        Answer answer = node.chat(asking(ToolChoice.Mode.MODE_REQUIRED, 2)
                .setToolChoice(choice(ToolChoice.Mode.MODE_REQUIRED, "weather"))
                .setLimits(Limits.newBuilder().setMaxTokens(1500).addStop("arguments"))
                .build());
        assertThat(answer.finished(0).getStop()).isEqualTo("arguments");
        assertThat(answer.finished(0).getReason()).isEqualTo(FinishReason.FINISH_REASON_STOP);
    }

    @Test
    void earlierCallsAndTheirResultsAreRendered() throws Exception {
        ChatRequest.Builder request = TestNode.chatOf("What is the weather?")
                .addMessages(ChatMessage.newBuilder()
                        .setRole("assistant")
                        .addToolCalls(ToolCall.newBuilder()
                                .setId("c1")
                                .setName("weather")
                                .setArguments("{\"city\": \"Cusco\", \"days\": 1}")))
                .addMessages(TestNode.message("tool", "sunny").toBuilder().setToolCallId("c1"));
        int bare = node.inference()
                .countTokens(TestNode.chatOf("What is the weather?").build())
                .getTokens();
        for (String model : List.of("tiny", "plain")) {
            assertThat(node.inference()
                            .countTokens(request.setModel(model).build())
                            .getTokens())
                    .isGreaterThan(bare + "weather".length() + "Cusco".length() + "sunny".length());
            assertThat(node.chat(request.build()).tokens()).isPositive();
        }
        assertThat(refused(request.setModel("other")).field()).isEqualTo("messages[1].tool_calls");
    }

    @Test
    void argumentsThatAModelOnceBrokeOffAreRenderedToo() throws Exception {
        for (String model : List.of("tiny", "plain")) {
            int before = 0;
            for (String arguments : List.of("", "[1]", "{\"city\": \"Cus", "\"a text, no object\"")) {
                ChatRequest request = TestNode.chatOf("What is the weather?")
                        .setModel(model)
                        .addMessages(ChatMessage.newBuilder()
                                .setRole("assistant")
                                .addToolCalls(ToolCall.newBuilder()
                                        .setId("c1")
                                        .setName("weather")
                                        .setArguments(arguments)))
                        .addMessages(
                                TestNode.message("tool", "sunny").toBuilder().setToolCallId("c1"))
                        .build();
                int tokens = node.inference().countTokens(request).getTokens();
                // Each says more than the one before, so none is left out.
                assertThat(tokens).isGreaterThan(before);
                before = tokens;
            }
        }
    }

    @Test
    void toolsAreNeverLeftOutInSilence() throws Exception {
        for (ToolChoice.Mode mode :
                List.of(ToolChoice.Mode.MODE_UNSPECIFIED, ToolChoice.Mode.MODE_AUTO, ToolChoice.Mode.MODE_REQUIRED)) {
            Refusal refusal = refused(asking(mode, 1).setModel("other"));
            assertThat(refusal.field()).isEqualTo("tools");
            assertThat(refusal.message())
                    .isEqualTo("tools: given (expected: none, as the chat template of other knows no tools)");
        }
        Answer none = node.chat(asking(ToolChoice.Mode.MODE_NONE, 1)
                .setModel("other")
                .setLimits(Limits.newBuilder().setMaxTokens(3))
                .build());
        assertThat(none.tokens()).isEqualTo(3);
        // Told in the prompt, so that the model can know them.
        int with = node.inference()
                .countTokens(
                        asking(ToolChoice.Mode.MODE_AUTO, 1).setModel("plain").build())
                .getTokens();
        int without = node.inference()
                .countTokens(TestNode.chatOf("What is the weather?")
                        .setModel("plain")
                        .build())
                .getTokens();
        assertThat(with).isGreaterThan(without + WEATHER.getParametersSchema().length());
    }

    @Test
    void badToolsAreRefusedByName() throws Exception {
        ChatRequest.Builder chat = TestNode.chatOf("x");
        assertThat(refused(chat.clone().addTools(tool("", ""))).field()).isEqualTo("tools[0].name");
        assertThat(refused(chat.clone().addTools(WEATHER).addTools(WEATHER)).field())
                .isEqualTo("tools[1].name");
        assertThat(refused(chat.clone().addTools(tool("a b", ""))).field()).isEqualTo("tools[0].name");
        assertThat(refused(chat.clone().addTools(tool("f", "{"))).field()).isEqualTo("tools[0].parameters_schema");
        assertThat(refused(chat.clone().addTools(tool("f", "[1]"))).field()).isEqualTo("tools[0].parameters_schema");
        assertThat(refused(chat.clone().addTools(tool("f", "{\"items\":".repeat(150) + "{}" + "}".repeat(150))))
                        .field())
                .isEqualTo("tools[0].parameters_schema");
        assertThat(refused(asking(ToolChoice.Mode.MODE_REQUIRED, 1)
                                .setToolChoice(choice(ToolChoice.Mode.MODE_REQUIRED, "no")))
                        .field())
                .isEqualTo("tool_choice.name");
        assertThat(refused(chat.clone().setToolChoice(choice(ToolChoice.Mode.MODE_REQUIRED, "")))
                        .field())
                .isEqualTo("tool_choice");
        assertThat(refused(asking(ToolChoice.Mode.MODE_AUTO, 1)
                                .setOutputFormat(OutputFormat.newBuilder().setGrammar("root ::= \"a\"")))
                        .field())
                .isEqualTo("output_format.grammar");
        for (String schema : List.of("{\"type\":\"array\",\"items\":{}}", "{\"type\":7}")) {
            assertThat(refused(asking(ToolChoice.Mode.MODE_AUTO, 1)
                                    .setOutputFormat(OutputFormat.newBuilder().setJsonSchema(schema)))
                            .field())
                    .isEqualTo("output_format.json_schema");
        }
        ChatRequest.Builder many = chat.clone();
        for (int i = 0; i < 129; i++) {
            many.addTools(tool("t" + i, ""));
        }
        assertThat(refused(many).message()).isEqualTo("tools: 129 (expected: at most 128)");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"type\": \"object\", \"properties\": {\"a\": {\"type\": \"any\"}}, \"required\": [\"a\"]}",
                "{\"type\": \"object\", \"properties\": {\"v\": {\"type\": \"integer\"}, \"kids\": {\"type\": \"array\", \"items\": "
                        + "{\"$ref\": \"#\"}}}, \"required\": [\"v\"]}",
                "{\"type\": \"object\", \"properties\": {\"a\": {\"$ref\": \"https://example.org/a.json\"}}}",
                "{\"type\": \"object\", \"properties\": {\"a\": {\"$ref\": \"#/$defs/none\"}}}",
                "{\"type\": \"object\", \"properties\": null, \"required\": \"a\"}",
                "{\"type\": \"object\", \"properties\": {\"a\": {\"enum\": null, \"minLength\": \"3\"}}}"
            })
    void aSchemaThatIsNotOneInAllItsPartsCanBeCalledAllTheSame(String schema) throws Exception {
        for (ToolChoice.Mode mode : List.of(ToolChoice.Mode.MODE_AUTO, ToolChoice.Mode.MODE_REQUIRED)) {
            Answer answer = node.chat(TestNode.chatOf("x")
                    .addTools(tool("f", schema))
                    .setToolChoice(choice(mode, ""))
                    .build());
            assertThat(answer.finished(0).getCompletionTokens()).isPositive();
        }
    }

    /** What a grammar cannot hold of a tool's schema is left to the model, and what it can is held. */
    @Test
    void aToolsSchemaMaySayMoreThanAGrammarHolds() throws Exception {
        Tool tool = tool("f", """
                {"type": "object", "properties": {"n": {"type": "number", "minimum": 0, "multipleOf": 0.5},
                "s": {"type": "string", "pattern": "^(?=x)y", "maxLength": 100000}, "b": {"type": "boolean"}},
                "required": ["b"], "minProperties": 1}""");
        Answer answer = node.chat(TestNode.chatOf("x")
                .setSampling(Sampling.newBuilder().setTemperature(1).setSeed(4))
                .setLimits(Limits.newBuilder().setMaxTokens(1500))
                .addTools(tool)
                .setToolChoice(choice(ToolChoice.Mode.MODE_REQUIRED, "f"))
                .build());
        if (ended(answer, 0)) {
            assertThat(calls(answer, 0).get(0).arguments().get("b").isBoolean()).isTrue();
        }
    }

    @Test
    void reasoningIsToldApart() throws Exception {
        // The grammar makes it think: its text is what a thinking model's would be.
        ChatRequest.Builder request = TestNode.chatOf("x")
                .setModel("thinker")
                .setLimits(Limits.newBuilder().setMaxTokens(200))
                .setOutputFormat(
                        OutputFormat.newBuilder().setGrammar("root ::= \"<think>\\nhm, yes\\n</think>\\n\\nHello.\""));
        Answer answer = node.chat(request.build());
        StringBuilder reasoning = new StringBuilder();
        answer.deltas().forEach(delta -> reasoning.append(delta.getReasoning()));
        assertThat(reasoning.toString().strip()).isEqualTo("hm, yes");
        assertThat(answer.text().strip()).isEqualTo("Hello.");
        assertThat(answer.completed().getUsage().getReasoningTokens()).isBetween(5, 30);
        assertThat(answer.completed().getUsage().getReasoningTokens())
                .isLessThan(answer.completed().getUsage().getCompletionTokens());
    }

    @Test
    void reasoningIsSwitched() {
        ChatRequest.Builder request = TestNode.chatOf("x").setModel("thinker");
        int usual = node.inference().countTokens(request.build()).getTokens();
        int on = node.inference()
                .countTokens(request.setReasoning(Reasoning.newBuilder().setMode(Reasoning.Mode.MODE_ON))
                        .build())
                .getTokens();
        int off = node.inference()
                .countTokens(request.setReasoning(Reasoning.newBuilder().setMode(Reasoning.Mode.MODE_OFF))
                        .build())
                .getTokens();
        assertThat(on).isEqualTo(usual);
        assertThat(off).isEqualTo(usual + "<think>\n\n</think>\n\n".length());
    }

    @Test
    void schemaAndReasoningGoTogether() throws Exception {
        Answer answer = node.chat(TestNode.chatOf("x")
                .setModel("thinker")
                .setReasoning(Reasoning.newBuilder().setMode(Reasoning.Mode.MODE_OFF))
                .setLimits(Limits.newBuilder().setMaxTokens(300))
                .setOutputFormat(OutputFormat.newBuilder().setJsonSchema("{\"enum\": [\"red\"]}"))
                .build());
        assertThat(answer.text().strip()).isEqualTo("\"red\"");
    }
}
