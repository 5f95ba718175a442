package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What no official client asks for: forms, tools, tokens and the product's own interface, with a real model. */
@ExtendWith(SharedServer.class)
class DialectsIT {

    private static final String HELLO = "\"messages\":[{\"role\":\"user\",\"content\":\"Say hello.\"}]";
    private static final String HI = HELLO + ",\"max_tokens\":24";

    /** What is drawn may be blanks until there is no room for the rest. */
    private static final String FOR_A_FORM = ",\"max_tokens\":64,\"temperature\":0";

    private static final String TOOL =
            "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\",\"maxLength\":8}},"
                    + "\"required\":[\"city\"]}";

    private final Server server;
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    DialectsIT(Server server) {
        this.server = server;
    }

    @Test
    void aSchemaHoldsInEveryDialect() throws Exception {
        String schema =
                "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9}},"
                        + "\"required\":[\"n\"],\"additionalProperties\":false}";
        String chat = json(post(
                        "/v1/chat/completions",
                        "{" + HELLO + FOR_A_FORM
                                + ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":" + schema
                                + "}}}"))
                .at("/choices/0/message/content")
                .asString();
        String message = json(post(
                        "/v1/messages",
                        "{" + HELLO + FOR_A_FORM
                                + ",\"output_config\":{\"format\":{\"type\":\"json_schema\",\"schema\":" + schema
                                + "}}}"))
                .at("/content/0/text")
                .asString();
        String completion = json(post(
                        "/v1/completions",
                        "{\"prompt\":\"A number:\"" + FOR_A_FORM + ",\"response_format\":{\"type\":\"json_schema\","
                                + "\"json_schema\":{\"schema\":" + schema + "}}}"))
                .at("/choices/0/text")
                .asString();

        for (String text : new String[] {chat, message, completion}) {
            assertThat(json(text).get("n").asInt()).as(text).isBetween(1, 9);
        }
    }

    @Test
    void aToolThatMustBeCalledIsCalledInBothDialects() throws Exception {
        JsonNode openAi = json(post(
                "/v1/chat/completions",
                "{\"messages\":[{\"role\":\"user\",\"content\":\"Weather in Lima?\"}],\"max_tokens\":200,"
                        + "\"tool_choice\":\"required\",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"weather\","
                        + "\"parameters\":" + TOOL + "}}]}"));
        JsonNode anthropic = json(post(
                "/v1/messages",
                "{\"messages\":[{\"role\":\"user\",\"content\":\"Weather in Lima?\"}],\"max_tokens\":200,"
                        + "\"tool_choice\":{\"type\":\"any\"},\"tools\":[{\"name\":\"weather\",\"input_schema\":" + TOOL
                        + "}]}"));

        JsonNode call = openAi.at("/choices/0/message/tool_calls/0/function");
        assertThat(openAi.at("/choices/0/finish_reason").asString())
                .as(openAi.toString())
                .isEqualTo("tool_calls");
        assertThat(call.path("name").asString()).isEqualTo("weather");
        assertThat(json(call.path("arguments").asString()).path("city").isString())
                .isTrue();
        assertThat(anthropic.path("stop_reason").asString())
                .as(anthropic.toString())
                .isEqualTo("tool_use");
        assertThat(anthropic
                        .at("/content")
                        .valueStream()
                        .anyMatch(b -> b.path("name").asString("").equals("weather")))
                .isTrue();
    }

    @Test
    void theOwnInterfaceStreamsWhatItSaysInOnePiece() throws Exception {
        String body = "{" + HI + ",\"temperature\":0}";
        String whole = json(post("/api/chat", body)).at("/data/message/content").asString();
        String streamed = post("/api/chat/stream", body)
                .lines()
                .filter(line -> line.startsWith("data: {\"type\":\"token\""))
                .map(line -> json(line.substring(6)).get("content").asString())
                .collect(Collectors.joining());

        assertThat(whole).isNotBlank().isEqualTo(streamed);
    }

    @Test
    void tokensThereAndBack() throws Exception {
        String tokens = json(post("/tokenize", "{\"content\":\"Grüße aus Cusco\"}"))
                .get("tokens")
                .toString();

        assertThat(json(post("/detokenize", "{\"tokens\":" + tokens + "}"))
                        .get("content")
                        .asString())
                .isEqualTo("Grüße aus Cusco");
        assertThat(json(post("/v1/completions", "{\"prompt\":" + tokens + ",\"echo\":true,\"max_tokens\":1}"))
                        .at("/choices/0/text")
                        .asString())
                .startsWith("Grüße aus Cusco");
    }

    @Test
    void aPromptIsAsLikelyAsItWasWhenTheModelWroteIt() throws Exception {
        String request = "{\"prompt\":\"The capital of France is\",\"temperature\":0,\"logprobs\":2";
        JsonNode written =
                json(post("/v1/completions", request + ",\"max_tokens\":12}")).at("/choices/0/logprobs");
        String text = "The capital of France is"
                + StreamSupport.stream(written.get("tokens").spliterator(), false)
                        .map(JsonNode::asString)
                        .collect(Collectors.joining());
        JsonNode tokens = json(post("/tokenize", "{\"content\":" + new JsonMapper().writeValueAsString(text) + "}"))
                .get("tokens");
        JsonNode read = json(post(
                        "/v1/completions", "{\"prompt\":" + tokens + ",\"echo\":true,\"logprobs\":2,\"max_tokens\":0}"))
                .at("/choices/0");

        assertThat(read.get("text").asString()).isEqualTo(text);
        JsonNode told = read.at("/logprobs/token_logprobs");
        assertThat(told.size()).isEqualTo(tokens.size());
        assertThat(told.get(0).isNull()).isTrue();
        for (int back = 1; back <= 12; back++) {
            double then = written.at("/token_logprobs/" + (12 - back)).asDouble();
            assertThat(told.get(told.size() - back).asDouble()).isCloseTo(then, within(0.1));
        }
    }

    /** Each of these can be read in very many ways, and a token of several letters goes through all of them. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"grammar\":\"root ::= MANY\"",
                "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"a\",\"schema\":{\"type\":\"object\","
                        + "\"properties\":{\"a\":{\"type\":\"string\",\"pattern\":\"^([a-z]?){60}$\"}},\"required\":[\"a\"]}}}"
            })
    @Timeout(60)
    void aFormWithManyWaysHoldsNobodyUp(String form) throws Exception {
        String wanted = form.replace("MANY", "[a-z]* ".repeat(400));
        JsonNode held = json(post("/v1/chat/completions", "{" + HI + ",\"max_tokens\":20," + wanted + "}"));
        JsonNode next = json(post("/v1/chat/completions", "{" + HI + ",\"max_tokens\":1}"));

        assertThat(held.at("/choices/0/message/content").asString()).isNotBlank();
        assertThat(next.at("/choices/0/message/content").asString()).isNotBlank();
    }

    @Test
    void aModelThatRanksNothingSaysSo() throws Exception {
        JsonNode refused = json(post("/v1/rerank", "{\"query\":\"a\",\"documents\":[\"b\"]}"));

        assertThat(refused.at("/error/code").asString()).as(refused.toString()).isEqualTo("invalid_value");
        assertThat(refused.at("/error/param").asString()).isEqualTo("model");
    }

    private String post(String path, String body) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(server.base().resolve(path))
                .header("content-type", "application/json")
                .POST(BodyPublishers.ofString(body))
                .build();
        HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
        return response.body();
    }

    private static JsonNode json(String text) {
        return new JsonMapper().readTree(text);
    }
}
