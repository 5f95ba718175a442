package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.answers.Answers;
import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.gateway.limits.Metered;
import dev.chasqui.gateway.nodes.ModelNames;
import dev.chasqui.gateway.nodes.NodeRouter;
import dev.chasqui.gateway.requests.Fields;
import dev.chasqui.gateway.requests.GenerationFields;
import dev.chasqui.gateway.requests.RequestBody;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.requests.Text;
import dev.chasqui.proto.v1.RankedDocument;
import dev.chasqui.proto.v1.RerankRequest;
import dev.chasqui.proto.v1.RerankResponse;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/** {@code POST /v1/rerank}, in the words that Cohere's, Jina's and vLLM's clients share. */
final class RerankController {
    private static final int MOST_DOCUMENTS = 1024;

    private final NodeRouter nodes;
    private final RequestBody bodies;
    private final ModelNames names;

    RerankController(NodeRouter nodes, RequestBody bodies, ModelNames names) {
        this.nodes = nodes;
        this.bodies = bodies;
        this.names = names;
    }

    Mono<Void> create(ServerWebExchange exchange) {
        return bodies.read(exchange.getRequest(), body -> {
            Fields fields = Fields.of(body, "");
            RerankRequest request = request(fields);
            boolean withDocuments = fields.isTrue("return_documents");
            return nodes.rerank(request)
                    .doOnNext(response -> Metered.of(exchange).used(response.getPromptTokens(), 0, 0))
                    .flatMap(response -> Answers.json(exchange.getResponse(), body(request, response, withDocuments)));
        });
    }

    private RerankRequest request(Fields fields) {
        RerankRequest.Builder request = RerankRequest.newBuilder();
        request.setModel(names.resolve(fields.string("model")));
        request.setQuery(text("query", fields.any("query"), "a string"));
        List<JsonNode> documents = fields.array("documents", MOST_DOCUMENTS);
        if (documents.isEmpty()) {
            throw fields.bad("documents", fields.any("documents"), "an array of at least one document");
        }
        for (int i = 0; i < documents.size(); i++) {
            JsonNode document = documents.get(i);
            request.addDocuments(text(
                    "documents[" + i + "]",
                    document.isObject() ? document.get("text") : document,
                    "a string, or an object with a text"));
        }
        Long most = fields.integer("top_n", 1, Integer.MAX_VALUE);
        if (most != null) {
            request.setTopN(most.intValue());
        }
        Double keepAlive = GenerationFields.keepAlive(fields);
        if (keepAlive != null) {
            request.setKeepAliveS(keepAlive);
        }
        return request.setTruncate(fields.isTrue("truncate")).build();
    }

    private static String text(String path, @Nullable JsonNode value, String expected) {
        if (value == null || !value.isString()) {
            throw RequestError.badValue(
                    path, (value == null ? "absent" : Fields.kind(value)) + " (expected: " + expected + ")");
        }
        return Text.whole(value.stringValue());
    }

    private static byte[] body(RerankRequest request, RerankResponse response, boolean withDocuments) {
        JsonBytes out = new JsonBytes(1024).raw("{\"id\":").string(Answers.id("rerank-"));
        out.raw(",\"object\":\"list\",\"model\":").string(response.getModel()).raw(",\"results\":[");
        for (int i = 0; i < response.getResultsCount(); i++) {
            RankedDocument result = response.getResults(i);
            out.raw(i == 0 ? "" : ",").raw("{\"index\":").number(result.getIndex());
            out.raw(",\"relevance_score\":").number(result.getScore());
            if (withDocuments) {
                out.raw(",\"document\":{\"text\":")
                        .string(request.getDocuments(result.getIndex()))
                        .raw("}");
            }
            out.raw("}");
        }
        out.raw("],\"usage\":{\"prompt_tokens\":").number(response.getPromptTokens());
        return out.raw(",\"total_tokens\":")
                .number(response.getPromptTokens())
                .raw("}}")
                .toArray();
    }
}
