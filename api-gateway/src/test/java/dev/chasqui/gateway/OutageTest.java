package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.proto.v1.ModelState;
import io.grpc.Status;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The only node is away: who asks meanwhile waits for it, if it was there a moment ago. */
class OutageTest extends GatewayTest {
    private static final String CHAT = "/v1/chat/completions";
    private static final String HI = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";
    private static final String HI_STREAM = HI.replaceFirst("\\{", "{\"stream\":true,");

    @Override
    GatewaySettings settings() {
        return patient(Duration.ofMinutes(5));
    }

    private GatewaySettings patient(Duration patience) {
        return limited(GatewaySettings.Limits.defaults().with(Duration.ofSeconds(1), Duration.ofSeconds(10), patience));
    }

    private void startAgain(GatewaySettings settings) throws InterruptedException {
        gateway.close();
        gateway = Gateway.start(settings);
    }

    private int nodeIsLost() throws InterruptedException {
        int port = node.port();
        node.close();
        await(() -> !isReady());
        return port;
    }

    private CompletableFuture<HttpResponse<String>> later(String path, String body) {
        return HTTP.sendAsync(request(path, body), BodyHandlers.ofString());
    }

    private HttpRequest request(String path, String body) {
        return HttpRequest.newBuilder(uri(path))
                .header("content-type", "application/json")
                .timeout(Duration.ofMinutes(2))
                .POST(BodyPublishers.ofString(body))
                .build();
    }

    /** The head of a stream comes with its first ping, so whoever has it waits. */
    private HttpResponse<Stream<String>> streamThatWaits() throws IOException, InterruptedException {
        return HTTP.send(request(CHAT, HI_STREAM), BodyHandlers.ofLines());
    }

    @Test
    void aStreamIsHeldOpenUntilTheNodeIsBack() throws Exception {
        int port = nodeIsLost();
        HttpResponse<Stream<String>> response = streamThatWaits();
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(get("/metrics").body()).contains("chasqui_requests_waiting_for_node 1\n");

        node = new ScriptedNode(port);

        List<String> lines = response.body().toList();
        assertThat(lines.get(0)).startsWith(":");
        assertThat(String.join("\n", lines)).contains("wörld").contains("data: [DONE]");
        assertThat(node.requests).hasSize(1);
        assertThat(get("/metrics").body()).contains("chasqui_requests_waiting_for_node 0\n");
    }

    @Test
    void whateverNeedsAModelWaits() throws Exception {
        int port = nodeIsLost();
        List<CompletableFuture<HttpResponse<String>>> answers = List.of(
                later(CHAT, HI),
                later("/v1/completions", "{\"prompt\":\"Once\"}"),
                later("/v1/embeddings", "{\"input\":\"Hi\"}"),
                later("/v1/messages", "{\"model\":\"default\",\"max_tokens\":9," + HI.substring(1)),
                later("/v1/messages/count_tokens", "{\"model\":\"default\"," + HI.substring(1)));
        streamThatWaits().body().close();
        assertThat(answers).noneMatch(CompletableFuture::isDone);

        node = new ScriptedNode(port);

        for (CompletableFuture<HttpResponse<String>> answer : answers) {
            assertThat(answer.get().statusCode()).as(answer.get().body()).isEqualTo(200);
        }
    }

    @Test
    void itAlsoWaitsUntilTheNodeHasItsModelAgain() throws Exception {
        int port = nodeIsLost();
        CompletableFuture<HttpResponse<String>> answer = later(CHAT, HI);
        node = new ScriptedNode(port);
        node.is(ScriptedNode.status(ScriptedNode.model(ModelState.MODEL_STATE_LOADING, 0.3)));
        await(() -> health().equals("loading"));
        streamThatWaits().body().close();
        assertThat(answer).isNotDone();

        node.is(ScriptedNode.ready());

        assertThat(answer.get().statusCode()).isEqualTo(200);
    }

    @Test
    void aNodeThatEndsIsWaitedForToo() throws Exception {
        node.is(ScriptedNode.ready().toBuilder().setDraining(true).build());
        await(() -> !isReady());
        HttpResponse<Stream<String>> response = streamThatWaits();
        assertThat(node.requests).isEmpty();

        node.is(ScriptedNode.ready());

        assertThat(String.join("\n", response.body().toList())).contains("data: [DONE]");
    }

    @Test
    void whereNoneComesBackInTimeItIsRefused() throws Exception {
        startAgain(patient(Duration.ofSeconds(1)));
        await(this::isReady);
        nodeIsLost();

        for (int i = 0; i < 2; i++) {
            HttpResponse<String> refused = post(CHAT, HI);
            assertThat(refused.statusCode()).isEqualTo(503);
            assertThat(json(refused.body()).at("/error/code").asString()).isEqualTo("node_unreachable");
            assertThat(refused.headers().firstValue("retry-after")).isPresent();
        }
    }

    @Test
    void nobodyWaitsForANodeThatHasNotBeenThere() throws Exception {
        GatewaySettings settings = settings();
        int port = nodeIsLost();
        startAgain(settings);
        assertThat(post(CHAT, HI).statusCode()).isEqualTo(503);

        node = new ScriptedNode(port);
        node.is(ScriptedNode.status(ScriptedNode.model(ModelState.MODEL_STATE_LOADING, 0.3)));
        await(() -> health().equals("loading"));
        assertThat(json(post(CHAT, HI).body()).at("/error/code").asString()).isEqualTo("model_not_ready");
    }

    @Test
    void nobodyWaitsForADownload() throws Exception {
        int port = nodeIsLost();
        node = new ScriptedNode(port);
        node.is(ScriptedNode.status(ScriptedNode.model(ModelState.MODEL_STATE_DOWNLOADING, 0.3)));
        await(() -> health().equals("downloading"));

        assertThat(json(post(CHAT, HI).body()).at("/error/code").asString()).isEqualTo("model_not_ready");
    }

    @Test
    void aRequestThatBringsNodesDownIsRefused() throws Exception {
        node.does((request, answer) -> answer.fail(Status.UNAVAILABLE.asRuntimeException()));

        assertThat(post(CHAT, HI).statusCode()).isEqualTo(503);
        assertThat(node.requests).hasSize(3);
    }

    @Test
    void theTimeOfARequestGoesOnWhileItWaits() throws Exception {
        nodeIsLost();
        assertThat(post(CHAT, HI.replaceFirst("\\{", "{\"timeout_ms\":700,")).statusCode())
                .isEqualTo(504);
    }

    @Test
    void soManyWaitAndNoMore() throws Exception {
        int port = nodeIsLost();
        List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
        for (int i = 0; i < 257; i++) {
            answers.add(later(CHAT, HI));
        }
        await(() -> answers.stream().anyMatch(CompletableFuture::isDone));
        node = new ScriptedNode(port);
        List<Integer> refused = answers.stream()
                .map(answer -> answer.join().statusCode())
                .filter(status -> status != 200)
                .toList();
        assertThat(refused).containsExactly(503);
    }

    @Test
    void whoeverWaitsWhenTheGatewayEndsIsTold() throws Exception {
        nodeIsLost();
        CompletableFuture<HttpResponse<String>> answer = later(CHAT, HI);
        streamThatWaits().body().close();

        gateway.close();

        assertThat(json(answer.get().body()).at("/error/code").asString()).isEqualTo("shutting_down");
    }

    private String health() {
        try {
            return json(get("/api/health").body()).path("status").asString("");
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
