package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.accounts.Account;
import dev.chasqui.gateway.accounts.Accounts;
import dev.chasqui.gateway.accounts.Keys;
import dev.chasqui.gateway.accounts.Principal;
import dev.chasqui.gateway.answers.Answers;
import dev.chasqui.gateway.limits.Metering;
import dev.chasqui.gateway.nodes.NodeRouter;
import dev.chasqui.gateway.nodes.NodeView;
import dev.chasqui.gateway.nodes.Readiness;
import dev.chasqui.gateway.requests.Query;
import dev.chasqui.gateway.storage.Database;
import dev.chasqui.gateway.storage.DatabaseStatus;
import dev.chasqui.proto.v1.Device;
import dev.chasqui.proto.v1.EngineStatus;
import dev.chasqui.proto.v1.Model;
import dev.chasqui.proto.v1.NodeStatus;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.Supplier;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** {@code /api/server} and {@code /api/usage}: what an operator wants to see at a glance, and never what anybody wrote. */
final class ServerController {
    private static final long USUAL_DAYS = 30;
    private static final long MOST_DAYS = 365;
    private static final long DAY_MS = Duration.ofDays(1).toMillis();

    private final Answers answers;
    private final NodeRouter nodes;
    private final Supplier<Readiness> readiness;
    private final History history;
    private final Database database;
    private final Accounts accounts;
    private final Keys keys;
    private final Metering metering;
    private final String version;
    private final Clock clock;
    private final Instant startedAt;

    ServerController(
            Answers answers,
            NodeRouter nodes,
            Supplier<Readiness> readiness,
            History history,
            Database database,
            Accounts accounts,
            Keys keys,
            Metering metering,
            String version,
            Clock clock) {
        this.answers = answers;
        this.nodes = nodes;
        this.readiness = readiness;
        this.history = history;
        this.database = database;
        this.accounts = accounts;
        this.keys = keys;
        this.metering = metering;
        this.version = version;
        this.clock = clock;
        this.startedAt = clock.instant();
    }

    Mono<Void> show(ServerWebExchange exchange) {
        Instant after = Query.of(exchange.getRequest()).moment("after");
        Readiness now = readiness.get();
        ObjectNode data = JsonNodeFactory.instance.objectNode().put("version", version);
        data.put("started_at", startedAt.toString());
        data.put("uptime_seconds", Duration.between(startedAt, clock.instant()).toMillis() / 1e3);
        data.put("status", now.state().word()).put("model", now.model());
        DatabaseStatus stored = database.status();
        data.putObject("database").put("status", stored.state().word()).put("message", stored.message());
        List<NodeView> views = nodes.views();
        data.put(
                "requests_in_flight",
                views.stream().mapToInt(NodeView::inFlight).sum());
        ArrayNode list = data.putArray("nodes");
        views.forEach(node -> list.add(json(node)));
        ObjectNode past = data.putObject("history").put("interval_seconds", History.INTERVAL_MS / 1e3);
        ArrayNode points = past.putArray("points");
        history.after(after == null ? Instant.EPOCH : after).forEach(point -> points.add(json(point)));
        return Success.write(exchange, data);
    }

    Mono<Void> usage(ServerWebExchange exchange) {
        Long wanted = Query.of(exchange.getRequest()).integer("days", 1, MOST_DAYS);
        long last = Math.floorDiv(clock.millis(), DAY_MS);
        long first = last - (wanted == null ? USUAL_DAYS : wanted) + 1;
        Mono<List<Account>> everybody = accounts.isEnabled() ? accounts.list() : Mono.just(List.of());
        return Mono.zip(keys.list(Principal.of(exchange), true), everybody, metering.usage(first, last))
                .flatMap(all -> answers.beside(
                        () -> new UsageReport(all.getT1(), all.getT2(), all.getT3(), accounts::countsKeysTogether)
                                .json(first, last)))
                .flatMap(data -> Success.write(exchange, data));
    }

    private static ObjectNode json(NodeView node) {
        NodeStatus status = node.status();
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("address", node.address().toString()).put("state", node.state().word());
        json.put("version", status.getVersion()).put("llama_cpp", status.getLlamaCppVersion());
        json.put("uptime_seconds", status.getUptimeSeconds()).put("requests_in_flight", node.inFlight());
        ArrayNode notices = json.putArray("notices");
        status.getNoticesList().forEach(notices::add);
        ArrayNode devices = json.putArray("devices");
        status.getDevicesList().forEach(device -> devices.add(json(device)));
        ArrayNode models = json.putArray("models");
        status.getModelsList().forEach(model -> models.add(json(model)));
        ArrayNode engines = json.putArray("engines");
        status.getEnginesList().forEach(engine -> engines.add(json(engine)));
        return json;
    }

    private static ObjectNode json(Device device) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("name", device.getName())
                .put("description", device.getDescription())
                .put("kind", device.getKind())
                .put("memory_total_bytes", device.getMemoryTotalBytes())
                .put("memory_free_bytes", device.getMemoryFreeBytes());
    }

    private static ObjectNode json(Model model) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("name", model.getName())
                .put("state", ModelsController.word(model.getState()))
                .put("is_default", model.getIsDefault())
                .put("progress", ModelsController.progress(model))
                .put("memory_bytes", model.getMemoryBytes());
    }

    private static ObjectNode json(EngineStatus engine) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("model", engine.getModel())
                .put("slots", engine.getSlots())
                .put("slots_in_use", engine.getSlotsInUse())
                .put("queued", engine.getQueued())
                .put("queue_capacity", engine.getQueueCapacity())
                .put("kv_tokens_used", engine.getKvTokensUsed())
                .put("kv_tokens_capacity", engine.getKvTokensCapacity())
                .put("tokens_per_second", engine.getCompletionTokensPerSecond())
                .put("requests_total", engine.getRequestsTotal())
                .put("requests_cancelled", engine.getRequestsCancelled())
                .put("requests_rejected", engine.getRequestsRejected())
                .put("prompt_tokens_total", engine.getPromptTokensTotal())
                .put("cached_tokens_total", engine.getCachedTokensTotal())
                .put("completion_tokens_total", engine.getCompletionTokensTotal());
    }

    private static ObjectNode json(History.Point point) {
        boolean any = point.firstTokenMs() >= 0;
        return JsonNodeFactory.instance
                .objectNode()
                .put("at", point.at().toString())
                .put("tokens_per_second", tenths(point.tokensPerSecond()))
                .put("first_token_ms", any ? (Double) tenths(point.firstTokenMs()) : null)
                .put("first_token_ms_p95", any ? (Double) tenths(point.lateFirstTokenMs()) : null)
                .put("running", point.running())
                .put("queued", point.queued());
    }

    private static double tenths(double value) {
        return Math.round(value * 10) / 10.0;
    }
}
