package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.nodes.LocalNode;
import dev.chasqui.gateway.nodes.NodeException;
import dev.chasqui.gateway.nodes.NodeRouter;
import dev.chasqui.gateway.nodes.NodeView;
import dev.chasqui.gateway.nodes.Readiness;
import dev.chasqui.proto.v1.ListModelsResponse;
import dev.chasqui.proto.v1.Model;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Set;
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
public final class RestRoutes {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final Set<String> PATHS =
            Set.of("/api/health", "/api/models", "/health", "/healthz", "/readyz", "/version", "/models", "/metrics");

    private final NodeRouter nodes;
    private final @Nullable LocalNode localNode;
    private final String version;
    private final Supplier<String> metrics;
    private final Clock clock;
    private final JsonMapper mapper = JsonMapper.shared();

    /**
     * @param localNode the supervised node, if there is one
     * @param version of the product
     * @param metrics all metrics, as Prometheus reads them
     */
    public RestRoutes(
            NodeRouter nodes, @Nullable LocalNode localNode, String version, Supplier<String> metrics, Clock clock) {
        this.nodes = nodes;
        this.localNode = localNode;
        this.version = version;
        this.metrics = metrics;
        this.clock = clock;
    }

    /** Whether the path is one of this interface's. */
    public static boolean owns(String path) {
        return path.startsWith("/api/") || PATHS.contains(path);
    }

    /** The route's name in logs and metrics; a path that is none has none of its own. */
    public static String route(String path) {
        return PATHS.contains(path) ? path : "/api/*";
    }

    /** Answers a request for one of this interface's paths; fails with {@link RestError} or NodeException. */
    public Mono<Void> handle(ServerWebExchange exchange) {
        String path = exchange.getRequest().getPath().value();
        ServerHttpResponse response = exchange.getResponse();
        return Mono.defer(() -> {
            if (!PATHS.contains(path)) {
                throw new RestError(404, "There is nothing at this path.", null);
            }
            requireGet(exchange);
            response.getHeaders().set("cache-control", "no-store");
            return switch (path) {
                case "/api/health" -> json(response, health());
                case "/health" -> json(response, object("status", "healthy").put("timestamp", timestamp()));
                case "/healthz" -> json(response, object("status", "alive"));
                case "/readyz" -> ready(response);
                case "/version" -> json(response, object("name", "chasqui").put("version", version));
                case "/metrics" -> text(response, metrics.get());
                default -> nodes.listModels().flatMap(models -> json(response, models(models)));
            };
        });
    }

    /** Writes an error in this interface's shape. */
    public static Mono<Void> write(ServerHttpResponse response, int status, String message, @Nullable Duration retry) {
        response.setRawStatusCode(status);
        if (retry != null) {
            response.getHeaders().set("retry-after", Long.toString(Math.max(1, retry.toSeconds())));
        }
        ObjectNode body = JSON.objectNode().put("success", false).put("error", message);
        return bytes(response, "application/json", body.toString().getBytes(StandardCharsets.UTF_8));
    }

    /** The one mapping of anything thrown to this interface's words; null for a defect. */
    public static @Nullable RestError expected(Throwable thrown) {
        if (thrown instanceof NodeException e) {
            return RestError.of(e);
        }
        return thrown instanceof RestError e ? e : null;
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

    private static ObjectNode models(ListModelsResponse models) {
        ObjectNode body = JSON.objectNode().put("success", true);
        ArrayNode list = body.putObject("data").putArray("models");
        models.getModelsList().forEach(model -> list.add(model(model)));
        return body;
    }

    private static ObjectNode model(Model model) {
        ObjectNode out = JSON.objectNode().put("name", model.getName());
        out.put("size_bytes", model.getSizeBytes());
        if (model.getModifiedEpochS() > 0) {
            out.put(
                    "last_modified",
                    Instant.ofEpochSecond(model.getModifiedEpochS()).toString());
        } else {
            out.putNull("last_modified");
        }
        out.put("state", model.getState().name().replace("MODEL_STATE_", "").toLowerCase(Locale.ROOT));
        out.put("progress", model.getProgress());
        out.put("is_default", model.getIsDefault());
        out.put("reason", model.getReason());
        out.put("licence", model.getLicence());
        out.put("architecture", model.getArchitecture());
        out.put("quantization", model.getQuantization());
        out.put("parameters", model.getParameters());
        out.put("context_tokens", model.getContextTokens());
        out.put("trained_context_tokens", model.getTrainedContextTokens());
        out.put("memory_bytes", model.getMemoryBytes());
        out.putObject("capabilities")
                .put("tools", model.getCapabilities().getTools())
                .put("reasoning", model.getCapabilities().getReasoning())
                .put("system_role", model.getCapabilities().getSystemRole());
        return out;
    }

    private static void requireGet(ServerWebExchange exchange) {
        HttpMethod method = exchange.getRequest().getMethod();
        if (!method.equals(HttpMethod.GET) && !method.equals(HttpMethod.HEAD)) {
            exchange.getResponse().getHeaders().set("allow", "GET");
            throw new RestError(405, "This path takes GET only.", null);
        }
    }

    private String timestamp() {
        return clock.instant().truncatedTo(ChronoUnit.MILLIS).toString();
    }

    private static ObjectNode object(String name, String value) {
        return JSON.objectNode().put(name, value);
    }

    private Mono<Void> json(ServerHttpResponse response, ObjectNode body) {
        return bytes(response, "application/json", mapper.writeValueAsBytes(body));
    }

    private static Mono<Void> text(ServerHttpResponse response, String body) {
        return bytes(response, "text/plain; version=0.0.4; charset=utf-8", body.getBytes(StandardCharsets.UTF_8));
    }

    private static Mono<Void> bytes(ServerHttpResponse response, String type, byte[] body) {
        response.getHeaders().set("content-type", type);
        response.getHeaders().setContentLength(body.length);
        return response.writeWith(Mono.just(response.bufferFactory().wrap(body)));
    }
}
