package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.proto.v1.ErrorReason;
import io.grpc.Status;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What clients do that no reference tells them to, and what they look for in answers. */
class ClientHabitsTest extends GatewayTest {
    private static final String HI = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"max_tokens\":5}";

    @ParameterizedTest
    @ValueSource(
            strings = {
                "//v1/chat/completions",
                "/v1//chat/completions",
                "/v1/chat/completions/",
                "///v1//chat/completions//",
                "/v1/messages/",
                "/api/chat/"
            })
    void aSlashTooManyDoesNoHarm(String path) throws Exception {
        assertThat(raw("POST " + path, HI)).startsWith("HTTP/1.1 200 ");
        assertThat(raw("POST " + path, HI.replace("5}", "5,\"stream\":true}")))
                .startsWith("HTTP/1.1 200 ")
                .contains("text/event-stream")
                .endsWith("0\r\n\r\n");
    }

    @Test
    void slashesOpenNoWayAround() throws Exception {
        assertThat(raw("GET //evil.example.com/v1/models", "")).startsWith("HTTP/1.1 404 ");
        assertThat(raw("GET /", "")).startsWith("HTTP/1.1 200 ");
        assertThat(raw("GET //index.html", "")).startsWith("HTTP/1.1 404 ");
    }

    @Test
    void optionsTellWhatAPathTakes() throws Exception {
        HttpResponse<String> answer =
                send(HttpRequest.newBuilder(uri("/v1/chat/completions")).method("OPTIONS", BodyPublishers.noBody()));

        assertThat(answer.statusCode()).isEqualTo(204);
        assertThat(answer.headers().firstValue("allow")).hasValue("POST");
    }

    @Test
    void anthropicsClientsFindTheRequestsNameEverywhere() throws Exception {
        for (HttpRequest.Builder request : List.of(
                json("/v1/messages", HI),
                json("/v1/messages", HI.replace("5}", "5,\"stream\":true}")),
                json("/v1/messages", "{}"),
                json("/v1/messages/count_tokens", HI),
                HttpRequest.newBuilder(uri("/v1/models")),
                HttpRequest.newBuilder(uri("/v1/models/claude-x")))) {
            HttpResponse<String> answer = send(request.header("anthropic-version", "2023-06-01"));

            assertThat(answer.headers().firstValue("request-id"))
                    .as(answer.uri().getPath())
                    .isPresent()
                    .isEqualTo(answer.headers().firstValue("x-request-id"));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/v1/chat/completions | output_format.json_schema | response_format.json_schema.schema",
                "/v1/chat/completions | tools[3].parameters_schema | tools[3].function.parameters",
                "/v1/chat/completions | template_arguments.enable_thinking | chat_template_kwargs.enable_thinking",
                "/v1/chat/completions | messages[2].tool_calls | messages[2].tool_calls",
                "/v1/chat/completions | seed | seed",
                "/v1/responses | messages[1].role | input[1].role",
                "/v1/responses | tools[0].parameters_schema | tools[0].parameters",
                "/v1/responses/input_tokens | tools[0].parameters_schema | tools[0].parameters",
                "/v1/responses | output_format.json_schema | text.format.schema",
                "/v1/messages | messages[4].tool_calls | messages.tool_calls",
                "/v1/messages | messages[4].content[2] | messages.content[2]",
                "/v1/messages | tools[1].parameters_schema | tools[1].input_schema",
                "/v1/messages/count_tokens | tools[1].parameters_schema | tools[1].input_schema",
                "/v1/messages | stop | stop_sequences",
                "/v1/completions | output_format.grammar | grammar",
                "/v1/completions | text | prompt",
                "/v1/embeddings | inputs[1] | input[1]",
                "/v1/embeddings | inputs[1].tokens.ids | input[1]",
                "/tokenize | text | content",
                "/api/chat | output_format.json_schema | response_format.json_schema.schema",
            })
    void aNodesErrorNamesTheFieldAsItWasSent(String path, String wire, String sent) throws Exception {
        node.failsAll(ScriptedNode.error(
                Status.Code.INVALID_ARGUMENT,
                ErrorReason.ERROR_REASON_INVALID_REQUEST,
                wire + ": 7 (expected: 8)",
                wire,
                0));
        String body =
                HI.replace("{\"messages\"", "{\"input\":[\"a\",\"b\"],\"prompt\":\"p\",\"content\":\"c\",\"messages\"");
        if (path.startsWith("/v1/responses")) {
            body = "{\"input\":\"Hi\"}";
        }

        HttpResponse<String> answer = post(path, body);

        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(400);
        assertThat(answer.body()).contains("\"" + sent + ": 7 (expected: 8)\"");
        if (path.startsWith("/v1/") && !path.startsWith("/v1/messages")) {
            assertThat(json(answer.body()).at("/error/param").asString()).isEqualTo(sent);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "/v1/chat/completions,messages",
        "/v1/completions,prompt",
        "/v1/responses,input",
    })
    void aPromptThatIsTooLongIsNamedAsItWasSent(String path, String field) throws Exception {
        node.failsAll(ScriptedNode.error(
                Status.Code.INVALID_ARGUMENT,
                ErrorReason.ERROR_REASON_CONTEXT_LENGTH_EXCEEDED,
                "the prompt has 9000 tokens, and 4096 fit",
                null,
                0));
        String body = path.equals("/v1/responses") ? "{\"input\":\"Hi\"}" : HI.replace("{", "{\"prompt\":\"p\",");
        if (path.equals("/v1/chat/completions")) {
            body = HI;
        }

        HttpResponse<String> answer = post(path, body);

        assertThat(json(answer.body()).at("/error/code").asString()).isEqualTo("context_length_exceeded");
        assertThat(json(answer.body()).at("/error/param").asString()).isEqualTo(field);
    }

    /** Agents shorten their conversation by these words. */
    @Test
    void aMessageThatIsTooLongIsCalledSoAsAnthropicDoes() throws Exception {
        node.failsAll(ScriptedNode.error(
                Status.Code.INVALID_ARGUMENT,
                ErrorReason.ERROR_REASON_CONTEXT_LENGTH_EXCEEDED,
                "prompt: at least 9000 tokens (expected: fewer; this model's maximum context length is 4096 tokens)",
                null,
                0));

        HttpResponse<String> answer = post("/v1/messages", HI);

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(json(answer.body()).at("/error/message").asString())
                .isEqualTo(
                        "prompt is too long: at least 9000 tokens (expected: fewer; this model's maximum context length is 4096 tokens)");
    }

    @ParameterizedTest
    @CsvSource({
        "/v1/chat/completions,messages",
        "/v1/messages,messages",
        "/api/chat,messages",
        "/v1/rerank,documents",
        "/v1/chat/completions,tools",
    })
    void aTextWhereAnArrayShouldBeIsNotQuoted(String path, String field) throws Exception {
        HttpResponse<String> answer = post(
                path,
                "{\"query\":\"q\",\""
                        + (field.equals("tools") ? "messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"" : "") + field
                        + "\":\"my secret\"}");

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body())
                .contains(field + ": a string (expected: an array)")
                .doesNotContain("secret");
    }

    private HttpRequest.Builder json(String path, String body) {
        return HttpRequest.newBuilder(uri(path))
                .header("content-type", "application/json")
                .POST(BodyPublishers.ofString(body));
    }

    /** As it is, where clients would tidy it up. */
    private String raw(String line, String body) throws Exception {
        try (Socket socket = new Socket("127.0.0.1", gateway.port())) {
            socket.setSoTimeout(60_000);
            socket.getOutputStream()
                    .write((line + " HTTP/1.1\r\nHost: 127.0.0.1:" + gateway.port()
                                    + "\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: "
                                    + body.length() + "\r\n\r\n" + body)
                            .getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
