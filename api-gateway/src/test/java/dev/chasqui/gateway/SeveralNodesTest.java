package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.proto.v1.EngineStatus;
import dev.chasqui.proto.v1.ErrorReason;
import dev.chasqui.proto.v1.FinishReason;
import dev.chasqui.proto.v1.Model;
import dev.chasqui.proto.v1.ModelState;
import dev.chasqui.proto.v1.NodeStatus;
import io.grpc.Status;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A gateway in front of two nodes: which of them answers what, and what happens when one does not. */
class SeveralNodesTest extends GatewayTest {
    @SuppressWarnings("NullAway.Init") // settings() makes it.
    private ScriptedNode other;

    @BeforeEach
    void startOther() throws Exception {
        await(() -> nodes("up") == 2);
    }

    @Override
    GatewaySettings settings() {
        try {
            other = new ScriptedNode();
        } catch (java.io.IOException e) {
            throw new IllegalStateException(e);
        }
        return twoNodes(
                other,
                GatewaySettings.Limits.defaults()
                        .with(Duration.ofSeconds(1), Duration.ofSeconds(4), Duration.ofSeconds(30)));
    }

    @AfterEach
    void stopOther() {
        other.close();
    }

    @Test
    void aSilentNodeGetsNoRequestsUntilItSpeaksAgain() throws Exception {
        node.isSilent(true);
        await(() -> nodes("up") == 1);

        for (int i = 0; i < 20; i++) {
            assertThat(chat("question " + i).statusCode()).isEqualTo(200);
        }
        assertThat(node.requests).isEmpty();
        assertThat(other.requests).hasSize(20);

        node.isSilent(false);
        await(() -> nodes("up") == 2);
        for (int i = 0; i < 60 && node.requests.isEmpty(); i++) {
            chat("another question " + i);
        }
        assertThat(node.requests).isNotEmpty();
    }

    @Test
    void whatASilentNodeHasNotBegunToAnswerIsAnsweredByTheOther() throws Exception {
        CountDownLatch never = new CountDownLatch(1);
        hangs(node, never);
        hangs(other, never);
        CompletableFuture<HttpResponse<String>> answer = chatLater("Hello");
        await(() -> node.requests.size() + other.requests.size() == 1);
        ScriptedNode hung = node.requests.isEmpty() ? other : node;
        ScriptedNode well = hung == node ? other : node;
        well.does(ScriptedNode.saying("I am here"));

        hung.isSilent(true);

        HttpResponse<String> response = answer.get();
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.body()).contains("I am here");
        assertThat(hung.cancelled.take()).isEqualTo("cancelled");
        assertThat(get("/metrics").body()).contains("chasqui_request_retries_total 1\n");
        never.countDown();
    }

    @Test
    void aRunningAnswerOfANodeThatStaysSilentIsBrokenOff() throws Exception {
        CountDownLatch never = new CountDownLatch(1);
        for (ScriptedNode one : List.of(node, other)) {
            one.does((request, answer) -> {
                answer.admit(7);
                answer.say(0, "One");
                never.await();
            });
        }
        chatLater("Hello");
        await(() -> node.sent.get() + other.sent.get() == 2);
        ScriptedNode hung = node.sent.get() == 2 ? node : other;
        hung.isSilent(true);

        assertThat(hung.cancelled.poll(2, TimeUnit.MINUTES)).isEqualTo("cancelled");
        await(() -> nodes("down") == 1);
        hung.isSilent(false);
        await(() -> nodes("up") == 2);
        never.countDown();
    }

    @Test
    void theOnlyNodeMayBeSilentForAWhile() throws Exception {
        other.close();
        await(() -> nodes("down") == 1);
        node.isSilent(true);
        await(() -> nodes("silent") == 1);

        assertThat(get("/readyz").statusCode()).isEqualTo(200);
        assertThat(chat("Hello").statusCode()).isEqualTo(200);
    }

    @Test
    void aFullNodeSendsItsRequestsToTheOtherOnce() throws Exception {
        node.does(ScriptedNode.failing(
                Status.Code.RESOURCE_EXHAUSTED, ErrorReason.ERROR_REASON_QUEUE_FULL, "The queue is full.", null, 1500));
        for (int i = 0; i < 20; i++) {
            assertThat(chat("question " + i).statusCode()).isEqualTo(200);
        }
        assertThat(node.requests).isNotEmpty();

        other.does(ScriptedNode.failing(
                Status.Code.RESOURCE_EXHAUSTED, ErrorReason.ERROR_REASON_QUEUE_FULL, "The queue is full.", null, 1500));
        int before = node.requests.size() + other.requests.size();
        assertThat(chat("one more").statusCode()).isEqualTo(429);
        assertThat(node.requests.size() + other.requests.size()).isEqualTo(before + 2);
    }

    @Test
    void whatIsWrongWithARequestIsSaidByOneNode() throws Exception {
        for (ScriptedNode one : List.of(node, other)) {
            one.does(ScriptedNode.failing(
                    Status.Code.INVALID_ARGUMENT, ErrorReason.ERROR_REASON_INVALID_REQUEST, "temperature: 9", null, 0));
        }
        assertThat(chat("Hello").statusCode()).isEqualTo(400);
        assertThat(node.requests.size() + other.requests.size()).isEqualTo(1);
    }

    @Test
    void aNodeThatDrainsGetsNoRequestsAndRefusedOnesGoElsewhere() throws Exception {
        node.does(ScriptedNode.failing(
                Status.Code.UNAVAILABLE, ErrorReason.ERROR_REASON_SHUTTING_DOWN, "It ends.", null, 1000));
        for (int i = 0; i < 20; i++) {
            assertThat(chat("question " + i).statusCode()).isEqualTo(200);
        }
        node.is(ScriptedNode.ready().toBuilder().setDraining(true).build());
        await(() -> nodes("draining") == 1);
        int refused = node.requests.size();
        for (int i = 20; i < 40; i++) {
            assertThat(chat("question " + i).statusCode()).isEqualTo(200);
        }
        assertThat(node.requests).hasSize(refused);
    }

    @Test
    void aNodeThatDiesAfterAdmissionIsFollowedByTheOtherUnseen() throws Exception {
        CountDownLatch never = new CountDownLatch(1);
        for (ScriptedNode one : List.of(node, other)) {
            one.does((request, answer) -> {
                answer.admit(7);
                never.await();
            });
        }
        CompletableFuture<HttpResponse<String>> answer = chatLater("Hello");
        await(() -> node.sent.get() + other.sent.get() == 1);
        ScriptedNode dying = node.sent.get() == 1 ? node : other;
        (dying == node ? other : node).does(ScriptedNode.saying("Hi"));

        dying.close();

        List<String> roles = data(answer.get().body()).stream()
                .map(event ->
                        event.path("choices").path(0).path("delta").path("role").asString(""))
                .filter(role -> !role.isEmpty())
                .toList();
        assertThat(roles).containsExactly("assistant");
        assertThat(answer.get().body()).contains("Hi").endsWith("data: [DONE]\n\n");
        never.countDown();
    }

    @Test
    void theTurnsOfAConversationGoToOneNode() throws Exception {
        for (int conversation = 0; conversation < 24; conversation++) {
            int before = node.requests.size();
            for (int turn = 0; turn < 3; turn++) {
                StringBuilder messages =
                        new StringBuilder("{\"role\":\"user\",\"content\":\"topic " + conversation + "\"}");
                for (int said = 0; said < turn; said++) {
                    messages.append(
                            ",{\"role\":\"assistant\",\"content\":\"Yes\"},{\"role\":\"user\",\"content\":\"More\"}");
                }
                post("/v1/chat/completions", "{\"messages\":[" + messages + "]}");
            }
            assertThat(node.requests.size() - before).isIn(0, 3);
        }
        assertThat(node.requests).isNotEmpty();
        assertThat(other.requests).isNotEmpty();
    }

    @Test
    void aModelIsAskedForWhereItIsInMemoryAndElseWhereItIsOnDisk() throws Exception {
        other.is(ScriptedNode.ready().toBuilder().addStoredModels("stored-7b").build());
        node.is(ScriptedNode.ready().toBuilder()
                .addModels(Model.newBuilder().setName("hot-3b").setState(ModelState.MODEL_STATE_READY))
                .build());
        await(() -> {
            node.requests.clear();
            other.requests.clear();
            return chatWith("stored-7b", 8) && node.requests.isEmpty();
        });
        await(() -> {
            node.requests.clear();
            other.requests.clear();
            return chatWith("hot-3b", 8) && other.requests.isEmpty();
        });
    }

    @Test
    void aNodeThatIsBusyForOthersGetsLess() throws Exception {
        NodeStatus busy = ScriptedNode.ready().toBuilder()
                .addEngines(EngineStatus.newBuilder()
                        .setModel(ScriptedNode.MODEL)
                        .setSlots(4)
                        .setSlotsInUse(4)
                        .setQueued(6))
                .build();
        node.is(busy);
        await(() -> metrics()
                .contains("chasqui_engine_queue_depth{node=\"" + node.address() + "\",model=\"" + ScriptedNode.MODEL
                        + "\"} 6"));
        for (int i = 0; i < 20; i++) {
            chat("question " + i);
        }
        assertThat(node.requests).isEmpty();
    }

    @Test
    void theModelsOfAllNodesAreOneListAndTheBestStateCounts() throws Exception {
        node.knows(
                ScriptedNode.model(ModelState.MODEL_STATE_READY, 1),
                model("both", ModelState.MODEL_STATE_ON_DISK),
                model("broken", ModelState.MODEL_STATE_FAILED).toBuilder()
                        .setModifiedEpochS(1_700_000_000)
                        .build());
        other.knows(
                ScriptedNode.model(ModelState.MODEL_STATE_ON_DISK, 0),
                model("both", ModelState.MODEL_STATE_READY),
                model("broken", ModelState.MODEL_STATE_ABSENT),
                model("alone", ModelState.MODEL_STATE_ON_DISK));

        assertThat(json(get("/api/models").body()).at("/data/models"))
                .extracting(model ->
                        model.get("name").asString() + " " + model.get("state").asString())
                .containsExactly(ScriptedNode.MODEL + " ready", "alone on_disk", "both ready", "broken failed");
        assertThat(json(get("/v1/models").body()).at("/data"))
                .extracting(model -> model.get("id").asString())
                .containsExactly(ScriptedNode.MODEL, "alone", "both", "broken");
        for (String name : List.of("both", "alone")) {
            assertThat(get("/v1/models/" + name).statusCode()).isEqualTo(200);
        }
        assertThat(json(get("/api/models/both").body()).at("/data/state").asString())
                .isEqualTo("ready");
        assertThat(get("/api/models/none").statusCode()).isEqualTo(404);
    }

    @Test
    void whatASilentNodeKnowsIsLeftOut() throws Exception {
        other.knows(model("away", ModelState.MODEL_STATE_ON_DISK));
        other.isSilent(true);
        await(() -> nodes("up") == 1);

        assertThat(get("/v1/models").body()).contains(ScriptedNode.MODEL).doesNotContain("away");
    }

    @Test
    void aModelLeavesMemoryAndDiskOfEachNode() throws Exception {
        Model small = model("small", ModelState.MODEL_STATE_ON_DISK);
        node.knows(ScriptedNode.model(ModelState.MODEL_STATE_READY, 1), small);
        other.knows(ScriptedNode.model(ModelState.MODEL_STATE_READY, 1), small);

        assertThat(post("/api/models/small/unload", "").statusCode()).isEqualTo(200);
        assertThat(List.of(node.unloads.element(), other.unloads.element())).containsOnly("small");

        assertThat(delete("small")).isEqualTo(200);
        assertThat(get("/api/models/small").statusCode()).isEqualTo(404);
        assertThat(delete(ScriptedNode.MODEL)).isEqualTo(409);

        other.knows(small);
        assertThat(delete("small")).as("one that a single node has").isEqualTo(200);
    }

    @Test
    void aModelIsLoadedWhereItIsOnDisk() throws Exception {
        other.is(ScriptedNode.ready().toBuilder().addStoredModels("small").build());
        node.knows(model("small", ModelState.MODEL_STATE_ABSENT));
        other.knows(model("small", ModelState.MODEL_STATE_ON_DISK));
        // When the gateway has heard of it.
        await(() -> load("small") && !other.loads.isEmpty());
        node.loads.clear();
        assertThat(load("small")).isTrue();
        assertThat(node.loads).isEmpty();
    }

    private boolean load(String name) {
        try {
            return post("/api/models/" + name + "/load", "").statusCode() == 200;
        } catch (java.io.IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private int delete(String name) throws Exception {
        return send(HttpRequest.newBuilder(uri("/api/models/" + name)).DELETE()).statusCode();
    }

    private static Model model(String name, ModelState state) {
        return Model.newBuilder().setName(name).setState(state).build();
    }

    private static void hangs(ScriptedNode node, CountDownLatch until) {
        node.does((request, answer) -> {
            until.await();
            answer.finish(0, FinishReason.FINISH_REASON_STOP, 0);
        });
    }

    private boolean chatWith(String model, int times) {
        try {
            for (int i = 0; i < times; i++) {
                post(
                        "/v1/chat/completions",
                        "{\"model\":\"" + model + "\",\"messages\":[{\"role\":\"user\",\"content\":\"" + i + "\"}]}");
            }
            return true;
        } catch (java.io.IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private HttpResponse<String> chat(String question) throws Exception {
        return post("/v1/chat/completions", body(question, false));
    }

    private CompletableFuture<HttpResponse<String>> chatLater(String question) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return post("/v1/chat/completions", body(question, true));
            } catch (java.io.IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private static String body(String question, boolean stream) {
        return "{\"stream\":" + stream + ",\"messages\":[{\"role\":\"user\",\"content\":\"" + question + "\"}]}";
    }

    private int nodes(String state) {
        try {
            return json(get("/api/health").body()).path("nodes").path(state).asInt();
        } catch (java.io.IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private String metrics() {
        try {
            return get("/metrics").body();
        } catch (java.io.IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
