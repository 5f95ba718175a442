package dev.chasqui.cli;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A {@code chasqui serve} under test and how it is asked. */
final class Server implements AutoCloseable {

    private static final JsonMapper JSON = new JsonMapper();
    private static final Duration READY_LIMIT = Duration.ofMinutes(5);

    private final Launched launched;
    private final Path home;
    private final URI base;
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private Server(Launched launched, Path home, int port) {
        this.launched = launched;
        this.home = home;
        this.base = URI.create("http://127.0.0.1:" + port);
    }

    /** With the tests' own model, unless {@code more} names another. */
    static Server start(Path home, String... more) {
        int port = Launched.freePort();
        List<String> arguments = new ArrayList<>(List.of("serve", "--port", Integer.toString(port)));
        arguments.addAll(List.of(more));
        if (!arguments.contains("--model")) {
            arguments.addAll(List.of("--model", RealModel.NAME));
        }
        return new Server(Launched.start(home, Map.of(), arguments), home, port);
    }

    static Server ready(Path home, String... more) {
        Server server = start(home, more);
        try {
            server.awaitReady();
            return server;
        } catch (RuntimeException | Error problem) {
            server.close();
            throw problem;
        }
    }

    int port() {
        return base.getPort();
    }

    void awaitReady() {
        long end = System.nanoTime() + READY_LIMIT.toNanos();
        while (System.nanoTime() < end && launched.isAlive()) {
            String status = status().orElse("");
            if (status.equals("ready")) {
                return;
            }
            if (status.equals("failed")) {
                break;
            }
            pause();
        }
        RealModel.explainMissing(home, launched.output());
    }

    /** {@code status} of the health answer; empty while nobody answers. */
    Optional<String> status() {
        try {
            return Optional.of(JSON.readTree(send(request("/api/health").GET()).body())
                    .path("status")
                    .asString(""));
        } catch (IOException notYet) {
            return Optional.empty();
        }
    }

    HttpResponse<String> get(String path) throws IOException {
        return send(request(path).GET());
    }

    HttpResponse<String> post(String path, String json) throws IOException {
        return send(request(path).header("Content-Type", "application/json").POST(BodyPublishers.ofString(json)));
    }

    /** Sends a chat that must succeed. */
    JsonNode chat(String json) throws IOException {
        HttpResponse<String> response = post("/v1/chat/completions", json);
        if (response.statusCode() != 200) {
            throw new AssertionError(response.statusCode() + ": " + response.body());
        }
        return JSON.readTree(response.body());
    }

    /** Sends a chat with {@code "stream":true} that must succeed; the events without {@code [DONE]}, which must be last. */
    List<JsonNode> stream(String json) throws IOException {
        HttpResponse<String> response = post("/v1/chat/completions", json);
        if (response.statusCode() != 200) {
            throw new AssertionError(response.statusCode() + ": " + response.body());
        }
        List<String> data = response.body()
                .lines()
                .filter(line -> line.startsWith("data:"))
                .map(line -> line.substring(5).strip())
                .toList();
        if (!data.get(data.size() - 1).equals("[DONE]")) {
            throw new AssertionError("the stream ended with " + data.get(data.size() - 1));
        }
        return data.subList(0, data.size() - 1).stream().map(JSON::readTree).toList();
    }

    HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(base.resolve(path)).timeout(Duration.ofMinutes(2));
    }

    HttpResponse<String> send(HttpRequest.Builder request) throws IOException {
        try {
            return client.send(request.build(), BodyHandlers.ofString());
        } catch (InterruptedException problem) {
            throw new IllegalStateException(problem);
        }
    }

    URI base() {
        return base;
    }

    Path home() {
        return home;
    }

    Launched launched() {
        return launched;
    }

    /** The node's process. */
    ProcessHandle node() {
        return launched.children().stream()
                .filter(child -> child.info().commandLine().orElse("").contains(" node "))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no node runs:\n" + launched.output()));
    }

    private static void pause() {
        try {
            Thread.sleep(50);
        } catch (InterruptedException problem) {
            throw new IllegalStateException(problem);
        }
    }

    @Override
    public void close() {
        launched.close();
    }
}
