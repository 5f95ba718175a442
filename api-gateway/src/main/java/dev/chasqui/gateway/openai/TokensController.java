package dev.chasqui.gateway.openai;

import com.google.protobuf.ByteString;
import dev.chasqui.gateway.answers.Answers;
import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.gateway.nodes.ModelNames;
import dev.chasqui.gateway.nodes.NodeRouter;
import dev.chasqui.gateway.requests.Fields;
import dev.chasqui.gateway.requests.RequestBody;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.requests.SentNames;
import dev.chasqui.gateway.requests.Text;
import dev.chasqui.proto.v1.DetokenizeRequest;
import dev.chasqui.proto.v1.TokenizeRequest;
import dev.chasqui.proto.v1.TokenizeResponse;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/**
 * {@code POST /tokenize} and {@code /detokenize}, in the words of llama.cpp's server ({@code content}) and of vLLM's
 * ({@code prompt}).
 */
final class TokensController {
    private static final int MOST_TOKENS = 10_000_000;

    private final NodeRouter nodes;
    private final RequestBody bodies;
    private final ModelNames names;

    TokensController(NodeRouter nodes, RequestBody bodies, ModelNames names) {
        this.nodes = nodes;
        this.bodies = bodies;
        this.names = names;
    }

    Mono<Void> tokenize(ServerWebExchange exchange) {
        return bodies.read(exchange.getRequest(), body -> {
            Fields fields = Fields.of(body, "");
            boolean pieces = fields.isTrue("with_pieces");
            SentNames sent = SentNames.of("text", fields.any("content") == null ? "prompt" : "content");
            return sent.in(nodes.tokenize(request(fields)))
                    .flatMap(response -> Answers.json(exchange.getResponse(), body(response, pieces)));
        });
    }

    private TokenizeRequest request(Fields fields) {
        String content = fields.any("content") == null ? null : text(fields, "content");
        Boolean ours = fields.bool("add_special");
        Boolean theirs = fields.bool("add_special_tokens");
        Boolean special = content == null ? theirs : ours;
        Boolean parse = fields.bool("parse_special");
        return TokenizeRequest.newBuilder()
                .setModel(names.resolve(fields.string("model")))
                .setText(content == null ? text(fields, "prompt") : content)
                .setAddSpecial(special == null ? content == null : special)
                .setParseSpecial(parse == null || parse)
                .build();
    }

    private static String text(Fields fields, String name) {
        JsonNode value = fields.any(name);
        if (value == null || !value.isString()) {
            throw RequestError.badValue(
                    value == null ? "content" : name,
                    (value == null ? "absent" : Fields.kind(value)) + " (expected: a string)");
        }
        return Text.whole(value.stringValue());
    }

    private static byte[] body(TokenizeResponse response, boolean pieces) {
        JsonBytes out = new JsonBytes(64 + 8 * response.getTokensCount()).raw("{\"tokens\":[");
        for (int i = 0; i < response.getTokensCount(); i++) {
            out.raw(i == 0 ? "" : ",");
            if (pieces) {
                piece(out, response.getTokens(i), response.getPieces(i));
            } else {
                out.number(response.getTokens(i));
            }
        }
        return out.raw("],\"count\":")
                .number(response.getTokensCount())
                .raw("}")
                .toArray();
    }

    /** Bytes that are no text come as numbers. */
    private static void piece(JsonBytes out, int token, ByteString piece) {
        out.raw("{\"id\":").number(token).raw(",\"piece\":");
        if (piece.isValidUtf8()) {
            out.string(piece.toStringUtf8()).raw("}");
            return;
        }
        for (int i = 0; i < piece.size(); i++) {
            out.raw(i == 0 ? "[" : ",").number(piece.byteAt(i) & 0xff);
        }
        out.raw("]}");
    }

    Mono<Void> detokenize(ServerWebExchange exchange) {
        return bodies.read(exchange.getRequest(), body -> {
            Fields fields = Fields.of(body, "");
            JsonNode tokens = fields.any("tokens");
            if (tokens == null || !tokens.isArray()) {
                throw fields.bad("tokens", tokens, "an array of tokens");
            }
            fields.array("tokens", MOST_TOKENS);
            DetokenizeRequest request = DetokenizeRequest.newBuilder()
                    .setModel(names.resolve(fields.string("model")))
                    .addAllTokens(Prompt.tokens("tokens", tokens).getIdsList())
                    .build();
            return nodes.detokenize(request).flatMap(response -> {
                JsonBytes out = new JsonBytes(256).raw("{\"content\":").string(response.getText());
                out.raw(",\"prompt\":").string(response.getText()).raw("}");
                return Answers.json(exchange.getResponse(), out.toArray());
            });
        });
    }
}
