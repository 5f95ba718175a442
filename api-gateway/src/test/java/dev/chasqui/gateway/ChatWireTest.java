package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.chasqui.proto.v1.ChatMessage;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.Delta;
import dev.chasqui.proto.v1.FinishReason;
import dev.chasqui.proto.v1.Reasoning;
import dev.chasqui.proto.v1.TokenLogprob;
import dev.chasqui.proto.v1.Tool;
import dev.chasqui.proto.v1.ToolCallDelta;
import dev.chasqui.proto.v1.ToolChoice;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** Tools, thoughts, forms and probabilities on OpenAI's wire, there and back. */
class ChatWireTest extends GatewayTest {
    private static final String CHAT = "/v1/chat/completions";
    private static final String HI = "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]";
    private static final String TOOLS =
            "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"weather\",\"parameters\":{\"type\":\"object\"},"
                    + "\"strict\":true}},{\"type\":\"function\",\"function\":{\"name\":\"time\"}}]";

    @Test
    void twoToolCallsComeInPieces() throws Exception {
        node.does((request, answer) -> {
            answer.admit(7);
            answer.delta(call(0, "call_1", "weather", ""));
            answer.delta(call(0, "", "", "{\"city\":"));
            answer.delta(call(0, "", "", "\"Cusco\"}"));
            answer.delta(call(1, "call_2", "time", "{}"));
            answer.finish(0, FinishReason.FINISH_REASON_TOOL_CALLS, 9);
            answer.complete(7, 0, 9);
        });

        List<JsonNode> events =
                data(post(CHAT, "{" + HI + "," + TOOLS + ",\"stream\":true}").body());

        assertThat(events.get(0).at("/choices/0/delta"))
                .isEqualTo(json("{\"role\":\"assistant\",\"content\":null,\"refusal\":null}"));
        assertThat(events.subList(1, 5))
                .extracting(event -> event.at("/choices/0/delta/tool_calls/0").toString())
                .containsExactly(
                        "{\"index\":0,\"id\":\"call_1\",\"type\":\"function\",\"function\":"
                                + "{\"name\":\"weather\",\"arguments\":\"\"}}",
                        "{\"index\":0,\"function\":{\"arguments\":\"{\\\"city\\\":\"}}",
                        "{\"index\":0,\"function\":{\"arguments\":\"\\\"Cusco\\\"}\"}}",
                        "{\"index\":1,\"id\":\"call_2\",\"type\":\"function\",\"function\":"
                                + "{\"name\":\"time\",\"arguments\":\"{}\"}}");
        assertThat(events.get(5).at("/choices/0/finish_reason").asString()).isEqualTo("tool_calls");
        assertThat(events.get(5).at("/timings/predicted_n").asInt()).isEqualTo(9);

        JsonNode whole = json(post(CHAT, "{" + HI + "," + TOOLS + "}").body()).at("/choices/0");
        assertThat(whole.at("/message/content").isNull()).isTrue();
        assertThat(whole.at("/message/tool_calls/0/function/arguments").asString())
                .isEqualTo("{\"city\":\"Cusco\"}");
        assertThat(whole.at("/message/tool_calls/1/id").asString()).isEqualTo("call_2");
        assertThat(whole.get("finish_reason").asString()).isEqualTo("tool_calls");
    }

    @Test
    void whereToolsCouldHaveBeenCalledTextBeginsAsEver() throws Exception {
        node.does((request, answer) -> {
            answer.admit(7);
            answer.delta(Delta.newBuilder().setContent("Hello"));
            answer.finish(0, FinishReason.FINISH_REASON_STOP, 1);
            answer.finish(1, FinishReason.FINISH_REASON_STOP, 0);
            answer.complete(7, 0, 1);
        });

        List<JsonNode> events = data(
                post(CHAT, "{" + HI + "," + TOOLS + ",\"n\":2,\"stream\":true}").body());

        assertThat(events.subList(0, 3))
                .extracting(event -> event.at("/choices/0/index").asInt()
                        + event.at("/choices/0/delta").toString())
                .containsExactly(
                        "0{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}",
                        "0{\"content\":\"Hello\"}",
                        "1{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}");
    }

    private static Delta.Builder call(int index, String id, String name, String arguments) {
        return Delta.newBuilder()
                .addToolCalls(ToolCallDelta.newBuilder()
                        .setIndex(index)
                        .setId(id)
                        .setName(name)
                        .setArguments(arguments));
    }

    @Test
    void olderWordsAreAnsweredInOlderWords() throws Exception {
        node.does((request, answer) -> {
            answer.admit(7);
            answer.delta(call(0, "call_1", "weather", ""));
            answer.delta(call(0, "", "", "{\"city\":\"Cusco\"}"));
            answer.finish(0, FinishReason.FINISH_REASON_TOOL_CALLS, 9);
            answer.complete(7, 0, 9);
        });
        String body = "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":null,"
                + "\"function_call\":{\"name\":\"weather\",\"arguments\":\"{}\"}},"
                + "{\"role\":\"function\",\"name\":\"weather\",\"content\":\"rain\"}],"
                + "\"functions\":[{\"name\":\"weather\",\"parameters\":{\"type\":\"object\"}}],"
                + "\"function_call\":{\"name\":\"weather\"}";

        JsonNode whole = json(post(CHAT, body + "}").body()).at("/choices/0");
        List<JsonNode> events = data(post(CHAT, body + ",\"stream\":true}").body());

        assertThat(whole.at("/message/function_call").toString())
                .isEqualTo("{\"name\":\"weather\",\"arguments\":\"{\\\"city\\\":\\\"Cusco\\\"}\"}");
        assertThat(whole.at("/message").has("tool_calls")).isFalse();
        assertThat(whole.get("finish_reason").asString()).isEqualTo("function_call");
        assertThat(events.subList(1, 3))
                .extracting(event -> event.at("/choices/0/delta").toString())
                .containsExactly(
                        "{\"function_call\":{\"name\":\"weather\",\"arguments\":\"\"}}",
                        "{\"function_call\":{\"arguments\":\"{\\\"city\\\":\\\"Cusco\\\"}\"}}");
        assertThat(events.get(3).at("/choices/0/finish_reason").asString()).isEqualTo("function_call");
        ChatRequest sent = node.requests.element();
        assertThat(sent.getToolChoice().getName()).isEqualTo("weather");
        assertThat(sent.getParallelToolCalls()).isFalse();
        assertThat(sent.getMessages(1).getToolCalls(0).getId())
                .isEqualTo(sent.getMessages(2).getToolCallId());
        assertThat(sent.getMessages(2).getRole()).isEqualTo("tool");
    }

    @Test
    void onlySomeOfTheToolsAreAllowed() throws Exception {
        ChatRequest sent = sent(TOOLS
                + ",\"tool_choice\":{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"required\",\"tools\":["
                + "{\"type\":\"function\",\"function\":{\"name\":\"time\"}}]}}");

        assertThat(sent.getToolsList()).extracting(Tool::getName).containsExactly("time");
        assertThat(sent.getToolChoice().getMode()).isEqualTo(ToolChoice.Mode.MODE_REQUIRED);
        assertThat(sent.getToolChoice().getName()).isEmpty();
    }

    @Test
    void wordsOfOtherServers() throws Exception {
        ChatRequest sent = sent("\"repetition_penalty\":1.5,\"json_schema\":{\"type\":\"object\"}");

        assertThat(sent.getSampling().getRepeatPenalty()).isEqualTo(1.5f);
        assertThat(sent.getOutputFormat().getJsonSchema()).isEqualTo("{\"type\":\"object\"}");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\u0000',
            value = {
                "\"none\"|MODE_NONE|",
                "\"auto\"|MODE_AUTO|",
                "\"required\"|MODE_REQUIRED|",
                "{\"type\":\"function\",\"function\":{\"name\":\"time\"}}|MODE_REQUIRED|time",
            })
    void choicesOfTools(String choice, ToolChoice.Mode mode, String name) throws Exception {
        ChatRequest sent = sent(TOOLS + ",\"tool_choice\":" + choice + ",\"parallel_tool_calls\":false");

        assertThat(sent.getToolChoice().getMode()).isEqualTo(mode);
        assertThat(sent.getToolChoice().getName()).isEqualTo(name == null ? "" : name);
        assertThat(sent.hasParallelToolCalls()).isTrue();
        assertThat(sent.getParallelToolCalls()).isFalse();
        assertThat(sent.getTools(1).getParametersSchema()).isEmpty();
    }

    @Test
    void aToolsAnswerGoesBackWithItsCall() throws Exception {
        post(
                CHAT,
                "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":null,"
                        + "\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"time\","
                        + "\"arguments\":\"{\\\"a\\\":1}\"}}],\"refusal\":null},"
                        + "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":[{\"type\":\"text\",\"text\":\"noon\"}]}],"
                        + TOOLS + "}");

        ChatRequest sent = node.requests.element();
        ChatMessage call = sent.getMessages(1);
        assertThat(call.getToolCalls(0).getId()).isEqualTo("c1");
        assertThat(call.getToolCalls(0).getArguments()).isEqualTo("{\"a\":1}");
        assertThat(sent.getMessages(2).getToolCallId()).isEqualTo("c1");
        assertThat(sent.getMessages(2).getContent(0).getText()).isEqualTo("noon");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\u0000',
            value = {
                "\"reasoning_effort\":\"low\"|MODE_UNSPECIFIED|low",
                "\"reasoning_effort\":\"none\"|MODE_OFF|",
                "\"chat_template_kwargs\":{\"enable_thinking\":false}|MODE_OFF|",
                "\"chat_template_kwargs\":{\"enable_thinking\":true},\"reasoning_effort\":\"high\"|MODE_ON|high",
            })
    void thinkingIsSwitched(String fields, Reasoning.Mode mode, String effort) throws Exception {
        Reasoning sent = sent(fields).getReasoning();

        assertThat(sent.getMode()).isEqualTo(mode);
        assertThat(sent.getEffort()).isEqualTo(effort == null ? "" : effort);
    }

    @Test
    void thinkingIsSwitchedByNothingElse() throws Exception {
        assertThat(post(CHAT, "{" + HI + ",\"chat_template_kwargs\":{\"enable_thinking\":\"no\"}}")
                        .body())
                .contains("chat_template_kwargs.enable_thinking: \\\"no\\\" (expected: true or false)");
    }

    @Test
    void thoughtsComeInAFieldOfTheirOwn() throws Exception {
        node.does((request, answer) -> {
            answer.admit(1);
            answer.delta(Delta.newBuilder().setReasoning("hm"));
            answer.say(0, "So.");
            answer.finish(0, FinishReason.FINISH_REASON_STOP, 2);
            answer.complete(1, 0, 2);
        });

        assertThat(post(CHAT, "{" + HI + ",\"stream\":true}").body())
                .contains("\"delta\":{\"reasoning_content\":\"hm\"}");
        assertThat(json(post(CHAT, "{" + HI + "}").body())
                        .at("/choices/0/message/reasoning_content")
                        .asString())
                .isEqualTo("hm");

        gateway.close();
        gateway = Gateway.start(settings(), new DialectSettings(List.of(), "reasoning"));
        await(() -> isReady());
        assertThat(post(CHAT, "{" + HI + ",\"stream\":true}").body()).contains("\"delta\":{\"reasoning\":\"hm\"}");
        assertThat(json(post(CHAT, "{" + HI + "}").body())
                        .at("/choices/0/message/reasoning")
                        .asString())
                .isEqualTo("hm");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\u0000',
            value = {
                "{\"type\":\"json_object\"}|{\"type\":\"object\"}",
                "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"s\",\"strict\":true,\"schema\":{\"type\":\"array\"}}}"
                        + "|{\"type\":\"array\"}",
                "{\"type\":\"text\"}|",
            })
    void formsOfText(String format, String schema) throws Exception {
        assertThat(sent("\"response_format\":" + format).getOutputFormat().getJsonSchema())
                .isEqualTo(schema == null ? "" : schema);
    }

    @Test
    void probabilitiesStreamWithTheirText() throws Exception {
        node.does((request, answer) -> {
            answer.admit(1);
            for (String piece : List.of("a", "b")) {
                answer.delta(Delta.newBuilder()
                        .setContent(piece)
                        .addLogprobs(TokenLogprob.newBuilder()
                                .setPiece(ByteString.copyFromUtf8(piece))
                                .setLogprob(-1)));
            }
            answer.finish(0, FinishReason.FINISH_REASON_STOP, 2);
            answer.complete(1, 0, 2);
        });

        List<String> seen = new ArrayList<>();
        for (JsonNode event : data(post(CHAT, "{" + HI + ",\"stream\":true,\"logprobs\":true,\"top_logprobs\":3}")
                .body())) {
            JsonNode choice = event.at("/choices/0");
            seen.add(choice.at("/delta/content").asString("")
                    + choice.at("/logprobs/content/0/token").asString(""));
        }

        assertThat(seen).containsExactly("", "aa", "bb", "");
        assertThat(node.requests.element().getLogprobs().getTop()).isEqualTo(3);
    }

    @ParameterizedTest
    @CsvSource({
        "gpt-4o,''",
        "claude-opus-4-1,''",
        "gpt-oss-20b,gpt-oss-20b",
        "llama,llama",
        "my-small,tiny",
        "my-large-v2,large",
        "claude-haiku-9,quick"
    })
    void namesGoByAliases(String asked, String sent) throws Exception {
        gateway.close();
        gateway = Gateway.start(
                settings(),
                new DialectSettings(
                        List.of("my-small=tiny", "my-*-v2=large", "claude-haiku-*=quick"), "reasoning_content"));
        await(() -> isReady());

        assertThat(sent("\"model\":\"" + asked + "\"").getModel()).isEqualTo(sent);
    }

    private ChatRequest sent(String fields) throws Exception {
        assertThat(post(CHAT, "{" + HI + "," + fields + "}").statusCode()).isEqualTo(200);
        return node.requests.remove();
    }
}
