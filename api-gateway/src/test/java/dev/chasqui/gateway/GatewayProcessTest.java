package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.chasqui.proto.v1.FinishReason;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** The gateway as a process of its own: its child, its signals, its exit code. */
@Timeout(300)
class GatewayProcessTest {
    private ScriptedNode node;

    @SuppressWarnings("NullAway.Init") // Each test starts it.
    private Process process;

    private int port;
    private String nodes;
    /** Of the Java that runs it. */
    private String option = "-Xms16m";

    @BeforeEach
    void startNode() throws Exception {
        node = new ScriptedNode();
        nodes = node.address();
        try (ServerSocket socket = new ServerSocket(0)) {
            port = socket.getLocalPort();
        }
    }

    @AfterEach
    void endBoth() {
        process.destroyForcibly();
        node.close();
    }

    @Test
    void sigtermLetsAStreamFinishAndExitsWithZero() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        node.does((request, answer) -> {
            answer.admit(1);
            begun.countDown();
            Thread.sleep(700);
            answer.say(0, "the end");
            answer.finish(0, FinishReason.FINISH_REASON_STOP, 1);
            answer.complete(1, 0, 1);
        });
        start();
        CompletableFuture<HttpResponse<String>> stream = GatewayTest.HTTP.sendAsync(
                HttpRequest.newBuilder(uri("/v1/chat/completions"))
                        .header("content-type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(
                                "{\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        begun.await();

        process.destroy();

        assertThat(stream.get(10, TimeUnit.SECONDS).body()).contains("the end").endsWith("data: [DONE]\n\n");
        assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isZero();
    }

    @Test
    void aSecondSigtermEndsItAtOnce() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        node.does((request, answer) -> begun.countDown());
        start();
        CompletableFuture<HttpResponse<String>> stream = GatewayTest.HTTP.sendAsync(
                HttpRequest.newBuilder(uri("/v1/chat/completions"))
                        .header("content-type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(
                                "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        begun.await();
        process.destroy();
        GatewayTest.await(() -> health("/readyz").statusCode() == 503);

        process.destroy();

        assertThat(process.waitFor(3, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(128 + 15);
        assertThatThrownBy(() -> stream.get(5, TimeUnit.SECONDS)).hasRootCauseInstanceOf(IOException.class);
    }

    @Test
    void aLocalNodeIsStartedAndSeenInHealthAndEnded() throws Exception {
        start("--chasqui.local-node.command=sleep,60");
        ProcessHandle child = child();
        assertThat(health().at("/node/state").asString()).isEqualTo("running");

        child.destroyForcibly();
        GatewayTest.await(() -> health().at("/node/restarts").asInt() == 1);
        assertThat(health().at("/node/last_exit_code").asInt()).isEqualTo(137);
        GatewayTest.await(() -> process.children().anyMatch(ProcessHandle::isAlive));
        assertThat(health("/metrics").body()).contains("chasqui_local_node_restarts_total 1");
        ProcessHandle second = child();

        process.destroy();
        assertThat(process.waitFor(15, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isZero();
        GatewayTest.await(() -> !second.isAlive());
    }

    @Test
    void aLocalNodeThatSaysNothingAnyMoreIsKilledAndStartedAgainOnce() throws Exception {
        start("--chasqui.local-node.command=sleep,600", "--chasqui.limits.node-silence=4s");
        ProcessHandle first = child();
        node.isSilent(true);

        GatewayTest.await(() -> health().at("/node/restarts").asInt() == 1);
        assertThat(first.isAlive()).isFalse();
        GatewayTest.await(() -> !isReady());
        node.isSilent(false);
        GatewayTest.await(this::isReady);
        assertThat(health().at("/node/restarts").asInt()).isEqualTo(1);
    }

    @Test
    void nodesBehindANameComeAndGoAsTheirNumberIsScaled(@TempDir Path folder) throws Exception {
        Path names = folder.resolve("names");
        Files.writeString(names, "127.0.0.1 localhost nodes.test\n");
        option = "-Djdk.net.hosts.file=" + names;
        nodes = "dns:///nodes.test:" + node.port();
        start();
        assertThat(health().at("/nodes/up").asInt()).isEqualTo(1);

        try (ScriptedNode second = new ScriptedNode("127.0.0.2", node.port())) {
            Files.writeString(names, "127.0.0.1 localhost nodes.test\n127.0.0.2 nodes.test\n");
            GatewayTest.await(() -> health().at("/nodes/up").asInt() == 2);
            for (int i = 0; i < 60 && (node.requests.isEmpty() || second.requests.isEmpty()); i++) {
                chat("{\"message\":\"Question " + i + "?\",\"stream\":false}");
            }
            assertThat(node.requests).isNotEmpty();
            assertThat(second.requests).isNotEmpty();

            Files.writeString(names, "127.0.0.1 localhost\n127.0.0.2 nodes.test\n");
            GatewayTest.await(() -> health().at("/nodes/up").asInt() == 1);
            assertThat(health().at("/nodes/down").asInt()).isZero();
            int before = node.requests.size();
            for (int i = 0; i < 10; i++) {
                assertThat(chat("{\"message\":\"Question " + i + "?\",\"stream\":false}"))
                        .contains("\"success\":true");
            }
            assertThat(node.requests).hasSize(before);
        }
    }

    @Test
    void killedItLosesNoFinishedMessageAndKeepsWhatThereWas(@TempDir Path folder) throws Exception {
        BlockingQueue<String> words = new LinkedBlockingQueue<>();
        node.does((request, answer) -> {
            answer.admit(1);
            for (String word = words.take(); !word.equals("end"); word = words.take()) {
                answer.say(0, word);
            }
            answer.finish(0, FinishReason.FINISH_REASON_STOP, 1);
            answer.complete(1, 0, 1);
        });
        String[] stored = {
            "--chasqui.conversations.database=file:" + folder.resolve("private/chasqui"),
            "--chasqui.conversations.titles=false"
        };
        start(stored);
        words.addAll(List.of("finished", "end"));
        String id = GatewayTest.json(chat("{\"message\":\"One?\",\"stream\":false}"))
                .at("/data/conversation_id")
                .asString();
        try (RawStream second =
                RawStream.post(port, "/api/chat", "{\"message\":\"Two?\",\"conversation_id\":\"" + id + "\"}")) {
            words.add("half");
            second.await("\"content\":\"half\"");
            // What came more than a second ago must be there.
            Thread.sleep(2_000);
        }

        process.destroyForcibly().waitFor();
        start(stored);
        JsonNode messages = GatewayTest.json(
                        health("/api/conversations/" + id + "/messages").body())
                .at("/data/messages");

        assertThat(messages)
                .extracting(one -> one.get("content").asString())
                .containsExactly("One?", "finished", "Two?", "half");
        assertThat(messages)
                .extracting(one -> one.get("status").asString())
                .containsExactly("complete", "complete", "complete", "interrupted");
        assertThat(Files.getPosixFilePermissions(folder.resolve("private")))
                .isEqualTo(PosixFilePermissions.fromString("rwx------"));
        try (Stream<Path> files = Files.list(folder.resolve("private"))) {
            assertThat(files.toList())
                    .allSatisfy(file -> assertThat(Files.getPosixFilePermissions(file))
                            .isEqualTo(PosixFilePermissions.fromString("rw-------")));
        }
    }

    private String chat(String body) throws Exception {
        return GatewayTest.HTTP
                .send(
                        HttpRequest.newBuilder(uri("/api/chat"))
                                .header("content-type", "application/json")
                                .POST(HttpRequest.BodyPublishers.ofString(body))
                                .build(),
                        HttpResponse.BodyHandlers.ofString())
                .body();
    }

    private ProcessHandle child() throws InterruptedException {
        GatewayTest.await(() -> process.children().findAny().isPresent());
        return process.children().findAny().orElseThrow();
    }

    private void start(String... more) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                option,
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Gateway.class.getName(),
                "--chasqui.port=" + port,
                "--chasqui.nodes=" + nodes));
        command.addAll(List.of(more));
        process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        GatewayTest.await(this::isReady);
    }

    private boolean isReady() {
        try (Socket socket = new Socket("127.0.0.1", port)) {
            return socket.isConnected() && health("/readyz").statusCode() == 200;
        } catch (IOException e) {
            return false;
        }
    }

    private JsonNode health() {
        return GatewayTest.json(health("/api/health").body());
    }

    private HttpResponse<String> health(String path) {
        try {
            return GatewayTest.HTTP.send(
                    HttpRequest.newBuilder(uri(path)).build(), HttpResponse.BodyHandlers.ofString());
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private URI uri(String path) {
        return URI.create("http://127.0.0.1:" + port + path);
    }
}
