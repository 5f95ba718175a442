package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.accounts.Principal;
import dev.chasqui.gateway.accounts.Scope;
import dev.chasqui.gateway.answers.Answers;
import dev.chasqui.gateway.nodes.ModelNames;
import dev.chasqui.gateway.nodes.NodeRouter;
import dev.chasqui.gateway.requests.ChatFields;
import dev.chasqui.gateway.requests.Fields;
import dev.chasqui.gateway.requests.RequestBody;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.GenerationEvent;
import java.util.List;
import java.util.Locale;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * {@code POST /api/chat} and {@code /api/chat/stream}. A body has {@code messages}, and all that OpenAI's chat knows, or
 * one {@code message}, which is a text and belongs to a stored conversation.
 */
final class ChatController {
    private final NodeRouter nodes;
    private final RequestBody bodies;
    private final Answers answers;
    private final ModelNames names;
    private final DialogueController dialogues;

    ChatController(
            NodeRouter nodes, RequestBody bodies, Answers answers, ModelNames names, DialogueController dialogues) {
        this.nodes = nodes;
        this.bodies = bodies;
        this.answers = answers;
        this.names = names;
        this.dialogues = dialogues;
    }

    /** In one piece, unless the request asks for a stream in one of the ways that it can. */
    Mono<Void> chat(ServerWebExchange exchange) {
        return bodies.read(exchange.getRequest(), body -> {
            Fields fields = Fields.of(body, "");
            Boolean stream = fields.bool("stream");
            boolean asked = accepts(exchange.getRequest()) || fields.any("message") != null;
            return answer(exchange, body, fields, stream == null ? asked : stream);
        });
    }

    Mono<Void> stream(ServerWebExchange exchange) {
        return bodies.read(exchange.getRequest(), body -> {
            Fields fields = Fields.of(body, "");
            if (Boolean.FALSE.equals(fields.bool("stream"))) {
                throw fields.bad("stream", fields.any("stream"), "true; /api/chat answers in one piece");
            }
            return answer(exchange, body, fields, true);
        });
    }

    /** A message belongs to a conversation that is stored, unless the request says that it shall not be. */
    private Mono<Void> answer(ServerWebExchange exchange, JsonNode body, Fields fields, boolean stream) {
        JsonNode message = fields.any("message");
        boolean stored = !Boolean.FALSE.equals(fields.bool("store"));
        if (message != null && fields.any("messages") != null) {
            throw RequestError.badValue("message", "given with messages (expected: one of them)");
        }
        if (fields.any("conversation_id") != null && (message == null || !stored)) {
            throw fields.bad(
                    "conversation_id",
                    fields.any("conversation_id"),
                    message == null ? "absent, or message instead of messages" : "absent where store is false");
        }
        ChatRequest request = request(body, fields);
        if (message == null || !stored) {
            return answer(exchange, request, stream);
        }
        if (request.getToolsCount() > 0 || request.hasLogprobs()) {
            throw RequestError.badValue(
                    request.hasLogprobs() ? "logprobs" : "tools",
                    "given with message (expected: absent, or messages; stored answers are texts)");
        }
        if (!Principal.of(exchange).has(Scope.CONVERSATIONS)) {
            throw RequestError.http(
                    403,
                    "message: kept in a conversation, for which the scope conversations is missing (expected: store false,"
                            + " or messages).",
                    "insufficient_scope",
                    null);
        }
        return dialogues.chat(exchange, body, stream);
    }

    private Mono<Void> answer(ServerWebExchange exchange, ChatRequest request, boolean stream) {
        Flux<GenerationEvent> events = ChatFields.NAMES.in(nodes.chat(request));
        return stream
                ? answers.stream(exchange, events, new ChatEncoder())
                : answers.whole(exchange, events, 1, ChatBody::encode);
    }

    private ChatRequest request(JsonNode body, Fields fields) {
        JsonNode message = fields.any("message");
        if (message != null && !message.isString()) {
            throw RequestError.badValue("message", Fields.kind(message) + " (expected: a string)");
        }
        ChatRequest chat = ChatFields.parse(message == null ? fields : spelledOut((ObjectNode) body, message), names);
        if (chat.getChoices() > 1) {
            throw RequestError.badValue("n", chat.getChoices() + " (expected: 1)");
        }
        return chat;
    }

    /** A text is a conversation of one message. */
    private static Fields spelledOut(ObjectNode body, JsonNode message) {
        ArrayNode messages = JsonNodeFactory.instance.arrayNode();
        messages.addObject().put("role", "user").set("content", message);
        return Fields.of(body.set("messages", messages), "");
    }

    /** Whether a client takes server-sent events. */
    static boolean accepts(ServerHttpRequest request) {
        List<String> accepted = request.getHeaders().getOrEmpty("accept");
        return accepted.stream()
                .anyMatch(value -> value.toLowerCase(Locale.ROOT).contains("text/event-stream"));
    }
}
