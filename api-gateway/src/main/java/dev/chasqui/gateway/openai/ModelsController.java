package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.answers.Answers;
import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.gateway.nodes.ModelNames;
import dev.chasqui.gateway.nodes.NodeRouter;
import dev.chasqui.proto.v1.Model;
import java.time.Instant;
import java.util.List;
import org.springframework.http.server.reactive.ServerHttpResponse;
import reactor.core.publisher.Mono;

/** {@code GET /v1/models} and {@code /v1/models/{id}}. */
final class ModelsController {
    private final NodeRouter nodes;
    private final ModelNames names;

    ModelsController(NodeRouter nodes, ModelNames names) {
        this.nodes = nodes;
        this.names = names;
    }

    /** The models that can answer without being fetched first. */
    Mono<Void> list(ServerHttpResponse response) {
        return nodes.listModels().flatMap(models -> Answers.json(response, list(models.getModelsList())));
    }

    Mono<Void> show(ServerHttpResponse response, String name) {
        return nodes.showModel(names.resolve(name)).flatMap(model -> {
            JsonBytes out = new JsonBytes(256);
            model(out, model);
            return Answers.json(response, out.toArray());
        });
    }

    private static byte[] list(List<Model> models) {
        JsonBytes out = new JsonBytes(1024);
        out.raw("{\"object\":\"list\",\"data\":[");
        boolean first = true;
        for (Model model : models) {
            if (ModelNames.isHere(model)) {
                model(out.raw(first ? "" : ","), model);
                first = false;
            }
        }
        return out.raw("],\"has_more\":false}").toArray();
    }

    /** In OpenAI's words, and in Anthropic's beside them. */
    private static void model(JsonBytes out, Model model) {
        out.raw("{\"id\":").string(model.getName());
        out.raw(",\"object\":\"model\",\"created\":").number(model.getModifiedEpochS());
        out.raw(",\"owned_by\":\"chasqui\",\"type\":\"model\",\"display_name\":")
                .string(model.getName());
        out.raw(",\"created_at\":")
                .string(Instant.ofEpochSecond(model.getModifiedEpochS()).toString())
                .raw("}");
    }
}
