package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.answers.Answers;
import dev.chasqui.gateway.nodes.NodeException;
import dev.chasqui.gateway.nodes.NodeRouter;
import dev.chasqui.gateway.requests.Fields;
import dev.chasqui.gateway.requests.GenerationFields;
import dev.chasqui.gateway.requests.RequestBody;
import dev.chasqui.proto.v1.ErrorReason;
import dev.chasqui.proto.v1.Heat;
import dev.chasqui.proto.v1.LoadModelRequest;
import dev.chasqui.proto.v1.Model;
import dev.chasqui.proto.v1.ModelProgress;
import dev.chasqui.proto.v1.ModelState;
import dev.chasqui.proto.v1.PullModelRequest;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Locale;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** {@code /api/models}: what models there are, fetching and removing them, and bringing them into memory. */
final class ModelsController {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final String DEFAULT = "default";

    private final NodeRouter nodes;
    private final RequestBody bodies;
    private final Answers answers;

    ModelsController(NodeRouter nodes, RequestBody bodies, Answers answers) {
        this.nodes = nodes;
        this.bodies = bodies;
        this.answers = answers;
    }

    Mono<Void> list(ServerWebExchange exchange) {
        return nodes.listModels().flatMap(models -> {
            ObjectNode data = JSON.objectNode();
            ArrayNode list = data.putArray("models");
            models.getModelsList().forEach(model -> list.add(model(model)));
            return success(exchange, data);
        });
    }

    Mono<Void> show(ServerWebExchange exchange, String name) {
        return nodes.showModel(asked(name)).flatMap(model -> success(exchange, model(model)));
    }

    /** Fetches it; a client that takes events is told how far it is, another is answered when it is there. */
    Mono<Void> pull(ServerWebExchange exchange, String name) {
        return bodies.readIfAny(exchange.getRequest(), body -> {
            Fields fields = Fields.of(body, "");
            PullModelRequest request = PullModelRequest.newBuilder()
                    .setName(name)
                    .setForce(fields.isTrue("force"))
                    .build();
            Flux<ModelProgress> progress = nodes.pullModel(request);
            return progress(exchange, name, progress);
        });
    }

    /** Brings it into memory, fetching it first where it has to; told like {@link #pull}. */
    Mono<Void> load(ServerWebExchange exchange, String name) {
        return bodies.readIfAny(exchange.getRequest(), body -> {
            LoadModelRequest.Builder request = LoadModelRequest.newBuilder().setName(asked(name));
            Double keepAlive = GenerationFields.keepAlive(Fields.of(body, ""));
            if (keepAlive != null) {
                request.setKeepAliveS(keepAlive);
            }
            return progress(exchange, name, nodes.loadModel(request.build()));
        });
    }

    Mono<Void> unload(ServerWebExchange exchange, String name) {
        return nodes.unloadModel(asked(name))
                .then(Mono.defer(() -> show(exchange, name)
                        // Where its file has gone meanwhile there is nothing more to tell of it.
                        .onErrorResume(
                                failure -> failure instanceof NodeException known
                                        && known.reason() == ErrorReason.ERROR_REASON_MODEL_NOT_FOUND,
                                failure -> success(
                                        exchange,
                                        JSON.objectNode()
                                                .put("name", name)
                                                .put("state", "absent")
                                                .put("is_default", name.equals(DEFAULT))))));
    }

    /** Ends a download, whoever began it. */
    Mono<Void> cancel(ServerWebExchange exchange, String name) {
        return nodes.cancelPull(asked(name))
                .flatMap(done ->
                        success(exchange, JSON.objectNode().put("name", name).put("cancelled", true)));
    }

    private Mono<Void> progress(ServerWebExchange exchange, String name, Flux<ModelProgress> progress) {
        return ChatController.accepts(exchange.getRequest())
                ? answers.streamOf(exchange, events(progress, name), new JsonEventEncoder())
                : progress.then(Mono.defer(() -> show(exchange, name)));
    }

    private static String asked(String name) {
        return name.equals(DEFAULT) ? "" : name;
    }

    private Flux<ObjectNode> events(Flux<ModelProgress> progress, String name) {
        return progress.map(ModelsController::event)
                .concatWith(Mono.defer(() -> nodes.showModel(asked(name))).map(model -> {
                    ObjectNode done = JSON.objectNode().put("type", "done");
                    done.set("model", model(model));
                    return done;
                }));
    }

    private static ObjectNode event(ModelProgress progress) {
        ObjectNode event = JSON.objectNode().put("type", "progress").put("model", progress.getModel());
        event.put("state", word(progress.getState())).put("progress", progress.getProgress());
        event.put("bytes_done", progress.getBytesDone()).put("bytes_total", progress.getBytesTotal());
        event.put("bytes_per_second", progress.getBytesPerSecond());
        return event.put("source", progress.getSource());
    }

    Mono<Void> delete(ServerWebExchange exchange, String name) {
        return nodes.deleteModel(name)
                .flatMap(done ->
                        success(exchange, JSON.objectNode().put("name", name).put("deleted", true)));
    }

    private static Mono<Void> success(ServerWebExchange exchange, ObjectNode data) {
        ObjectNode body = JSON.objectNode().put("success", true);
        body.set("data", data);
        exchange.getResponse().getHeaders().set("cache-control", "no-store");
        return Answers.json(exchange.getResponse(), body.toString().getBytes(StandardCharsets.UTF_8));
    }

    /** Of what it is doing; whoever is ready has done it. */
    static double progress(Model model) {
        return model.getState() == ModelState.MODEL_STATE_READY ? 1 : model.getProgress();
    }

    static String word(ModelState state) {
        return state.name().replace("MODEL_STATE_", "").toLowerCase(Locale.ROOT);
    }

    private static String heat(Heat heat) {
        return switch (heat) {
            case HEAT_HOT -> "hot";
            case HEAT_WARM -> "warm";
            case HEAT_COLD, HEAT_UNSPECIFIED, UNRECOGNIZED -> "cold";
        };
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
        out.put("state", word(model.getState()));
        out.put("heat", heat(model.getHeat()));
        out.put("progress", progress(model));
        out.put("bytes_done", model.getBytesDone());
        out.put("bytes_per_second", model.getBytesPerSecond());
        out.put("is_default", model.getIsDefault());
        out.put("reason", model.getReason());
        out.put("file_name", model.getFileName());
        out.put("sha256", model.getSha256());
        out.put("checked", model.getChecked());
        out.put("licence", model.getLicence());
        out.put("architecture", model.getArchitecture());
        out.put("quantization", model.getQuantization());
        out.put("parameters", model.getParameters());
        out.put("context_tokens", model.getContextTokens());
        out.put("trained_context_tokens", model.getTrainedContextTokens());
        out.put("memory_bytes", model.getMemoryBytes());
        out.put("slow_with_many", model.getSlowWithMany());
        out.put("keep_alive", model.getKeepAliveS());
        if (model.getExpiresEpochS() > 0) {
            out.put(
                    "expires_at",
                    Instant.ofEpochSecond(model.getExpiresEpochS()).toString());
        } else {
            out.putNull("expires_at");
        }
        out.put("embedding_dimensions", model.getEmbeddingDimensions());
        ArrayNode adapters = out.putArray("lora");
        model.getAdaptersList()
                .forEach(adapter ->
                        adapters.addObject().put("name", adapter.getName()).put("scale", adapter.getScale()));
        out.putObject("capabilities")
                .put("tools", model.getCapabilities().getTools())
                .put("reasoning", model.getCapabilities().getReasoning())
                .put("system_role", model.getCapabilities().getSystemRole())
                .put("generates", model.getGenerates())
                .put("reranks", model.getReranks());
        return out;
    }
}
