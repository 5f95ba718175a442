package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.answers.Answers;
import dev.chasqui.gateway.nodes.LocalNode;
import dev.chasqui.gateway.nodes.ModelNames;
import dev.chasqui.gateway.nodes.NodeRouter;
import dev.chasqui.gateway.nodes.NodeView;
import dev.chasqui.gateway.nodes.Readiness;
import dev.chasqui.gateway.requests.Dialect;
import dev.chasqui.gateway.requests.RequestBody;
import dev.chasqui.gateway.requests.Routes;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpMethod;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** The product's own interface below {@code /api/}, and what operators ask: liveness, readiness, version, metrics. */
public final class RestRoutes implements Dialect {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private final NodeRouter nodes;
    private final @Nullable LocalNode localNode;
    private final String version;
    private final Clock clock;
    private final JsonMapper mapper = JsonMapper.shared();
    private final Routes routes = new Routes();

    /**
     * @param localNode the supervised node, if there is one
     * @param version of the product
     * @param metrics all metrics, as Prometheus reads them
     */
    public RestRoutes(
            NodeRouter nodes,
            RequestBody bodies,
            Answers answers,
            ModelNames names,
            @Nullable LocalNode localNode,
            String version,
            Supplier<String> metrics,
            Clock clock) {
        this.nodes = nodes;
        this.localNode = localNode;
        this.version = version;
        this.clock = clock;
        ModelsController models = new ModelsController(nodes, bodies, answers);
        ChatController chats = new ChatController(nodes, bodies, answers, names);
        get("/api/health", response -> json(response, health()));
        get("/health", response -> json(response, object("status", "healthy").put("timestamp", timestamp())));
        get("/healthz", response -> json(response, object("status", "alive")));
        get("/readyz", this::ready);
        get("/version", response -> json(response, object("name", "chasqui").put("version", version)));
        byte[] description = description();
        get("/openapi.json", response -> Answers.json(response, description));
        get(
                "/api/docs",
                response -> answers.beside(() -> DescriptionPage.of(description))
                        .flatMap(page -> Answers.bytes(response, "text/html; charset=utf-8", page)));
        get("/metrics", response -> text(response, metrics.get()));
        routes.add(HttpMethod.GET, "/models", (exchange, name) -> models.list(exchange))
                .add(HttpMethod.GET, "/api/models", (exchange, name) -> models.list(exchange))
                .add(HttpMethod.GET, "/api/models/{name}", models::show)
                .add(HttpMethod.POST, "/api/models/{name}", models::pull)
                .add(HttpMethod.DELETE, "/api/models/{name}", models::delete)
                .add(HttpMethod.POST, "/api/chat", (exchange, name) -> chats.chat(exchange))
                .add(HttpMethod.POST, "/api/chat/stream", (exchange, name) -> chats.stream(exchange));
    }

    /** The description of all dialects in OpenAPI's words, which a test holds against the routes. */
    public static byte[] description() {
        try (InputStream in = RestRoutes.class.getResourceAsStream("/dev/chasqui/gateway/openapi.json")) {
            return Objects.requireNonNull(in).readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void get(String path, Function<ServerHttpResponse, Mono<Void>> answer) {
        routes.add(HttpMethod.GET, path, (exchange, name) -> {
            exchange.getResponse().getHeaders().set("cache-control", "no-store");
            return answer.apply(exchange.getResponse());
        });
    }

    @Override
    public Routes routes() {
        return routes;
    }

    @Override
    public boolean owns(String path) {
        return path.startsWith("/api/") || routes.name(path) != null;
    }

    @Override
    public Mono<Void> fail(ServerWebExchange exchange, RuntimeException failure) {
        RestError error = RestError.of(failure);
        Answers.failed(exchange.getResponse(), error.status(), error.retryAfter());
        return Answers.json(exchange.getResponse(), error.body());
    }

    private Mono<Void> ready(ServerHttpResponse response) {
        Readiness readiness = readiness();
        boolean ready = readiness.state() == Readiness.State.READY;
        if (!ready) {
            response.setRawStatusCode(503);
        }
        return json(response, object("status", readiness.state().word()).put("message", readiness.message()));
    }

    private ObjectNode health() {
        Readiness readiness = readiness();
        ObjectNode body = JSON.objectNode().put("success", true).put("data", "OK");
        body.put("status", readiness.state().word());
        body.put("model", readiness.model());
        body.put("progress", readiness.progress());
        body.put("message", readiness.message());
        if (readiness.bytesTotal() > 0) {
            body.put("bytes_done", readiness.bytesDone()).put("bytes_total", readiness.bytesTotal());
        }
        body.set("node", node());
        body.put("version", version);
        return body.put("timestamp", timestamp());
    }

    /** As the nodes say; a local node that was just started and says nothing yet is on its way, not away. */
    private Readiness readiness() {
        Readiness readiness = nodes.readiness();
        LocalNode.Status local = localNode == null ? null : localNode.status();
        if (local == null || readiness.state() != Readiness.State.UNAVAILABLE) {
            return readiness;
        }
        return switch (local.state()) {
            case STARTING -> new Readiness(Readiness.State.LOADING, "", 0, "The inference node is starting.", 0, 0);
            case RESTARTING ->
                new Readiness(
                        Readiness.State.UNAVAILABLE, "", 0, "The inference node ended and is started again.", 0, 0);
            case STOPPED -> readiness;
        };
    }

    private ObjectNode node() {
        List<NodeView> views = nodes.views();
        boolean reachable = views.stream().anyMatch(NodeView::reachable);
        ObjectNode node = JSON.objectNode();
        if (localNode == null) {
            node.put("state", reachable ? "running" : "unreachable").put("restarts", 0);
        } else {
            LocalNode.Status status = localNode.status();
            boolean runs = status.state() == LocalNode.State.STARTING && reachable;
            node.put("state", runs ? "running" : status.state().word());
            node.put("restarts", status.restarts());
            Integer exitCode = status.lastExitCode();
            if (exitCode != null) {
                node.put("last_exit_code", exitCode);
            }
        }
        ArrayNode notices = node.putArray("notices");
        views.forEach(view -> view.status().getNoticesList().forEach(notices::add));
        return node;
    }

    private String timestamp() {
        return clock.instant().truncatedTo(ChronoUnit.MILLIS).toString();
    }

    private static ObjectNode object(String name, String value) {
        return JSON.objectNode().put(name, value);
    }

    private Mono<Void> json(ServerHttpResponse response, ObjectNode body) {
        return Answers.json(response, mapper.writeValueAsBytes(body));
    }

    private static Mono<Void> text(ServerHttpResponse response, String body) {
        return Answers.bytes(
                response, "text/plain; version=0.0.4; charset=utf-8", body.getBytes(StandardCharsets.UTF_8));
    }
}
