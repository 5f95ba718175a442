package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.answers.Answers;
import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.gateway.limits.Metered;
import dev.chasqui.gateway.nodes.ModelNames;
import dev.chasqui.gateway.nodes.NodeRouter;
import dev.chasqui.gateway.requests.Fields;
import dev.chasqui.gateway.requests.GenerationFields;
import dev.chasqui.gateway.requests.RequestBody;
import dev.chasqui.gateway.requests.SentNames;
import dev.chasqui.gateway.requests.Text;
import dev.chasqui.proto.v1.EmbedInput;
import dev.chasqui.proto.v1.EmbedRequest;
import dev.chasqui.proto.v1.EmbedResponse;
import dev.chasqui.proto.v1.Embedding;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/** {@code POST /v1/embeddings}. */
final class EmbeddingsController {
    private static final int MOST_INPUTS = 2048;
    private static final int MOST_DIMENSIONS = 65_536;
    /** More numbers than this are written beside the event loop. */
    private static final int MANY = 4_096;

    private static final Set<String> FORMATS = Text.ordered("float", "base64");

    private final NodeRouter nodes;
    private final RequestBody bodies;
    private final Answers answers;
    private final ModelNames names;

    EmbeddingsController(NodeRouter nodes, RequestBody bodies, Answers answers, ModelNames names) {
        this.nodes = nodes;
        this.bodies = bodies;
        this.answers = answers;
        this.names = names;
    }

    Mono<Void> create(ServerWebExchange exchange) {
        return bodies.read(exchange.getRequest(), body -> {
            Fields fields = Fields.of(body, "");
            EmbedRequest request = request(fields);
            boolean base64 = "base64".equals(fields.oneOf("encoding_format", FORMATS));
            return names(fields.any("input"))
                    .in(nodes.embed(request))
                    .doOnNext(response -> Metered.of(exchange).used(response.getPromptTokens(), 0, 0))
                    .flatMap(response -> encoded(response, base64))
                    .flatMap(bytes -> Answers.json(exchange.getResponse(), bytes));
        });
    }

    private static SentNames names(@Nullable JsonNode input) {
        boolean several = input != null && input.isArray() && !input.get(0).isNumber();
        String one = several ? "input[]" : "input";
        return SentNames.of("inputs", "input", "inputs[]", one, "inputs[].tokens.ids", one);
    }

    private EmbedRequest request(Fields fields) {
        EmbedRequest.Builder request = EmbedRequest.newBuilder();
        request.setModel(names.resolve(fields.string("model")));
        for (Prompt prompt : Prompt.parse(fields, "input", MOST_INPUTS)) {
            EmbedInput.Builder input = EmbedInput.newBuilder();
            request.addInputs(prompt.text() == null ? input.setTokens(prompt.tokens()) : input.setText(prompt.text()));
        }
        Long dimensions = fields.integer("dimensions", 1, MOST_DIMENSIONS);
        if (dimensions != null) {
            request.setDimensions(dimensions.intValue());
        }
        Double keepAlive = GenerationFields.keepAlive(fields);
        if (keepAlive != null) {
            request.setKeepAliveS(keepAlive);
        }
        return request.setTruncate(fields.isTrue("truncate")).build();
    }

    private Mono<byte[]> encoded(EmbedResponse response, boolean base64) {
        long numbers = response.getEmbeddingsList().stream()
                .mapToLong(Embedding::getValuesCount)
                .sum();
        return numbers <= MANY ? Mono.just(body(response, base64)) : answers.beside(() -> body(response, base64));
    }

    private static byte[] body(EmbedResponse response, boolean base64) {
        JsonBytes out = new JsonBytes(4096).raw("{\"object\":\"list\",\"data\":[");
        for (int i = 0; i < response.getEmbeddingsCount(); i++) {
            out.raw(i == 0 ? "" : ",")
                    .raw("{\"object\":\"embedding\",\"index\":")
                    .number(i);
            out.raw(",\"embedding\":");
            if (base64) {
                out.raw("\"").raw(base64(response.getEmbeddings(i))).raw("\"}");
            } else {
                numbers(out, response.getEmbeddings(i)).raw("}");
            }
        }
        out.raw("],\"model\":").string(response.getModel()).raw(",\"usage\":{\"prompt_tokens\":");
        out.number(response.getPromptTokens()).raw(",\"total_tokens\":").number(response.getPromptTokens());
        return out.raw("}}").toArray();
    }

    private static JsonBytes numbers(JsonBytes out, Embedding embedding) {
        out.raw("[");
        for (int i = 0; i < embedding.getValuesCount(); i++) {
            out.raw(i == 0 ? "" : ",").number(embedding.getValues(i));
        }
        return out.raw("]");
    }

    /** Little-endian floats, as OpenAI's own clients ask for them. */
    private static byte[] base64(Embedding embedding) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * embedding.getValuesCount()).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < embedding.getValuesCount(); i++) {
            bytes.putFloat(embedding.getValues(i));
        }
        return Base64.getEncoder().encode(bytes.array());
    }
}
