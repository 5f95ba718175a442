package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Chats over HTTP with a real model in a process of its own. */
@ExtendWith(SharedServer.class)
class ChatIT {

    private static final JsonMapper JSON = new JsonMapper();
    private final Server server;

    ChatIT(Server server) {
        this.server = server;
    }

    @Test
    void answersAQuestion() throws IOException {
        JsonNode answer = server.chat(chat("Say hello.", "\"temperature\":0,\"max_tokens\":24"));

        assertThat(answer.path("object").asString()).isEqualTo("chat.completion");
        assertThat(answer.path("model").asString()).isEqualTo(RealModel.NAME);
        assertThat(text(answer)).startsWith("Hello");
        JsonNode usage = answer.path("usage");
        assertThat(usage.path("prompt_tokens").asInt()).isPositive();
        assertThat(usage.path("completion_tokens").asInt()).isBetween(1, 24);
        assertThat(usage.path("total_tokens").asInt())
                .isEqualTo(usage.path("prompt_tokens").asInt()
                        + usage.path("completion_tokens").asInt());
    }

    @Test
    void streamsTheSameAnswer() throws IOException {
        String settings = "\"temperature\":0,\"max_tokens\":24";
        String whole = text(server.chat(chat("Name three colours.", settings)));
        List<JsonNode> events = server.stream(
                chat("Name three colours.", settings + ",\"stream\":true,\"stream_options\":{\"include_usage\":true}"));

        assertThat(events.get(0).at("/choices/0/delta/role").asString()).isEqualTo("assistant");
        assertThat(joined(events)).isEqualTo(whole);
        JsonNode last = events.get(events.size() - 1);
        assertThat(last.path("choices")).isEmpty();
        assertThat(last.at("/usage/completion_tokens").asInt()).isPositive();
    }

    @Test
    void sendsNoUsageUnasked() throws IOException {
        List<JsonNode> events = server.stream(chat("Hi", "\"max_tokens\":4,\"stream\":true"));

        assertThat(events).noneMatch(event -> event.path("usage").isObject());
    }

    @Test
    void aSeedRepeatsAnAnswer() throws IOException {
        String seven = chat("Tell me a story.", "\"temperature\":1.2,\"seed\":7,\"max_tokens\":24");
        String eight = chat("Tell me a story.", "\"temperature\":1.2,\"seed\":8,\"max_tokens\":24");

        assertThat(text(server.chat(seven))).isEqualTo(text(server.chat(seven)));
        assertThat(text(server.chat(seven))).isNotEqualTo(text(server.chat(eight)));
    }

    @Test
    void endsBeforeAStopString() throws IOException {
        String settings = "\"temperature\":0,\"max_tokens\":40";
        String whole = text(server.chat(chat("Count from one to ten in words.", settings)));
        // Cut in the middle of a word, so that the stop string lies across token borders.
        String stop = whole.substring(whole.length() / 2, whole.length() / 2 + 5);
        JsonNode stopped = server.chat(chat(
                "Count from one to ten in words.", settings + ",\"stop\":" + JSON.writeValueAsString(List.of(stop))));

        assertThat(text(stopped)).isEqualTo(whole.substring(0, whole.indexOf(stop)));
        assertThat(stopped.at("/choices/0/finish_reason").asString()).isEqualTo("stop");
    }

    @Test
    void endsAtTheTokenLimit() throws IOException {
        JsonNode answer = server.chat(chat("Tell me a long story.", "\"max_completion_tokens\":5"));

        assertThat(answer.at("/choices/0/finish_reason").asString()).isEqualTo("length");
        assertThat(answer.at("/usage/completion_tokens").asInt()).isEqualTo(5);
    }

    @Test
    void tellsLogProbabilities() throws IOException {
        JsonNode answer = server.chat(
                chat("Say hello.", "\"temperature\":0,\"max_tokens\":6,\"logprobs\":true,\"top_logprobs\":3"));
        List<JsonNode> tokens = list(answer.at("/choices/0/logprobs/content"));

        assertThat(tokens).isNotEmpty();
        assertThat(tokens.stream().map(token -> token.path("token").asString()).collect(Collectors.joining()))
                .startsWith(text(answer));
        assertThat(tokens).allSatisfy(token -> {
            List<JsonNode> top = list(token.path("top_logprobs"));
            assertThat(top).hasSize(3);
            assertThat(token.path("logprob").asDouble())
                    .isNotPositive()
                    .isEqualTo(top.get(0).path("logprob").asDouble());
            assertThat(top.stream()
                            .mapToDouble(one -> Math.exp(one.path("logprob").asDouble()))
                            .sum())
                    .isLessThanOrEqualTo(1.0001);
        });
    }

    @Test
    void givesSeveralChoices() throws IOException {
        JsonNode answer =
                server.chat(chat("Tell me a story.", "\"n\":3,\"seed\":1,\"temperature\":1.2,\"max_tokens\":12"));
        List<JsonNode> choices = list(answer.path("choices"));

        assertThat(choices.stream().map(choice -> choice.path("index").asInt())).containsExactly(0, 1, 2);
        assertThat(choices.stream().map(choice -> choice.at("/message/content").asString()))
                .doesNotHaveDuplicates();
        assertThat(answer.at("/usage/completion_tokens").asInt()).isBetween(3, 36);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "temperature | {\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"temperature\":9}",
                "messages    | {\"temperature\":1}",
                "messages    | {\"messages\":[]}",
                "n           | {\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"n\":1000}",
                "max_tokens  | {\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"max_tokens\":-5}",
            })
    void namesTheFieldAtFault(String field, String body) throws IOException {
        HttpResponse<String> refused = server.post("/v1/chat/completions", body);
        JsonNode error = JSON.readTree(refused.body()).path("error");

        assertThat(refused.statusCode()).isEqualTo(400);
        assertThat(error.path("type").asString()).isEqualTo("invalid_request_error");
        assertThat(error.path("param").asString()).startsWith(field);
        assertThat(error.path("message").asString()).isNotBlank();
    }

    @Test
    void refusesWhatIsNoJson() throws IOException {
        HttpResponse<String> refused = server.post("/v1/chat/completions", "{\"messages\":");

        assertThat(refused.statusCode()).isEqualTo(400);
        assertThat(JSON.readTree(refused.body()).at("/error/type").asString()).isEqualTo("invalid_request_error");
    }

    @Test
    void refusesAModelThatNobodyHas() throws IOException {
        HttpResponse<String> refused = server.post(
                "/v1/chat/completions",
                "{\"model\":\"no-such-model\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}");

        assertThat(refused.statusCode()).isEqualTo(404);
        assertThat(JSON.readTree(refused.body()).at("/error/code").asString()).isEqualTo("model_not_found");
    }

    @Test
    void refusesAPromptBeyondTheContext() throws IOException {
        HttpResponse<String> refused = server.post("/v1/chat/completions", chat("word ".repeat(40_000), "\"n\":1"));

        assertThat(refused.statusCode()).isEqualTo(400);
        assertThat(JSON.readTree(refused.body()).at("/error/code").asString()).isEqualTo("context_length_exceeded");
    }

    @Test
    void refusesAnotherHostsName() throws IOException {
        // The JDK's client sets Host itself, so this goes over a plain socket.
        String answer = RawHttp.send(
                server.base(), "GET /v1/models HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");

        assertThat(answer).startsWith("HTTP/1.1 403");
    }

    @Test
    void servesThePageWithAStrictPolicy() throws IOException {
        HttpResponse<String> page = server.get("/");

        assertThat(page.statusCode()).isEqualTo(200);
        assertThat(page.body()).contains("<html");
        assertThat(page.headers().firstValue("Content-Security-Policy").orElse(""))
                .contains("default-src 'none'")
                .doesNotContain("unsafe-inline");
        assertThat(page.headers().firstValue("X-Content-Type-Options")).hasValue("nosniff");
    }

    @ParameterizedTest
    @CsvSource({"/health", "/healthz", "/readyz", "/version", "/models", "/metrics", "/api/health", "/v1/models"})
    void answersWhatOperatorsAsk(String path) throws IOException {
        assertThat(server.get(path).statusCode()).isEqualTo(200);
    }

    private static String chat(String question, String settings) {
        return "{\"model\":\"" + RealModel.NAME + "\",\"messages\":[{\"role\":\"user\",\"content\":"
                + JSON.writeValueAsString(question) + "}]," + settings + "}";
    }

    private static String text(JsonNode answer) {
        return answer.at("/choices/0/message/content").asString();
    }

    private static String joined(List<JsonNode> events) {
        return events.stream()
                .map(event -> event.at("/choices/0/delta/content").asString(""))
                .collect(Collectors.joining());
    }

    private static List<JsonNode> list(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false).toList();
    }
}
