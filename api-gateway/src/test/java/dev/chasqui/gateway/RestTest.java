package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.Delta;
import dev.chasqui.proto.v1.ErrorReason;
import dev.chasqui.proto.v1.FinishReason;
import dev.chasqui.proto.v1.Model;
import dev.chasqui.proto.v1.ModelState;
import dev.chasqui.proto.v1.ToolCallDelta;
import io.grpc.Status;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** The product's own interface. */
class RestTest extends GatewayTest {
    private static final String HI = "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]";

    @Test
    void chatsInOnePiece() throws Exception {
        HttpResponse<String> response = post("/api/chat", "{\"model\":\"default\"," + HI + ",\"temperature\":0}");

        assertThat(response.headers().firstValue("content-type")).hasValue("application/json");
        assertThat(response.body())
                .isEqualTo("{\"success\":true,\"data\":{\"model\":\"scripted-1b\",\"message\":{\"role\":\"assistant\","
                        + "\"content\":\"Hello wörld!\"},\"finish_reason\":\"stop\",\"usage\":{\"prompt_tokens\":7,"
                        + "\"cached_tokens\":3,\"completion_tokens\":3,\"total_tokens\":10,\"prompt_ms\":8,"
                        + "\"completion_ms\":20}}}");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\u0000',
            value = {
                "/api/chat/stream|{" + HI + "}|application/json",
                "/api/chat/stream|{\"message\":\"Hi\",\"store\":false}|*/*",
                "/api/chat|{" + HI + "}|text/event-stream",
                "/api/chat|{" + HI + ",\"stream\":true}|*/*",
                "/api/chat|{\"message\":\"Hi\",\"store\":false}|application/json",
            })
    void streamsWhoeverAsksForIt(String path, String body, String accept) throws Exception {
        HttpResponse<String> response =
                send(request(path).header("accept", accept).POST(HttpRequest.BodyPublishers.ofString(body)));

        assertThat(response.headers().firstValue("content-type")).hasValue("text/event-stream; charset=utf-8");
        assertThat(response.body())
                .isEqualTo("data: {\"type\":\"start\",\"model\":\"scripted-1b\",\"prompt_tokens\":7}\n\n"
                        + "data: {\"type\":\"token\",\"content\":\"Hello\"}\n\n"
                        + "data: {\"type\":\"token\",\"content\":\" wörld\"}\n\n"
                        + "data: {\"type\":\"token\",\"content\":\"!\"}\n\n"
                        + "data: {\"type\":\"done\",\"finish_reason\":\"stop\",\"usage\":{\"prompt_tokens\":7,"
                        + "\"cached_tokens\":3,\"completion_tokens\":3,\"total_tokens\":10,\"prompt_ms\":8,"
                        + "\"completion_ms\":20}}\n\n");
        ChatRequest sent = node.requests.element();
        assertThat(sent.getMessages(0).getContent(0).getText()).isEqualTo("Hi");
    }

    @Test
    void thoughtsToolsAndFailuresStream() throws Exception {
        node.does((request, answer) -> {
            answer.admit(1);
            answer.delta(Delta.newBuilder().setReasoning("hm"));
            answer.delta(Delta.newBuilder()
                    .addToolCalls(
                            ToolCallDelta.newBuilder().setId("c1").setName("f").setArguments("{}")));
            answer.fail(ScriptedNode.error(
                    Status.Code.UNAVAILABLE, ErrorReason.ERROR_REASON_SHUTTING_DOWN, "It ends.", null, 1000));
        });

        assertThat(post("/api/chat/stream", "{" + HI + "}").body())
                .endsWith("data: {\"type\":\"reasoning\",\"content\":\"hm\"}\n\n"
                        + "data: {\"type\":\"tool_call\",\"index\":0,\"id\":\"c1\",\"name\":\"f\",\"arguments\":\"{}\"}\n\n"
                        + "data: {\"type\":\"error\",\"error\":\"It ends.\",\"code\":\"shutting_down\"}\n\n");
    }

    @Test
    void toolCallsComeInOnePieceToo() throws Exception {
        node.does((request, answer) -> {
            answer.admit(1);
            answer.delta(Delta.newBuilder()
                    .setReasoning("hm")
                    .addToolCalls(
                            ToolCallDelta.newBuilder().setId("c1").setName("f").setArguments("{}")));
            answer.finish(0, FinishReason.FINISH_REASON_TOOL_CALLS, 1);
            answer.complete(1, 0, 1);
        });

        JsonNode data = json(post("/api/chat", "{" + HI + "}").body()).get("data");

        assertThat(data.at("/message/reasoning_content").asString()).isEqualTo("hm");
        assertThat(data.at("/message/tool_calls/0/function/name").asString()).isEqualTo("f");
        assertThat(data.get("finish_reason").asString()).isEqualTo("tool_calls");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\u0000',
            value = {
                "{" + HI + ",\"conversation_id\":\"7\"}|conversation_id: \"7\" (expected: absent, or message instead of"
                        + " messages)",
                "{\"message\":\"Hi\",\"store\":false,\"conversation_id\":\"7\"}|conversation_id: \"7\" (expected: absent"
                        + " where store is false)",
                "{\"message\":\"Hi\"," + HI + "}|message: given with messages (expected: one of them)",
                "{\"message\":7}|message: a number (expected: a string)",
                "{" + HI + ",\"n\":2}|n: 2 (expected: 1)",
                "{}|messages: absent (expected: an array of at least one message)",
                "{" + HI + ",\"temperature\":9}|temperature: 9 (expected: 0 to 2)",
            })
    void namesTheFieldAndWhatItShouldBe(String body, String message) throws Exception {
        HttpResponse<String> response = post("/api/chat", body);

        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(json(response.body()).get("success").asBoolean()).isFalse();
        assertThat(json(response.body()).get("error").asString()).isEqualTo(message);
    }

    @Test
    void aModelIsShown() throws Exception {
        assertThat(json(get("/api/models/" + ScriptedNode.MODEL).body())
                        .at("/data/size_bytes")
                        .asInt())
                .isEqualTo(1000);
        assertThat(json(get("/api/models/default").body()).at("/data/name").asString())
                .isEqualTo(ScriptedNode.MODEL);
        assertThat(get("/api/models/none").statusCode()).isEqualTo(404);
        assertThat(json(get("/api/models/none").body()).get("success").asBoolean())
                .isFalse();
    }

    @Test
    void aModelIsFetchedAndItsProgressTold() throws Exception {
        node.knows(model("hf:a/b/c.gguf"));

        HttpResponse<String> response = send(request("/api/models/hf%3Aa/b/c.gguf")
                .header("accept", "text/event-stream")
                .POST(HttpRequest.BodyPublishers.ofString("{\"force\":true}")));

        List<JsonNode> events = data(response.body());
        assertThat(events)
                .extracting(event -> event.get("type").asString())
                .containsExactly("progress", "progress", "progress", "progress", "done");
        assertThat(events.get(1).toString())
                .isEqualTo("{\"type\":\"progress\",\"model\":\"hf:a/b/c.gguf\",\"state\":\"downloading\","
                        + "\"progress\":0.5,\"bytes_done\":500,\"bytes_total\":1000,\"bytes_per_second\":500.0,"
                        + "\"source\":\"hf:a/b/c.gguf\"}");
        assertThat(events.get(4).at("/model/name").asString()).isEqualTo("hf:a/b/c.gguf");
        assertThat(node.pulls.element().getForce()).isTrue();
    }

    @Test
    void aModelIsFetchedWithoutABodyAndTold() throws Exception {
        node.knows(model("small"));

        HttpResponse<String> response = send(request("/api/models/small").POST(HttpRequest.BodyPublishers.noBody()));

        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(json(response.body()).at("/data/name").asString()).isEqualTo("small");
        assertThat(node.pulls.element().getForce()).isFalse();
    }

    @Test
    void aModelThatCannotBeFetchedIsAFailure() throws Exception {
        node.failsToPull(ScriptedNode.error(
                Status.Code.FAILED_PRECONDITION, ErrorReason.ERROR_REASON_MODEL_UNUSABLE, "No room.", null, 0));

        assertThat(post("/api/models/small", "{}").statusCode()).isEqualTo(503);
        HttpResponse<String> stream = send(request("/api/models/small")
                .header("accept", "text/event-stream")
                .POST(HttpRequest.BodyPublishers.noBody()));
        assertThat(stream.body())
                .endsWith("data: {\"type\":\"error\",\"error\":\"No room.\",\"code\":\"model_unusable\"}\n\n");
        assertThat(post("/api/models/small", "{\"force\":1}").body()).contains("force: 1 (expected: true or false)");
    }

    @Test
    void whoWaitsForADownloadIsToldThatItWasCancelled() throws Exception {
        node.failsToPull(ScriptedNode.error(
                Status.Code.CANCELLED,
                ErrorReason.ERROR_REASON_CANCELLED,
                "small: the download was cancelled",
                null,
                0));

        HttpResponse<String> stream = send(request("/api/models/small")
                .header("accept", "text/event-stream")
                .POST(HttpRequest.BodyPublishers.noBody()));
        assertThat(stream.body())
                .endsWith("data: {\"type\":\"error\",\"error\":\"small: the download was cancelled\","
                        + "\"code\":\"cancelled\"}\n\n");
        assertThat(json(post("/api/models/small", "{}").body()).get("error").asString())
                .isEqualTo("small: the download was cancelled");
    }

    @Test
    void aDownloadIsListedAndCanBeCancelled() throws Exception {
        node.knows(model("small").toBuilder()
                .setState(ModelState.MODEL_STATE_DOWNLOADING)
                .setSizeBytes(1000)
                .setBytesDone(250)
                .setBytesPerSecond(50)
                .build());

        JsonNode listed = json(get("/api/models").body()).at("/data/models/0");
        HttpResponse<String> cancelled = post("/api/models/small/cancel", "");

        assertThat(listed.get("state").asString()).isEqualTo("downloading");
        assertThat(listed.get("bytes_done").asInt()).isEqualTo(250);
        assertThat(listed.get("bytes_per_second").asDouble()).isEqualTo(50);
        assertThat(cancelled.body()).isEqualTo("{\"success\":true,\"data\":{\"name\":\"small\",\"cancelled\":true}}");
        assertThat(node.cancelledPulls).containsExactly("small");
        assertThat(post("/api/models/none/cancel", "").statusCode()).isEqualTo(404);
    }

    @Test
    void aModelIsRemovedUnlessItIsInUse() throws Exception {
        node.knows(ScriptedNode.model(ModelState.MODEL_STATE_READY, 1), model("small"));

        HttpResponse<String> removed = send(request("/api/models/small").DELETE());
        HttpResponse<String> used =
                send(request("/api/models/" + ScriptedNode.MODEL).DELETE());

        assertThat(removed.body()).isEqualTo("{\"success\":true,\"data\":{\"name\":\"small\",\"deleted\":true}}");
        assertThat(get("/api/models/small").statusCode()).isEqualTo(404);
        assertThat(used.statusCode()).isEqualTo(409);
    }

    @Test
    void aPathSaysWhatItTakes() throws Exception {
        HttpResponse<String> response = send(request("/api/models/x").PUT(HttpRequest.BodyPublishers.noBody()));

        assertThat(response.statusCode()).isEqualTo(405);
        assertThat(response.headers().firstValue("allow")).hasValue("GET, POST, DELETE");
    }

    private static Model model(String name) {
        return Model.newBuilder()
                .setName(name)
                .setState(ModelState.MODEL_STATE_ON_DISK)
                .build();
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(uri(path)).header("content-type", "application/json");
    }
}
