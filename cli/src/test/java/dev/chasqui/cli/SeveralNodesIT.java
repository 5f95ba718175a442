package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

/** A gateway in front of two nodes, all of them processes of their own, and what happens when one of the nodes goes. */
class SeveralNodesIT {
    private static final Duration SOON = Duration.ofMinutes(3);
    private static final JsonMapper JSON = new JsonMapper();
    private static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private static final int CLIENTS = 3;

    private static final int[] PORTS = new int[2];
    private static final Launched[] NODES = new Launched[2];
    private static SwallowingProxy network;
    private static Launched gateway;
    private static int httpPort;

    @BeforeAll
    static void start() throws IOException {
        for (int i = 0; i < NODES.length; i++) {
            PORTS[i] = Launched.freePort();
            NODES[i] = node(PORTS[i]);
        }
        network = new SwallowingProxy(PORTS[1]);
        httpPort = Launched.freePort();
        gateway = gateway(httpPort);
        awaitModels();
    }

    @AfterAll
    static void stop() throws IOException {
        gateway.close();
        network.close();
        for (Launched node : NODES) {
            node.close();
        }
    }

    @Test
    void aStoppedNodeGetsNoRequestsAndComesBackByItself() throws Exception {
        long began = System.nanoTime();
        signal("STOP", NODES[0]);
        try {
            Launched.await("its silence is noticed", SOON, () -> nodes("up") == 1);
            System.out.println("a stopped node was noticed after " + (System.nanoTime() - began) / 1_000_000 + " ms");
            for (int i = 0; i < 8; i++) {
                assertThat(chat("Say " + i + ".").statusCode()).isEqualTo(200);
            }
            assertThat(inFlight(PORTS[0])).isZero();
        } finally {
            signal("CONT", NODES[0]);
        }
        Launched.await("it is back", SOON, () -> nodes("up") == 2);
    }

    @Test
    void aNodeThatIsCutOffGetsNoRequestsAndComesBackOverANewConnection() throws Exception {
        network.cut(true);
        Launched.await("its silence is noticed", SOON, () -> nodes("up") == 1);
        for (int i = 0; i < 8; i++) {
            assertThat(chat("Count to " + i + ".").statusCode()).isEqualTo(200);
        }
        Launched.await("it counts as gone", SOON, () -> nodes("down") == 1);
        network.cut(false);
        Launched.await("it is back", SOON, () -> nodes("up") == 2);
        awaitModels();
    }

    @Test
    void twoNodesAreRestartedOneAfterTheOtherUnderLoadWithoutAFailedRequest() throws Exception {
        AtomicBoolean enough = new AtomicBoolean();
        AtomicInteger answered = new AtomicInteger();
        List<CompletableFuture<Void>> clients = new ArrayList<>();
        for (int client = 0; client < CLIENTS; client++) {
            String name = "client " + client;
            clients.add(CompletableFuture.runAsync(() -> {
                for (int i = 0; !enough.get(); i++) {
                    requireWhole(name + " wants story " + i);
                    answered.incrementAndGet();
                }
            }));
        }
        try {
            for (int i = 0; i < NODES.length; i++) {
                int before = answered.get();
                Launched.await("answers", SOON, () -> answered.get() > before + CLIENTS || failed(clients));
                NODES[i].terminate();
                assertThat(NODES[i].exitCode(SOON)).isZero();
                NODES[i] = node(PORTS[i]);
                awaitModels();
            }
        } finally {
            enough.set(true);
        }
        for (CompletableFuture<Void> client : clients) {
            client.get();
        }
        assertThat(answered.get()).isGreaterThan(2 * CLIENTS);
    }

    @Test
    void aGatewayThatEndsIsNotReadyFinishesItsAnswersAndExitsWithZero() throws Exception {
        int port = Launched.freePort();
        try (Launched ending = gateway(port)) {
            Launched.await("it is ready", SOON, () -> status(port, "/readyz") == 200);
            HttpResponse<java.io.InputStream> running = HTTP.send(
                    request(port, "/v1/chat/completions")
                            .POST(BodyPublishers.ofString(body("Tell me a long story.", 100, true)))
                            .build(),
                    BodyHandlers.ofInputStream());
            byte[] first = running.body().readNBytes(100);
            ending.terminate();

            Launched.await("readiness goes", SOON, () -> status(port, "/readyz") == 503);
            assertThat(status(port, "/healthz")).isEqualTo(200);
            String rest = new String(running.body().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
            assertThat(first).isNotEmpty();
            assertThat(rest).contains("\"finish_reason\":\"length\"").endsWith("data: [DONE]\n\n");
            assertThat(ending.exitCode(SOON)).isZero();
        }
    }

    @Test
    void aSecondSignalEndsAGatewayAtOnce() throws Exception {
        int port = Launched.freePort();
        try (Launched ending = gateway(port)) {
            Launched.await("it is ready", SOON, () -> status(port, "/readyz") == 200);
            HttpResponse<java.io.InputStream> running = HTTP.send(
                    request(port, "/v1/chat/completions")
                            .POST(BodyPublishers.ofString(body("Tell me a long story.", 2000, true)))
                            .build(),
                    BodyHandlers.ofInputStream());
            running.body().readNBytes(100);
            ending.terminate();
            Launched.await("readiness goes", SOON, () -> status(port, "/readyz") == 503);
            ending.terminate();

            assertThat(ending.exitCode(SOON)).isEqualTo(1);
        }
    }

    private static Launched node(int port) {
        return Launched.start(
                RealModel.HOME,
                Map.of(),
                List.of("node", "--listen", "127.0.0.1:" + port, "--model", RealModel.NAME, "--parallel", "2"));
    }

    private static Launched gateway(int port) {
        return Launched.start(
                RealModel.HOME,
                Map.of("DATABASE_URL", "memory:"),
                List.of(
                        "gateway",
                        "--port",
                        "" + port,
                        "--nodes",
                        "127.0.0.1:" + PORTS[0] + ",127.0.0.1:" + network.port(),
                        "--node-silence",
                        "5",
                        "--shutdown-timeout",
                        "120"));
    }

    /** Both nodes have the model in memory. */
    private static void awaitModels() {
        try {
            Launched.await("models", SOON, () -> nodes("up") == 2 && matches("chasqui_engine_slots\\{.*} 2") == 2);
        } catch (AssertionError absent) {
            StringBuilder output = new StringBuilder(gateway.output());
            for (Launched node : NODES) {
                output.append(node.output());
            }
            RealModel.explainMissing(RealModel.HOME, output.toString());
        }
    }

    private static boolean failed(List<CompletableFuture<Void>> clients) {
        return clients.stream().anyMatch(CompletableFuture::isCompletedExceptionally);
    }

    /** Asks for a stream, which must come whole. */
    private static void requireWhole(String question) {
        try {
            HttpResponse<String> response = HTTP.send(
                    request(httpPort, "/v1/chat/completions")
                            .POST(BodyPublishers.ofString(body(question, 12, true)))
                            .build(),
                    BodyHandlers.ofString());
            if (response.statusCode() != 200
                    || !response.body().endsWith("data: [DONE]\n\n")
                    || !response.body().contains("\"finish_reason\":\"")) {
                throw new AssertionError(response.statusCode() + ": " + response.body());
            }
        } catch (IOException | InterruptedException broken) {
            throw new AssertionError(broken);
        }
    }

    private static HttpResponse<String> chat(String question) throws IOException, InterruptedException {
        return HTTP.send(
                request(httpPort, "/v1/chat/completions")
                        .POST(BodyPublishers.ofString(body(question, 4, false)))
                        .build(),
                BodyHandlers.ofString());
    }

    private static String body(String question, int tokens, boolean stream) {
        return "{\"messages\":[{\"role\":\"user\",\"content\":\"" + question + "\"}],\"max_tokens\":" + tokens
                + ",\"ignore_eos\":true,\"stream\":" + stream + "}";
    }

    private static HttpRequest.Builder request(int port, String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .header("content-type", "application/json")
                .timeout(Duration.ofMinutes(5));
    }

    private static String get(int port, String path) throws IOException {
        try {
            return HTTP.send(request(port, path).build(), BodyHandlers.ofString())
                    .body();
        } catch (InterruptedException problem) {
            throw new IllegalStateException(problem);
        }
    }

    private static int status(int port, String path) {
        try {
            return HTTP.send(request(port, path).build(), BodyHandlers.discarding())
                    .statusCode();
        } catch (IOException notYet) {
            return 0;
        } catch (InterruptedException problem) {
            throw new IllegalStateException(problem);
        }
    }

    private static int nodes(String state) {
        try {
            return JSON.readTree(get(httpPort, "/api/health"))
                    .path("nodes")
                    .path(state)
                    .asInt();
        } catch (IOException notYet) {
            return -1;
        }
    }

    private static int inFlight(int port) throws IOException {
        Matcher sample = Pattern.compile("chasqui_node_requests_in_flight\\{node=\"127.0.0.1:" + port + "\"} (\\d+)")
                .matcher(get(httpPort, "/metrics"));
        assertThat(sample.find()).isTrue();
        return Integer.parseInt(sample.group(1));
    }

    private static long matches(String pattern) {
        try {
            return Pattern.compile(pattern)
                    .matcher(get(httpPort, "/metrics"))
                    .results()
                    .count();
        } catch (IOException notYet) {
            return 0;
        }
    }

    private static void signal(String name, Launched process) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("kill", "-" + name, "" + process.pid())
                        .start()
                        .waitFor())
                .isZero();
    }
}
