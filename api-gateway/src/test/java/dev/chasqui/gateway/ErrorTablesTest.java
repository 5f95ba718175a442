package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.proto.v1.ErrorReason;
import io.grpc.Status;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Holds the tables of {@code docs/errors.md} against what is really answered. */
class ErrorTablesTest extends GatewayTest {
    private static final String KEY = "sk-0123456789";
    private static final String HI = "{\"input\":\"Hi\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";
    private static final Path TABLES = Path.of("..", "docs", "errors.md");

    @Override
    GatewaySettings settings() {
        return guarded(List.of(KEY), List.of(), List.of());
    }

    @Test
    void everyReasonIsInTheTable() throws Exception {
        assertThat(rows(6))
                .extracting(row -> "ERROR_REASON_" + row[0])
                .containsExactlyInAnyOrderElementsOf(Arrays.stream(ErrorReason.values())
                        .filter(r -> r != ErrorReason.UNRECOGNIZED && r != ErrorReason.ERROR_REASON_UNSPECIFIED)
                        .map(Enum::name)
                        .toList());
    }

    @Test
    void everyDialectSaysWhatTheTableSays() throws Exception {
        for (String[] row : rows(6)) {
            boolean retry = row[2].endsWith("Retry-After");
            int status = Integer.parseInt(row[2].substring(0, 3));
            node.does(ScriptedNode.failing(
                    Status.Code.valueOf(row[1]),
                    ErrorReason.valueOf("ERROR_REASON_" + row[0]),
                    "So it is.",
                    null,
                    retry ? 3_000 : 0));

            HttpResponse<String> openAi = ask("/v1/chat/completions", HI);
            HttpResponse<String> response = ask("/v1/responses", HI);
            HttpResponse<String> anthropic = ask("/v1/messages", HI);
            HttpResponse<String> own = ask("/api/chat", HI);
            HttpResponse<String> stream = ask("/v1/responses", HI.replace("{\"input", "{\"stream\":true,\"input"));

            for (HttpResponse<String> answer : List.of(openAi, response, anthropic, own, stream)) {
                assertThat(answer.statusCode()).as(row[0]).isEqualTo(status);
                assertThat(answer.headers().firstValue("retry-after").isPresent())
                        .as("%s has Retry-After", row[0])
                        .isEqualTo(retry);
            }
            for (HttpResponse<String> answer : List.of(openAi, response, stream)) {
                JsonNode error = json(answer.body()).get("error");
                assertThat(error.get("type").asString()).as(row[0]).isEqualTo(row[3]);
                assertThat(error.get("code").asString("none")).as(row[0]).isEqualTo(row[4]);
            }
            assertThat(json(anthropic.body()).at("/error/type").asString())
                    .as(row[0])
                    .isEqualTo(row[5]);
            assertThat(json(own.body()).get("success").asBoolean()).isFalse();
            assertThat(json(own.body()).get("code").asString()).isEqualTo(row[0].toLowerCase(Locale.ROOT));
        }
    }

    @Test
    void anthropicsTypeFollowsTheStatus() throws Exception {
        HttpRequest.BodyPublisher hi = HttpRequest.BodyPublishers.ofString(HI);
        List<HttpRequest.Builder> requests = List.of(
                request("/v1/messages").POST(HttpRequest.BodyPublishers.ofString("{")),
                HttpRequest.newBuilder(uri("/v1/messages")).POST(hi),
                request("/v1/messages")
                        .header("origin", "https://evil.example.com")
                        .POST(hi),
                request("/v1/messages/nothing"),
                request("/v1/messages").GET(),
                request("/v1/messages").POST(HttpRequest.BodyPublishers.ofByteArray(new byte[11 << 20])),
                request("/v1/messages").setHeader("content-type", "text/plain").POST(hi));
        Map<Integer, String> seen = new TreeMap<>();
        for (HttpRequest.Builder request : requests) {
            HttpResponse<String> answer = send(request);
            assertThat(json(answer.body()).get("type").asString()).isEqualTo("error");
            seen.put(answer.statusCode(), json(answer.body()).at("/error/type").asString());
        }

        assertThat(seen)
                .isEqualTo(Map.of(
                        400, "invalid_request_error",
                        401, "authentication_error",
                        403, "permission_error",
                        404, "not_found_error",
                        405, "invalid_request_error",
                        413, "request_too_large",
                        415, "invalid_request_error"));
    }

    /** Some of the codes need a crowd, a long wait or a dead database; tests of their own provoke them. */
    @Test
    void whatTheGatewaySaysByItselfIsInTheOtherTable() throws Exception {
        Map<String, Integer> seen = new HashMap<>(Map.of(
                "request_timeout", 408, "overloaded", 503, "database_unavailable", 503, "too_many_streams", 429));
        for (HttpRequest.Builder request : provocations()) {
            HttpResponse<String> answer = send(request);
            JsonNode body = json(answer.body());
            JsonNode code = body.has("code") ? body.get("code") : body.at("/error/code");
            seen.put(code.asString(), answer.statusCode());
        }

        raw(seen, "GET /v1/models HTTP/1.1\r\nHost: evil.example.com\r\n");
        Map<String, Integer> written = new HashMap<>();
        for (String[] row : rows(3)) {
            written.put(row[0], Integer.parseInt(row[1]));
        }
        assertThat(new TreeSet<>(seen.keySet())).isEqualTo(new TreeSet<>(written.keySet()));
        assertThat(seen).isEqualTo(written);
    }

    /** What a proper client cannot send. */
    private void raw(Map<String, Integer> seen, String head) throws Exception {
        try (Socket socket = new Socket("127.0.0.1", gateway.port())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream()
                    .write((head + "Authorization: Bearer " + KEY + "\r\nConnection: close\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            String body = answer.substring(answer.indexOf("\r\n\r\n") + 4);
            seen.put(json(body).at("/error/code").asString(), Integer.parseInt(answer.substring(9, 12)));
        }
    }

    private List<HttpRequest.Builder> provocations() throws Exception {
        HttpRequest.BodyPublisher unknown =
                HttpRequest.BodyPublishers.ofString("{\"input\":\"a\",\"previous_response_id\":\"resp_x\"}");
        String conversation = json(send(request("/api/conversations").POST(HttpRequest.BodyPublishers.ofString("{}")))
                        .body())
                .at("/data/id")
                .asString();
        String chat = "/v1/chat/completions";
        return List.of(
                request(chat).POST(HttpRequest.BodyPublishers.ofString("{}")),
                request(chat).POST(HttpRequest.BodyPublishers.ofString("{")),
                HttpRequest.newBuilder(uri(chat)).POST(HttpRequest.BodyPublishers.ofString(HI)),
                request("/v1/models").header("origin", "https://evil.example.com"),
                request("/v1/nothing"),
                request("/v1/responses/resp_x"),
                request("/v1/responses").POST(unknown),
                request("/api/conversations/conv_x"),
                request("/api/conversations/" + conversation + "/regenerate")
                        .POST(HttpRequest.BodyPublishers.ofString("{\"message_id\":\"msg_x\"}")),
                request("/api/stream/nobody"),
                request(chat).GET(),
                request(chat).POST(HttpRequest.BodyPublishers.ofByteArray(new byte[11 << 20])),
                request(chat).setHeader("content-type", "text/plain").POST(HttpRequest.BodyPublishers.ofString(HI)));
    }

    private HttpResponse<String> ask(String path, String body) throws Exception {
        return send(request(path).POST(HttpRequest.BodyPublishers.ofString(body)));
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(uri(path))
                .header("content-type", "application/json")
                .header("authorization", "Bearer " + KEY);
    }

    /** The rows of the table that has so many columns, without quotes of code. */
    private static List<String[]> rows(int columns) throws Exception {
        try (Stream<String> lines = Files.lines(TABLES)) {
            return lines.filter(line -> line.startsWith("| `"))
                    .map(line -> line.substring(1).replace("`", "").split("\\|"))
                    .filter(cells -> cells.length == columns)
                    .map(cells -> Arrays.stream(cells).map(String::strip).toArray(String[]::new))
                    .toList();
        }
    }
}
