package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.proto.v1.ErrorReason;
import dev.chasqui.proto.v1.Model;
import dev.chasqui.proto.v1.ModelState;
import dev.chasqui.proto.v1.NodeStatus;
import io.grpc.Status;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** What a client gets when something is wrong. */
class ErrorsTest extends GatewayTest {
    private static final String CHAT = "/v1/chat/completions";
    private static final String HI = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";
    private static final String HI_STREAM = "{\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";

    @ParameterizedTest
    @CsvSource({
        "INVALID_ARGUMENT,INVALID_REQUEST,400,invalid_request_error,invalid_value,0",
        "INVALID_ARGUMENT,CONTEXT_LENGTH_EXCEEDED,400,invalid_request_error,context_length_exceeded,0",
        "INVALID_ARGUMENT,TEMPLATE_REFUSED,400,invalid_request_error,template_refused,0",
        "NOT_FOUND,MODEL_NOT_FOUND,404,invalid_request_error,model_not_found,0",
        "UNAVAILABLE,MODEL_NOT_READY,503,server_error,model_not_ready,7000",
        "FAILED_PRECONDITION,MODEL_UNUSABLE,503,server_error,model_unusable,0",
        "RESOURCE_EXHAUSTED,QUEUE_FULL,429,rate_limit_error,rate_limit_exceeded,3000",
        "DEADLINE_EXCEEDED,DEADLINE_EXCEEDED,504,server_error,timeout,0",
        "UNAVAILABLE,SHUTTING_DOWN,503,server_error,shutting_down,1000",
        "UNAUTHENTICATED,UNAUTHENTICATED,502,server_error,node_unauthenticated,0",
    })
    void nodesErrorsBecomeOpenAisWithAndWithoutStream(
            Status.Code code, String reason, int status, String type, String errorCode, int retryMs) throws Exception {
        node.does(ScriptedNode.failing(
                code, ErrorReason.valueOf("ERROR_REASON_" + reason), "So it is.", "temperature", retryMs));

        for (String body : List.of(HI, HI_STREAM)) {
            HttpResponse<String> response = post(CHAT, body);
            JsonNode error = json(response.body()).get("error");
            assertThat(response.statusCode()).isEqualTo(status);
            assertThat(response.headers().firstValue("content-type")).hasValue("application/json");
            assertThat(error.get("message").asString()).isEqualTo("So it is.");
            assertThat(error.get("type").asString()).isEqualTo(type);
            assertThat(error.get("code").asString()).isEqualTo(errorCode);
            assertThat(response.headers().firstValue("retry-after").map(Integer::parseInt))
                    .isEqualTo(retryMs == 0 ? java.util.Optional.empty() : java.util.Optional.of(retryMs / 1000));
        }
    }

    @Test
    void defectsOfTheNodeAreNotToldToClients() throws Exception {
        node.does((request, answer) ->
                answer.fail(Status.INTERNAL.withDescription("secret").asRuntimeException()));

        HttpResponse<String> response = post(CHAT, HI);

        assertThat(response.statusCode()).isEqualTo(500);
        assertThat(response.body()).doesNotContain("secret");
        assertThat(response.headers().firstValue("x-should-retry")).hasValue("false");
    }

    @Test
    void anErrorAfterTheFirstByteIsAnEvent() throws Exception {
        node.does((request, answer) -> {
            answer.admit(1);
            answer.say(0, "a");
            answer.fail(ScriptedNode.error(Status.Code.INTERNAL, ErrorReason.ERROR_REASON_INTERNAL, "broken", null, 0));
        });

        HttpResponse<String> response = post(CHAT, HI_STREAM);

        assertThat(response.statusCode()).isEqualTo(200);
        List<JsonNode> events = data(response.body());
        assertThat(events).hasSize(3);
        assertThat(events.get(2).at("/error/type").asString()).isEqualTo("server_error");
        assertThat(response.body()).doesNotContain("[DONE]");
    }

    @Test
    void aNodeThatDiesInTheMiddleEndsTheStreamWithAnEvent() throws Exception {
        node.does((request, answer) -> {
            answer.admit(1);
            answer.say(0, "a");
            Thread.sleep(100);
            node.close();
        });

        HttpResponse<String> response = post(CHAT, HI_STREAM);

        List<JsonNode> events = data(response.body());
        assertThat(events.get(events.size() - 1).at("/error/code").asString()).isEqualTo("node_unreachable");
        assertThat(json(get("/api/health").body()).get("status").asString()).isEqualTo("unavailable");
    }

    @Test
    void aNodeThatComesBackIsFoundSoon() throws Exception {
        int port = node.port();
        node.close();
        await(() -> status("/readyz") == 503);

        node = new ScriptedNode(port);
        await(() -> status("/readyz") == 200);

        assertThat(post(CHAT, HI).statusCode()).isEqualTo(200);
    }

    @Test
    void whileTheModelIsOnItsWayItSaysHowFar() throws Exception {
        node.is(ScriptedNode.status(ScriptedNode.model(ModelState.MODEL_STATE_DOWNLOADING, 0.42)));
        await(() -> status("/readyz") == 503);

        for (String body : List.of(HI, HI_STREAM)) {
            HttpResponse<String> response = post(CHAT, body);
            assertThat(response.statusCode()).isEqualTo(503);
            assertThat(response.headers().firstValue("retry-after")).hasValue("10");
            assertThat(json(response.body()).at("/error/message").asString())
                    .isEqualTo("Downloading " + ScriptedNode.MODEL + ": 42 %.");
        }
        assertThat(node.requests).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "MODEL_STATE_READY,1,ready,1.0",
        "MODEL_STATE_LOADING,0.5,loading,0.5",
        "MODEL_STATE_DOWNLOADING,0.25,downloading,0.25",
        "MODEL_STATE_FAILED,0,failed,0.0",
    })
    void healthSaysWhatTheModelDoes(ModelState state, double progress, String word, double shown) throws Exception {
        Model model = ScriptedNode.model(state, progress).toBuilder()
                .setReason("No memory.")
                .build();
        node.is(ScriptedNode.status(model));
        await(() -> {
            try {
                return json(get("/api/health").body()).get("status").asString().equals(word);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });

        HttpResponse<String> response = get("/api/health");

        JsonNode health = json(response.body());
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(health.get("success").asBoolean()).isTrue();
        assertThat(health.get("data").asString()).isEqualTo("OK");
        assertThat(health.get("model").asString()).isEqualTo(ScriptedNode.MODEL);
        assertThat(health.get("progress").asDouble()).isEqualTo(shown);
        assertThat(health.get("timestamp").asString()).endsWith("Z");
        assertThat(health.at("/node/state").asString()).isEqualTo("running");
        if (word.equals("downloading")) {
            assertThat(health.get("bytes_done").asLong()).isEqualTo(250);
            assertThat(health.get("bytes_total").asLong()).isEqualTo(1000);
        }
        if (word.equals("failed")) {
            assertThat(health.get("message").asString()).isEqualTo("No memory.");
        }
    }

    @Test
    void aModelAskedForByNameNeedNotWaitForTheDefaultOne() throws Exception {
        node.is(NodeStatus.newBuilder(ScriptedNode.status(ScriptedNode.model(ModelState.MODEL_STATE_LOADING, 0)))
                .build());
        await(() -> status("/readyz") == 503);

        HttpResponse<String> response =
                post(CHAT, "{\"model\":\"other\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}");

        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(node.requests.peek().getModel()).isEqualTo("other");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\u0000',
            value = {
                "{\"messages\":[} | The body is not valid JSON: line 1, column 14.",
                "{} {} | The body is not valid JSON: line 1, column 4.",
                "{\"temperature\":NaN} | The body is not valid JSON: line 1, column 19.",
                "[[[[ | The body is not valid JSON: line 1, column 5.",
            })
    void brokenJsonIsToldByItsPlace(String body, String message) throws Exception {
        HttpResponse<String> response = post(CHAT, body);

        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(json(response.body()).at("/error/message").asString()).isEqualTo(message);
    }

    @Test
    void deepNestingIsRefused() throws Exception {
        HttpResponse<String> response = post(CHAT, "[".repeat(100_000));

        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(json(response.body()).at("/error/message").asString()).startsWith("The body is nested too deeply");
    }

    @Test
    void emptyBodyIsRefused() throws Exception {
        HttpResponse<String> response = post(CHAT, "");

        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(json(response.body()).at("/error/message").asString()).startsWith("The body is empty");
    }

    @Test
    void badUtf8IsRefused() throws Exception {
        byte[] body = HI.replace("Hi", "H?").getBytes(StandardCharsets.ISO_8859_1);
        body[HI.indexOf("Hi") + 1] = (byte) 0xff;

        HttpResponse<String> response = send(HttpRequest.newBuilder(uri(CHAT))
                .header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(body)));

        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(json(response.body()).at("/error/message").asString()).startsWith("The body is not valid JSON");
    }

    @ParameterizedTest
    @CsvSource({
        "text/plain,415",
        "application/x-www-form-urlencoded,415",
        "application/json; charset=latin1,415",
        "nonsense,415",
        "application/json; charset=UTF-8,200",
        "APPLICATION/JSON,200"
    })
    void onlyJsonIsRead(String contentType, int status) throws Exception {
        HttpResponse<String> response = send(HttpRequest.newBuilder(uri(CHAT))
                .header("content-type", contentType)
                .POST(HttpRequest.BodyPublishers.ofString(HI)));

        assertThat(response.statusCode()).isEqualTo(status);
    }

    @ParameterizedTest
    @CsvSource({"gzip,415", "br,415", "identity,200"})
    void aPackedBodyIsNotUnpacked(String encoding, int status) throws Exception {
        HttpResponse<String> response = send(HttpRequest.newBuilder(uri(CHAT))
                .header("content-type", "application/json")
                .header("content-encoding", encoding)
                .POST(HttpRequest.BodyPublishers.ofString(HI)));

        assertThat(response.statusCode()).isEqualTo(status);
    }

    @Test
    void pathsAndMethodsThatAreNone() throws Exception {
        HttpResponse<String> unknown = get("/v1/nothing");
        HttpResponse<String> wrongMethod = get(CHAT);
        HttpResponse<String> rest = get("/api/nothing");
        HttpResponse<String> page = get("/nothing.html");
        HttpResponse<String> outside = get("/..%2f..%2fetc/passwd");

        assertThat(unknown.statusCode()).isEqualTo(404);
        assertThat(json(unknown.body()).at("/error/code").asString()).isEqualTo("not_found");
        assertThat(wrongMethod.statusCode()).isEqualTo(405);
        assertThat(wrongMethod.headers().firstValue("allow")).hasValue("POST");
        assertThat(json(wrongMethod.body()).at("/error/code").asString()).isEqualTo("method_not_allowed");
        assertThat(rest.statusCode()).isEqualTo(404);
        assertThat(json(rest.body()).get("success").asBoolean()).isFalse();
        assertThat(json(rest.body()).get("error").asString()).isNotEmpty();
        assertThat(page.statusCode()).isEqualTo(404);
        assertThat(outside.statusCode()).isEqualTo(404);
    }

    @Test
    void aHugeBodyIsRefusedBeforeItIsSent() throws Exception {
        try (Socket socket = new Socket("127.0.0.1", gateway.port())) {
            socket.setSoTimeout(10_000);
            OutputStream out = socket.getOutputStream();
            out.write(("POST " + CHAT + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                            + "Content-Length: 209715200\r\n\r\n{")
                    .getBytes(StandardCharsets.US_ASCII));
            out.flush();
            assertThat(head(socket.getInputStream()))
                    .startsWith("HTTP/1.1 413 ")
                    .contains("content-type: application/json");
        }
    }

    @Test
    void aHugeBodyInChunksIsCutOff() throws Exception {
        byte[] chunk = ("10000\r\n" + "x".repeat(0x10000) + "\r\n").getBytes(StandardCharsets.US_ASCII);
        try (Socket socket = new Socket("127.0.0.1", gateway.port())) {
            socket.setSoTimeout(10_000);
            OutputStream out = socket.getOutputStream();
            out.write(("POST " + CHAT + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                            + "Transfer-Encoding: chunked\r\n\r\n")
                    .getBytes(StandardCharsets.US_ASCII));
            int sent = 0;
            try {
                for (; sent < 3200 && socket.getInputStream().available() == 0; sent++) {
                    out.write(chunk);
                }
            } catch (java.io.IOException e) {
                // It hung up while we were still sending, which is its right.
            }
            assertThat(sent * 65536L).isLessThan(100L << 20);
        }
        assertThat(post(CHAT, HI).statusCode()).isEqualTo(200);
    }

    @Test
    void modelsAreListedAndShown() throws Exception {
        node.knows(
                ScriptedNode.model(ModelState.MODEL_STATE_READY, 1),
                Model.newBuilder()
                        .setName("hf:a/b/c.gguf")
                        .setState(ModelState.MODEL_STATE_ON_DISK)
                        .build(),
                Model.newBuilder()
                        .setName("absent")
                        .setState(ModelState.MODEL_STATE_ABSENT)
                        .build(),
                Model.newBuilder()
                        .setName("never came")
                        .setState(ModelState.MODEL_STATE_FAILED)
                        .build());

        JsonNode list = json(get("/v1/models").body());
        assertThat(list.get("object").asString()).isEqualTo("list");
        assertThat(list.get("data"))
                .extracting(m -> m.get("id").asString())
                .containsExactly(ScriptedNode.MODEL, "hf:a/b/c.gguf");
        assertThat(json(get("/v1/models/" + ScriptedNode.MODEL).body())
                        .get("created")
                        .asLong())
                .isEqualTo(1_700_000_000);
        assertThat(json(get("/v1/models/gpt-4o").body()).get("id").asString()).isEqualTo(ScriptedNode.MODEL);
        assertThat(json(get("/v1/models/hf%3Aa/b/c.gguf").body()).get("id").asString())
                .isEqualTo("hf:a/b/c.gguf");
        HttpResponse<String> none = get("/v1/models/none");
        assertThat(none.statusCode()).isEqualTo(404);
        assertThat(json(none.body()).at("/error/code").asString()).isEqualTo("model_not_found");

        JsonNode own = json(get("/api/models").body()).at("/data/models");
        assertThat(own).hasSize(4);
        assertThat(own.get(0).get("state").asString()).isEqualTo("ready");
        assertThat(own.get(0).get("is_default").asBoolean()).isTrue();
        assertThat(own.get(0).get("last_modified").asString()).isEqualTo("2023-11-14T22:13:20Z");
        assertThat(own.get(1).get("last_modified").isNull()).isTrue();
    }

    @Test
    void operatorsGetTheirAnswers() throws Exception {
        post(CHAT, HI);

        assertThat(json(get("/health").body()).get("status").asString()).isEqualTo("healthy");
        assertThat(json(get("/healthz").body()).get("status").asString()).isEqualTo("alive");
        assertThat(json(get("/readyz").body()).get("status").asString()).isEqualTo("ready");
        assertThat(json(get("/version").body()).has("version")).isTrue();
        assertThat(json(get("/models").body()).get("success").asBoolean()).isTrue();
        assertThat(get("/metrics").body())
                .contains("http_requests_total{method=\"POST\",route=\"/v1/chat/completions\",status=\"200\"} 1.0")
                .contains("http_request_duration_seconds_bucket")
                .contains("gen_ai_server_time_to_first_token_seconds_bucket")
                .contains("chasqui_node_up{node=\"" + node.address() + "\"} 1");
    }

    private int status(String path) {
        try {
            return get(path).statusCode();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static String head(InputStream in) throws java.io.IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int next = in.read();
            if (next < 0) {
                break;
            }
            head.append((char) next);
        }
        return head.toString();
    }
}
