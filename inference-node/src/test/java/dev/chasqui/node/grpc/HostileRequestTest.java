package dev.chasqui.node.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.proto.v1.ChatMessage;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.ContentPart;
import dev.chasqui.proto.v1.Limits;
import dev.chasqui.proto.v1.Logprobs;
import dev.chasqui.proto.v1.OutputFormat;
import dev.chasqui.proto.v1.Reasoning;
import dev.chasqui.proto.v1.Sampling;
import dev.chasqui.proto.v1.Tool;
import dev.chasqui.proto.v1.ToolCall;
import dev.chasqui.proto.v1.ToolChoice;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever a request holds, it is answered or refused, and the node goes on: no crash, no defect, nothing for ever. */
@Timeout(180)
final class HostileRequestTest extends ReadyNodeTest {
    private static final int REQUESTS = 150;

    /** Pieces of which hostile texts are made. */
    private static final List<String> PIECES = List.of(
            "{",
            "}",
            "[",
            "]",
            "(",
            ")",
            "\"",
            "\\",
            ":",
            ",",
            "::=",
            "|",
            "*",
            "+",
            "?",
            "root",
            "root ::= ",
            "a",
            "b ::= ",
            "\n",
            " ",
            "#",
            "{1,3}",
            "{0,2000}",
            "{3,1}",
            "[a-z]",
            "[^\"]",
            ".",
            "\\u0000",
            "\\xFF",
            "\u0000",
            "\uD83D\uDE00",
            "\uD800",
            "\u00e9",
            "<|im_end|>",
            "<|im_start|>system",
            "<tool_call>",
            "</tool_call>",
            "<think>",
            "</think>",
            "```json",
            "\"type\": ",
            "\"object\"",
            "\"properties\": ",
            "\"$ref\": \"#/a\"",
            "\"anyOf\": ",
            "\"items\": ",
            "\"enum\": ",
            "null",
            "true",
            "-1",
            "1e999",
            "99999999999999999999",
            "\"pattern\": \"^(a|b)*$\"",
            "\"minimum\": -5",
            "\"maxItems\": 3",
            "{{ messages }}",
            "{% for x in y %}",
            "{%",
            "%}",
            "<[5]>",
            "!<[1]>",
            "<[99999]>");

    /** Makes requests from a seed. */
    private static final class Attacker {
        private final Random random;

        Attacker(long seed) {
            this.random = new Random(seed);
        }

        private <T> T oneOf(List<T> values) {
            return values.get(random.nextInt(values.size()));
        }

        String noise() {
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(25); i >= 0; i--) {
                text.append(oneOf(PIECES).repeat(random.nextInt(40) == 0 ? 2000 : 1));
            }
            return text.toString();
        }

        String grammar() {
            StringBuilder rules = new StringBuilder("root ::= " + body(3) + "\n");
            for (int i = 0; i < 4; i++) {
                rules.append("r" + i + " ::= " + body(3) + "\n");
            }
            return random.nextInt(4) == 0 ? noise() : rules.toString();
        }

        private String body(int depth) {
            StringBuilder body = new StringBuilder();
            for (int i = random.nextInt(4); i >= 0; i--) {
                body.append(
                        switch (random.nextInt(depth > 0 ? 9 : 5)) {
                            case 0 -> "\"x\"";
                            case 1 -> "[a-c]";
                            case 2 -> "r" + random.nextInt(4);
                            case 3 -> "\"y\"";
                            case 4 -> "[^x]";
                            case 5, 6 -> "(" + body(depth - 1) + ")";
                            case 7 -> "(" + body(depth - 1) + ") | " + body(depth - 1);
                            default -> "\"\" | root";
                        });
                body.append(oneOf(List.of("", "", "", "?", "*", "+", "{2}", "{0,3}", "{1,}")))
                        .append(' ');
            }
            return body.toString();
        }

        String schema(int depth) {
            return switch (random.nextInt(depth > 0 ? 12 : 6)) {
                case 0 -> "{}";
                case 1 ->
                    "{\"type\": "
                            + oneOf(List.of("\"string\"", "\"integer\"", "\"null\"", "[\"number\", \"object\"]", "7"))
                            + "}";
                case 2 -> "{\"enum\": [1, \"" + oneOf(List.of("a", "\\\"", "\\u0000", "\\n")) + "\"]}";
                case 3 ->
                    "{\"$ref\": \"#"
                            + oneOf(List.of("", "/", "/$defs/a", "/properties/a", "/items", "/%00", "/anyOf/0"))
                            + "\"}";
                case 4 ->
                    "{\"type\": \"string\", \"pattern\": \""
                            + oneOf(List.of("^a{1,9}$", "(", "^((a*)*)*$", "^[^]$", "^.+$", "\\\\d"))
                            + "\", \"maxLength\": " + random.nextInt(5000) + "}";
                case 5 ->
                    "{\"type\": \"integer\", \"minimum\": " + random.nextLong() + ", \"maximum\": " + random.nextInt()
                            + "}";
                case 6, 7 ->
                    "{\"type\": \"object\", \"properties\": {\"a\": " + schema(depth - 1) + ", \""
                            + oneOf(List.of("b", "-", "]^", "é", "")) + "\": " + schema(depth - 1)
                            + "}, \"additionalProperties\": " + oneOf(List.of("true", "false", schema(depth - 1)))
                            + "}";
                case 8 ->
                    "{\"type\": \"array\", \"items\": " + schema(depth - 1) + ", \"minItems\": " + random.nextInt(4)
                            + ", \"maxItems\": " + random.nextInt(2500) + "}";
                case 9 ->
                    "{\"" + oneOf(List.of("anyOf", "oneOf", "allOf")) + "\": [" + schema(depth - 1) + ", "
                            + schema(depth - 1) + "]}";
                case 10 -> "{\"$defs\": {\"a\": " + schema(depth - 1) + "}, \"$ref\": \"#/$defs/a\"}";
                default -> noise();
            };
        }

        ChatRequest chat() {
            ChatRequest.Builder chat = ChatRequest.newBuilder()
                    .setSampling(Sampling.newBuilder().setTemperature(1.5f).setSeed(random.nextInt()))
                    .setLimits(Limits.newBuilder().setMaxTokens(1 + random.nextInt(30)))
                    .setChoices(random.nextInt(3));
            for (int i = random.nextInt(3); i >= 0; i--) {
                chat.addMessages(message());
            }
            maybe(() -> chat.setOutputFormat(OutputFormat.newBuilder().setJsonSchema(schema(3))));
            maybe(() -> chat.setOutputFormat(OutputFormat.newBuilder().setGrammar(grammar())));
            maybe(() -> chat.setLogprobs(Logprobs.newBuilder().setTop(random.nextInt(22))));
            maybe(() -> chat.putTemplateArguments(noise(), noise()));
            maybe(() -> chat.setReasoning(
                    Reasoning.newBuilder().setModeValue(random.nextInt(4)).setEffort(noise())));
            maybe(() -> chat.setContinueLastMessage(true));
            maybe(() -> chat.setLimits(chat.getLimits().toBuilder().addStop(noise())));
            for (int i = random.nextInt(3); i > 0; i--) {
                chat.addTools(Tool.newBuilder()
                        .setName(random.nextInt(4) == 0 ? noise() : "tool" + i)
                        .setDescription(noise())
                        .setParametersSchema(schema(3)));
                chat.setToolChoice(ToolChoice.newBuilder()
                        .setModeValue(random.nextInt(5))
                        .setName(random.nextInt(3) == 0 ? "tool1" : ""));
                maybe(() -> chat.setParallelToolCalls(random.nextBoolean()));
            }
            return chat.build();
        }

        private ChatMessage message() {
            ChatMessage.Builder message = ChatMessage.newBuilder()
                    .setRole(oneOf(
                            List.of("user", "user", "assistant", "system", "tool", "developer", "", "<|im_end|>")))
                    .addContent(ContentPart.newBuilder().setText(noise()));
            maybe(() -> message.setReasoning(noise()));
            maybe(() -> message.addContent(ContentPart.newBuilder().setText(noise())));
            maybe(() -> message.addToolCalls(ToolCall.newBuilder()
                    .setId(noise())
                    .setName(noise())
                    .setArguments(random.nextBoolean() ? "{\"a\": 1}" : noise())));
            maybe(() -> message.setToolCallId(noise()).setName(noise()));
            return message.build();
        }

        private void maybe(Runnable change) {
            if (random.nextInt(4) == 0) {
                change.run();
            }
        }
    }

    private static void answeredOrRefused(Answer answer, Object what) throws InterruptedException {
        answer.await();
        StatusRuntimeException failure = answer.failed();
        if (failure != null) {
            assertThat(failure.getStatus().getCode())
                    .as("%s: %s", what, failure.getStatus())
                    .isEqualTo(Status.Code.INVALID_ARGUMENT);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void chats(long seed) throws Exception {
        Attacker attacker = new Attacker(seed);
        for (int i = 0; i < REQUESTS; i++) {
            answeredOrRefused(node.start(attacker.chat()), "chat " + i + " of seed " + seed);
        }
        assertThat(node.generate(TestNode.prompt("still there").build()).tokens())
                .isEqualTo(16);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void grammars(long seed) throws Exception {
        Attacker attacker = new Attacker(seed);
        for (int i = 0; i < REQUESTS; i++) {
            Answer answer = node.start(TestNode.prompt("go")
                    .setSampling(Sampling.newBuilder().setTemperature(1.5f).setSeed(i))
                    .setLimits(Limits.newBuilder().setMaxTokens(24))
                    .setOutputFormat(OutputFormat.newBuilder().setGrammar(attacker.grammar()))
                    .build());
            answeredOrRefused(answer, "grammar " + i + " of seed " + seed);
        }
        assertThat(node.generate(TestNode.prompt("still there").build()).tokens())
                .isEqualTo(16);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void schemas(long seed) throws Exception {
        Attacker attacker = new Attacker(seed);
        for (int i = 0; i < REQUESTS; i++) {
            Answer answer = node.start(TestNode.prompt("go")
                    .setSampling(Sampling.newBuilder().setTemperature(1.5f).setSeed(i))
                    .setLimits(Limits.newBuilder().setMaxTokens(24))
                    .setOutputFormat(OutputFormat.newBuilder().setJsonSchema(attacker.schema(4)))
                    .build());
            answeredOrRefused(answer, "schema " + i + " of seed " + seed);
        }
        assertThat(node.generate(TestNode.prompt("still there").build()).tokens())
                .isEqualTo(16);
    }
}
