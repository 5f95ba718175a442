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
class ErrorTablesTest extends PeopledGatewayTest {
    private static final String KEY = "sk-0123456789";
    private static final String ANY = "{\"input\":\"Hi\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";
    private static final Path TABLES = Path.of("..", "docs", "errors.md");

    @Override
    GatewaySettings settings() {
        return peopled(
                new GatewaySettings.Accounts(true, "closed", 0, 0, 0), List.of(KEY), GatewaySettings.Stored.defaults());
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

            HttpResponse<String> openAi = ask("/v1/chat/completions", ANY);
            HttpResponse<String> response = ask("/v1/responses", ANY);
            HttpResponse<String> anthropic = ask("/v1/messages", ANY);
            HttpResponse<String> own = ask("/api/chat", ANY);
            HttpResponse<String> stream = ask("/v1/responses", ANY.replace("{\"input", "{\"stream\":true,\"input"));

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
        HttpRequest.BodyPublisher hi = HttpRequest.BodyPublishers.ofString(ANY);
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
            see(seen, send(request));
        }
        whatIsSaidOfAccounts(seen);
        whatIsSaidOfPasswords(seen);
        whatIsSaidOfKeys(seen);
        withoutAccounts(seen);
        raw(seen, "GET /v1/models HTTP/1.1\r\nHost: evil.example.com\r\n");
        Map<String, Integer> written = new HashMap<>();
        for (String[] row : rows(3)) {
            written.put(row[0], Integer.parseInt(row[1]));
        }
        assertThat(new TreeSet<>(seen.keySet())).isEqualTo(new TreeSet<>(written.keySet()));
        assertThat(seen).isEqualTo(written);
    }

    private static void see(Map<String, Integer> seen, HttpResponse<String> answer) {
        JsonNode body = json(answer.body());
        JsonNode code = body.has("code") ? body.get("code") : body.at("/error/code");
        Integer before = seen.put(code.asString("none"), answer.statusCode());
        assertThat(before == null || before == answer.statusCode()).isTrue();
    }

    private void whatIsSaidOfAccounts(Map<String, Integer> seen) throws Exception {
        Person ana = register("ana@example.com");
        String ben = credentials("ben@example.com", "a long password");
        String id = json(as(ana, "POST", "/api/accounts", ben).body())
                .at("/data/id")
                .asString();

        see(seen, post("/api/auth/register", credentials("carl@example.com", "a long password")));
        see(seen, as(ana, "POST", "/api/accounts", ben));
        see(seen, as(ana, "DELETE", "/api/accounts/user_x", ""));
        see(seen, as(ana, "DELETE", "/api/accounts/local", ""));
        see(seen, as(new Person(ana.cookie(), "", ana.told()), "POST", "/api/keys", "{}"));
        as(ana, "PATCH", "/api/accounts/" + id, "{\"disabled\":true}");
        see(seen, post("/api/auth/login", ben));
    }

    private void whatIsSaidOfPasswords(Map<String, Integer> seen) throws Exception {
        for (int i = 0; i < 6; i++) {
            see(seen, post("/api/auth/login", credentials("nobody@example.com", "not this one")));
        }
        see(seen, ask("/api/auth/password", "{}"));
    }

    private void whatIsSaidOfKeys(Map<String, Integer> seen) throws Exception {
        String key = json(ask("/api/keys", "{\"limits\":{\"requests_per_minute\":1}}")
                        .body())
                .at("/data/key")
                .asString();

        see(seen, withKey(key, "GET", "/metrics", ""));
        see(seen, withKey(KEY, "GET", "/api/keys/key_x", ""));
        withKey(key, "POST", "/v1/chat/completions", ANY);
        see(seen, withKey(key, "POST", "/v1/chat/completions", ANY));
    }

    private void withoutAccounts(Map<String, Integer> seen) throws Exception {
        Gateway first = gateway;
        try (Gateway without = Gateway.start(guarded(List.of(KEY), List.of(), List.of()))) {
            gateway = without;
            see(seen, post("/api/auth/login", credentials("ana@example.com", "a long password")));
        } finally {
            gateway = first;
        }
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
                HttpRequest.newBuilder(uri(chat)).POST(HttpRequest.BodyPublishers.ofString(ANY)),
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
                request(chat).setHeader("content-type", "text/plain").POST(HttpRequest.BodyPublishers.ofString(ANY)));
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
