package dev.chasqui.gateway.anthropic;

import dev.chasqui.gateway.answers.Answers;
import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.gateway.nodes.ModelNames;
import dev.chasqui.gateway.nodes.NodeRouter;
import dev.chasqui.gateway.requests.Query;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.proto.v1.Model;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/** {@code GET /v1/models} and {@code /v1/models/{id}} for Anthropic's clients. */
final class ModelsController {
    private static final int USUAL = 20;
    private static final int MOST = 1000;

    private final NodeRouter nodes;
    private final ModelNames names;

    ModelsController(NodeRouter nodes, ModelNames names) {
        this.nodes = nodes;
        this.names = names;
    }

    /** The models that can answer without being fetched first, a page at a time. */
    Mono<Void> list(ServerWebExchange exchange) {
        Query query = Query.of(exchange.getRequest());
        Long limit = query.integer("limit", 1, MOST);
        int most = limit == null ? USUAL : limit.intValue();
        @Nullable String after = query.string("after_id");
        @Nullable String before = query.string("before_id");
        return nodes.listModels().flatMap(response -> {
            List<Model> models =
                    response.getModelsList().stream().filter(ModelNames::isHere).toList();
            return Answers.json(exchange.getResponse(), page(models, most, after, before));
        });
    }

    /** Backwards from {@code before}, or else forwards from {@code after} or from the first. */
    private static byte[] page(List<Model> models, int most, @Nullable String after, @Nullable String before) {
        if (before != null) {
            int end = place(models, "before_id", before);
            int from = Math.max(0, end - most);
            return list(models.subList(from, end), from > 0);
        }
        int from = after == null ? 0 : place(models, "after_id", after) + 1;
        int end = Math.min(models.size(), from + most);
        return list(models.subList(from, end), end < models.size());
    }

    private static int place(List<Model> models, String parameter, String name) {
        for (int i = 0; i < models.size(); i++) {
            if (models.get(i).getName().equals(name)) {
                return i;
            }
        }
        throw RequestError.badValue(parameter, "an unknown name (expected: the id of a model in the list)");
    }

    private static byte[] list(List<Model> models, boolean more) {
        JsonBytes out = new JsonBytes(1024).raw("{\"data\":[");
        for (int i = 0; i < models.size(); i++) {
            model(out.raw(i == 0 ? "" : ","), models.get(i));
        }
        out.raw("],\"has_more\":").raw(more ? "true" : "false");
        id(out.raw(",\"first_id\":"), models.isEmpty() ? null : models.get(0));
        id(out.raw(",\"last_id\":"), models.isEmpty() ? null : models.get(models.size() - 1));
        return out.raw("}").toArray();
    }

    private static void id(JsonBytes out, @Nullable Model model) {
        if (model == null) {
            out.raw("null");
        } else {
            out.string(model.getName());
        }
    }

    Mono<Void> show(ServerWebExchange exchange, String name) {
        return nodes.showModel(names.resolve(name)).flatMap(model -> {
            JsonBytes out = new JsonBytes(256);
            model(out, model);
            return Answers.json(exchange.getResponse(), out.toArray());
        });
    }

    private static void model(JsonBytes out, Model model) {
        out.raw("{\"type\":\"model\",\"id\":").string(model.getName());
        out.raw(",\"display_name\":").string(model.getName());
        out.raw(",\"created_at\":")
                .string(Instant.ofEpochSecond(model.getModifiedEpochS()).toString());
        int context = model.getContextTokens() > 0 ? model.getContextTokens() : model.getTrainedContextTokens();
        tokens(out.raw(",\"max_input_tokens\":"), context);
        tokens(out.raw(",\"max_tokens\":"), context);
        out.raw(",\"lifecycle\":\"active\",\"deprecated_at\":null,\"retires_at\":null,\"line\":null");
        out.raw(",\"capabilities\":null}");
    }

    private static void tokens(JsonBytes out, int tokens) {
        if (tokens > 0) {
            out.number(tokens);
        } else {
            out.raw("null");
        }
    }
}
