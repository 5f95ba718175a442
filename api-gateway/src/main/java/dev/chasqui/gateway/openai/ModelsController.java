package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.nodes.ModelNames;
import dev.chasqui.gateway.nodes.NodeRouter;
import dev.chasqui.proto.v1.Model;
import dev.chasqui.proto.v1.ModelState;
import java.util.List;
import org.springframework.http.server.reactive.ServerHttpResponse;
import reactor.core.publisher.Mono;

/** {@code GET /v1/models} and {@code /v1/models/{id}}. */
final class ModelsController {
    private final NodeRouter nodes;

    ModelsController(NodeRouter nodes) {
        this.nodes = nodes;
    }

    /** The models that can answer without being fetched first. */
    Mono<Void> list(ServerHttpResponse response) {
        return nodes.listModels().flatMap(models -> OpenAiRoutes.json(response, list(models.getModelsList())));
    }

    Mono<Void> show(String name, ServerHttpResponse response) {
        return nodes.showModel(ModelNames.resolve(name)).flatMap(model -> {
            JsonBytes out = new JsonBytes(256);
            model(out, model);
            return OpenAiRoutes.json(response, out.toArray());
        });
    }

    private static byte[] list(List<Model> models) {
        JsonBytes out = new JsonBytes(1024);
        out.raw("{\"object\":\"list\",\"data\":[");
        boolean first = true;
        for (Model model : models) {
            if (model.getState() != ModelState.MODEL_STATE_ABSENT) {
                model(out.raw(first ? "" : ","), model);
                first = false;
            }
        }
        return out.raw("]}").toArray();
    }

    private static void model(JsonBytes out, Model model) {
        out.raw("{\"id\":").string(model.getName());
        out.raw(",\"object\":\"model\",\"created\":").number(model.getModifiedEpochS());
        out.raw(",\"owned_by\":\"chasqui\"}");
    }
}
