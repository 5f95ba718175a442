package dev.chasqui.gateway;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A gateway on a free port in front of a scripted node, both new for each test. */
abstract class GatewayTest {
    static final HttpClient HTTP = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5))
            .build();

    ScriptedNode node;
    Gateway gateway;

    @BeforeEach
    void startBoth() throws Exception {
        node = new ScriptedNode();
        gateway = Gateway.start(settings());
        await(() -> isReady());
    }

    @AfterEach
    void stopBoth() {
        node.close();
        gateway.close();
    }

    /** What the gateway under test is started with. */
    GatewaySettings settings() {
        return GatewaySettings.local(0, List.of(node.address()));
    }

    /** As without any settings, but for how chats are stored. */
    GatewaySettings stored(GatewaySettings.Stored conversations) {
        GatewaySettings plain = GatewaySettings.local(0, List.of(node.address()));
        return changed(plain, List.of(), plain.accounts(), List.of(), List.of(), conversations, plain.limits());
    }

    /** As without any settings, but for who may use it. */
    GatewaySettings guarded(List<String> keys, List<String> hosts, List<String> origins) {
        GatewaySettings plain = GatewaySettings.local(0, List.of(node.address()));
        return changed(plain, keys, plain.accounts(), hosts, origins, plain.conversations(), plain.limits());
    }

    /** As without any settings, but for accounts, keys and where both are stored. */
    GatewaySettings peopled(GatewaySettings.Accounts accounts, List<String> keys, GatewaySettings.Stored stored) {
        GatewaySettings plain = GatewaySettings.local(0, List.of(node.address()));
        return changed(plain, keys, accounts, List.of(), List.of(), stored, plain.limits());
    }

    /** As without any settings, but for the limits. */
    GatewaySettings limited(GatewaySettings.Limits limits) {
        GatewaySettings plain = GatewaySettings.local(0, List.of(node.address()));
        return changed(plain, List.of(), plain.accounts(), List.of(), List.of(), plain.conversations(), limits);
    }

    /** As without any settings, but for a second node and the limits. */
    GatewaySettings twoNodes(ScriptedNode other, GatewaySettings.Limits limits) {
        GatewaySettings plain = GatewaySettings.local(0, List.of(node.address(), other.address()));
        return changed(plain, List.of(), plain.accounts(), List.of(), List.of(), plain.conversations(), limits);
    }

    private static GatewaySettings changed(
            GatewaySettings plain,
            List<String> keys,
            GatewaySettings.Accounts accounts,
            List<String> hosts,
            List<String> origins,
            GatewaySettings.Stored conversations,
            GatewaySettings.Limits limits) {
        return new GatewaySettings(
                plain.host(),
                0,
                plain.nodes(),
                null,
                plain.nodeTls(),
                keys,
                accounts,
                hosts,
                origins,
                plain.localNode(),
                conversations,
                limits);
    }

    boolean isReady() {
        try {
            return get("/readyz").statusCode() == 200;
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    URI uri(String path) {
        return URI.create("http://127.0.0.1:" + gateway.port() + path);
    }

    HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(uri(path)));
    }

    HttpResponse<String> post(String path, String json) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(uri(path))
                .header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(json)));
    }

    HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
        return HTTP.send(request.timeout(Duration.ofMinutes(2)).build(), HttpResponse.BodyHandlers.ofString());
    }

    static JsonNode json(String text) {
        return JsonMapper.shared().readTree(text);
    }

    /** The JSON events of a stream, without its end mark. */
    static List<JsonNode> data(String body) {
        List<JsonNode> events = new ArrayList<>();
        for (String line : body.split("\n")) {
            if (line.startsWith("data: {")) {
                events.add(json(line.substring(6)));
            }
        }
        return events;
    }

    static void await(BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + Duration.ofMinutes(2).toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("it did not happen within two minutes");
            }
            Thread.sleep(10);
        }
    }
}
