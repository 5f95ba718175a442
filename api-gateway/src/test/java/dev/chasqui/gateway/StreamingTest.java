package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.gateway.nodes.Readiness;
import dev.chasqui.proto.v1.ErrorReason;
import dev.chasqui.proto.v1.FinishReason;
import io.grpc.Status;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Time and flow: what comes when, and what happens when somebody is slow or gone. */
class StreamingTest extends GatewayTest {
    private static final String CHAT = "/v1/chat/completions";
    private static final String MESSAGES = "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]";
    private static final String HI_STREAM = "{\"stream\":true," + MESSAGES + "}";

    @Override
    GatewaySettings settings() {
        return settings(Duration.ofMillis(500));
    }

    private GatewaySettings settings(Duration shutdownGrace) {
        GatewaySettings plain = super.settings();
        GatewaySettings.Limits limits = GatewaySettings.Limits.defaults();
        return new GatewaySettings(
                plain.host(),
                0,
                plain.nodes(),
                "node-secret",
                plain.nodeTls(),
                List.of(),
                plain.accounts(),
                List.of(),
                List.of(),
                plain.localNode(),
                plain.conversations(),
                new GatewaySettings.Limits(
                        limits.maxBodyBytes(),
                        limits.maxHeaderBytes(),
                        Duration.ofSeconds(4),
                        limits.idleTimeout(),
                        Duration.ofMillis(300),
                        Duration.ofMillis(200),
                        shutdownGrace,
                        limits.nodeSilence(),
                        limits.takeoverPatience()));
    }

    @Test
    void answersAtAdmissionAndEachPieceAtOnce() throws Exception {
        CountDownLatch mayGoOn = new CountDownLatch(1);
        CountDownLatch mayEnd = new CountDownLatch(1);
        node.does((request, answer) -> {
            answer.admit(3);
            mayGoOn.await();
            answer.say(0, "one");
            mayEnd.await();
            answer.finish(0, FinishReason.FINISH_REASON_STOP, 1);
            answer.complete(3, 0, 1);
        });

        try (Raw raw = new Raw(HI_STREAM)) {
            assertThat(raw.nextLine()).isEqualTo("HTTP/1.1 200 OK");
            assertThat(raw.nextData()).contains("\"role\":\"assistant\"");
            mayGoOn.countDown();
            assertThat(raw.nextData()).contains("\"content\":\"one\"");
            mayEnd.countDown();
            assertThat(raw.nextData()).contains("\"finish_reason\":\"stop\"");
            assertThat(raw.nextData()).isEqualTo("[DONE]");
        }
    }

    @Test
    void sendsPingsWhileItWaitsAndTheAnswerAfterwards() throws Exception {
        node.does((request, answer) -> {
            Thread.sleep(1_200);
            ScriptedNode.saying("late").answer(request, answer);
        });

        long asked = System.nanoTime();
        HttpResponse<String> response = post(CHAT, HI_STREAM);
        long waited = (System.nanoTime() - asked) / 1_000_000;

        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.body()).startsWith(": ping\n\n");
        int pings = response.body().split(": ping\n\n", -1).length - 1;
        assertThat(pings)
                .isBetween(
                        2,
                        1 + (int) (waited / settings().limits().pingInterval().toMillis()));
        assertThat(data(response.body()).get(1).at("/choices/0/delta/content").asString())
                .isEqualTo("late");
        assertThat(response.body()).endsWith("data: [DONE]\n\n");
    }

    @Test
    void aPingSaysWhereTheRequestStands() throws Exception {
        node.does((request, answer) -> {
            answer.admit(2048);
            answer.queued(3);
            Thread.sleep(1_200);
            answer.progress(512, 2048);
            Thread.sleep(1_200);
            ScriptedNode.saying("late").answer(request, answer);
        });

        HttpResponse<String> response = post(CHAT, HI_STREAM);

        assertThat(response.body())
                .contains(": ping queue_position=3\n\n", ": ping prompt_tokens=512/2048\n\n")
                .endsWith("data: [DONE]\n\n");
    }

    @Test
    void anErrorAfterAPingIsAnEvent() throws Exception {
        node.does((request, answer) -> {
            Thread.sleep(1_500);
            answer.fail(ScriptedNode.error(
                    Status.Code.NOT_FOUND, ErrorReason.ERROR_REASON_MODEL_NOT_FOUND, "None.", "model", 0));
        });

        HttpResponse<String> response = post(CHAT, HI_STREAM);

        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(data(response.body()).get(0).at("/error/code").asString()).isEqualTo("model_not_found");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aClientThatGoesAwayCancelsTheCall(boolean stream) throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        node.does((request, answer) -> {
            answer.admit(3);
            answer.say(0, "a");
            begun.countDown();
            while (!answer.isCancelled()) {
                Thread.sleep(10);
            }
        });

        try (Raw raw = new Raw("{\"stream\":" + stream + "," + MESSAGES + "}")) {
            assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();
            assertThat(raw).isNotNull();
        }

        assertThat(node.cancelled.poll(10, TimeUnit.SECONDS)).isNotNull();
        await(() -> metrics().contains("route=\"/v1/chat/completions\",status=\"cut-off\"} 1.0"));
    }

    @ParameterizedTest
    @ValueSource(strings = {CHAT, "/v1/messages", "/api/chat/stream"})
    void aClientThatGoesAwayAtTheFirstPieceCancelsTheCall(String path) throws Exception {
        for (int i = 0; i < 50; i++) {
            CountDownLatch begun = new CountDownLatch(1);
            node.does((request, answer) -> {
                answer.admit(3);
                begun.countDown();
            });

            try (Raw raw = new Raw(path, HI_STREAM)) {
                assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();
                assertThat(raw).isNotNull();
            }

            assertThat(node.cancelled.poll(10, TimeUnit.SECONDS))
                    .as("the call of client %d", i)
                    .isNotNull();
        }
    }

    @Test
    void aClientThatGoesAwayBeforeAdmissionCancelsTheCall() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        node.does((request, answer) -> begun.countDown());

        try (Raw raw = new Raw(HI_STREAM)) {
            assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();
            assertThat(raw).isNotNull();
        }

        assertThat(node.cancelled.poll(10, TimeUnit.SECONDS)).isNotNull();
    }

    @Test
    void aSlowReaderStopsTheNodeAndLosesNothing() throws Exception {
        String piece = "x".repeat(1_000);
        int pieces = 20_000;
        node.does((request, answer) -> {
            answer.admit(3);
            for (int i = 0; i < pieces; i++) {
                answer.say(0, piece);
            }
            answer.finish(0, FinishReason.FINISH_REASON_LENGTH, pieces);
            answer.complete(3, 0, pieces);
        });

        try (Raw raw = new Raw(HI_STREAM)) {
            await(() -> node.sent.get() > 100);
            int before = -1;
            while (before != node.sent.get()) {
                before = node.sent.get();
                Thread.sleep(500);
            }
            assertThat(before)
                    .as("pieces that the node could send to a reader that reads nothing")
                    .isLessThan(12_000);

            int read = 0;
            String line = raw.nextData();
            while (!line.equals("[DONE]")) {
                read += line.contains(piece) ? 1 : 0;
                line = raw.nextData();
            }
            assertThat(read).isEqualTo(pieces);
        }
    }

    @Test
    void aReaderThatStopsGetsWhatPiledUpInFewPieces() throws Exception {
        PacedNode.Wish wish = new PacedNode.Wish(10_000, 2_000, 2_000);
        try (PacedNode paced = new PacedNode(0);
                Gateway other = Gateway.start(GatewaySettings.local(0, List.of("127.0.0.1:" + paced.port())))) {
            await(() -> other.readiness().state() == Readiness.State.READY);
            String body = "{\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"" + wish.prompt() + "\"}]}";
            try (Raw lazy = new Raw(other.port(), "1.1", CHAT, body, body.length())) {
                assertThat(lazy.nextData()).contains("assistant");
                for (int i = 0; i < 1_000 && paced.piledUp() < 100; i++) {
                    Thread.sleep(100);
                }

                StringBuilder text = new StringBuilder();
                int events = 0;
                for (String line = lazy.nextData(); !line.equals("[DONE]"); line = lazy.nextData()) {
                    text.append(json(line).at("/choices/0/delta/content").asString(""));
                    events++;
                }
                assertThat(text.length()).isEqualTo(wish.tokens() * wish.letters());
                assertThat(text.toString().equals(wish.text(0, wish.tokens()))).isTrue();
                assertThat(events).isLessThan(wish.tokens() - 50);
            }
        }
    }

    @Test
    void aClientOfTheOldHttpGetsTheEventsWithoutChunks() throws Exception {
        node.does(ScriptedNode.saying("one", " two"));

        try (Raw raw = new Raw(gateway.port(), "1.0", CHAT, HI_STREAM, HI_STREAM.length())) {
            List<String> lines = raw.lines();
            int begin = lines.indexOf("") + 1;
            assertThat(lines.get(0)).startsWith("HTTP/1").endsWith("200 OK");
            assertThat(lines.subList(begin, lines.size()))
                    .allMatch(line -> line.isEmpty() || line.startsWith("data: "))
                    .contains("data: [DONE]");
        }
    }

    @Test
    void aConnectionServesOneStreamAfterTheOther() throws Exception {
        node.does(ScriptedNode.saying("a", "b".repeat(300), "c".repeat(70_000), ""));

        try (Raw raw = new Raw(HI_STREAM)) {
            for (int i = 0; i < 3; i++) {
                StringBuilder text = new StringBuilder();
                for (String line = raw.nextData(); !line.equals("[DONE]"); line = raw.nextData()) {
                    text.append(json(line).at("/choices/0/delta/content").asString(""));
                }
                assertThat(text.toString()).isEqualTo("a" + "b".repeat(300) + "c".repeat(70_000));
                raw.ask("1.1", CHAT, HI_STREAM, HI_STREAM.length());
            }
        }
    }

    @Test
    void severalStreamsAtOnceStayApart() throws Exception {
        node.does((request, answer) -> {
            String own = request.getMessages(0).getContent(0).getText();
            answer.admit(1);
            for (int i = 0; i < 200; i++) {
                answer.say(0, own);
            }
            answer.finish(0, FinishReason.FINISH_REASON_LENGTH, 200);
            answer.complete(1, 0, 200);
        });
        List<java.util.concurrent.CompletableFuture<HttpResponse<String>>> answers = new java.util.ArrayList<>();
        for (int i = 0; i < 32; i++) {
            String body = "{\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"" + "<" + i + ">" + "\"}]}";
            answers.add(HTTP.sendAsync(
                    java.net.http.HttpRequest.newBuilder(uri(CHAT))
                            .header("content-type", "application/json")
                            .POST(java.net.http.HttpRequest.BodyPublishers.ofString(body))
                            .build(),
                    HttpResponse.BodyHandlers.ofString()));
        }
        for (int i = 0; i < 32; i++) {
            StringBuilder text = new StringBuilder();
            data(answers.get(i).get(20, TimeUnit.SECONDS).body())
                    .forEach(event ->
                            text.append(event.at("/choices/0/delta/content").asString("")));
            assertThat(text).hasToString(("<" + i + ">").repeat(200));
        }
    }

    @Test
    void aBodyThatDripsIsNotWaitedFor() throws Exception {
        try (Raw raw = new Raw(CHAT, "{\"messages\":", 100)) {
            assertThat(raw.nextLine()).isEqualTo("HTTP/1.1 408 Request Timeout");
        }
    }

    @Test
    void aBodyOfTenMegabytesArrivesWhole() throws Exception {
        String text = "lorem ipsum ".repeat(860_000);
        HttpResponse<String> response = post(CHAT, "{\"messages\":[{\"role\":\"user\",\"content\":\"" + text + "\"}]}");

        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(node.requests.element().getMessages(0).getContent(0).getText())
                .isEqualTo(text);
    }

    @Test
    void theNodesTokenIsSent() {
        assertThat(node.authorizations).isNotEmpty().allMatch("Bearer node-secret"::equals);
    }

    @Test
    void closingLetsAStreamFinish() throws Exception {
        gateway.close();
        gateway = Gateway.start(settings(Duration.ofSeconds(20)));
        await(() -> isReady());
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch closing = new CountDownLatch(1);
        node.does((request, answer) -> {
            answer.admit(1);
            begun.countDown();
            closing.await();
            answer.say(0, "end");
            answer.finish(0, FinishReason.FINISH_REASON_STOP, 1);
            answer.complete(1, 0, 1);
        });

        try (Raw raw = new Raw(HI_STREAM)) {
            begun.await();
            Thread closer = new Thread(gateway::close);
            closer.start();
            await(() -> isShuttingDown());
            closing.countDown();
            assertThat(raw.nextData()).contains("assistant");
            assertThat(raw.nextData()).contains("end");
            assertThat(raw.nextData()).contains("stop");
            assertThat(raw.nextData()).isEqualTo("[DONE]");
            closer.join();
        }
    }

    @Test
    void closingTellsAStreamThatTakesTooLong() throws Exception {
        node.does((request, answer) -> answer.admit(1));

        try (Raw raw = new Raw(HI_STREAM)) {
            assertThat(raw.nextData()).contains("assistant");
            gateway.close();
            assertThat(raw.nextData()).contains("\"code\":\"shutting_down\"");
        }
    }

    private String metrics() {
        try {
            return get("/metrics").body();
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private boolean isShuttingDown() {
        try {
            HttpResponse<String> chat = post(CHAT, HI_STREAM);
            return get("/readyz").statusCode() == 503 && chat.statusCode() == 503;
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A request whose answer is read by hand, or not at all. */
    private final class Raw implements AutoCloseable {
        private final Socket socket = new Socket();
        private final BufferedReader in;

        Raw(String body) throws IOException {
            this(CHAT, body, body.length());
        }

        Raw(String path, String body) throws IOException {
            this(path, body, body.length());
        }

        /** @param announced the length that the request says it has */
        Raw(String path, String body, int announced) throws IOException {
            this(gateway.port(), "1.1", path, body, announced);
        }

        Raw(int port, String version, String path, String body, int announced) throws IOException {
            socket.setReceiveBufferSize(16 * 1024);
            socket.connect(new java.net.InetSocketAddress("127.0.0.1", port));
            socket.setSoTimeout(10_000);
            ask(version, path, body, announced);
            in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
        }

        void ask(String version, String path, String body, int announced) throws IOException {
            socket.getOutputStream()
                    .write(("POST " + path + " HTTP/" + version
                                    + "\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
                                    + announced + "\r\n\r\n" + body)
                            .getBytes(StandardCharsets.US_ASCII));
        }

        List<String> lines() {
            return in.lines().toList();
        }

        String nextLine() throws IOException {
            return in.readLine();
        }

        String nextData() throws IOException {
            String line = in.readLine();
            while (line != null && !line.startsWith("data: ")) {
                line = in.readLine();
            }
            assertThat(line).as("the stream ended").isNotNull();
            return line.substring("data: ".length());
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
