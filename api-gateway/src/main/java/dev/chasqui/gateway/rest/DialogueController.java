package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.accounts.Principal;
import dev.chasqui.gateway.answers.Answers;
import dev.chasqui.gateway.conversations.AnswerStep;
import dev.chasqui.gateway.conversations.Conversation;
import dev.chasqui.gateway.conversations.ConversationJson;
import dev.chasqui.gateway.conversations.Dialogue;
import dev.chasqui.gateway.conversations.Exchange;
import dev.chasqui.gateway.conversations.Message;
import dev.chasqui.gateway.limits.Metered;
import dev.chasqui.gateway.requests.Fields;
import dev.chasqui.gateway.requests.RequestBody;
import java.util.function.BiFunction;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Questions and answers of stored conversations. Where a client takes a stream the answer comes as one; else the answer's
 * begin is told, and it is made all the same.
 */
final class DialogueController {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private final Dialogue dialogue;
    private final RequestBody bodies;
    private final Answers answers;
    private final ConversationFields conversationFields;

    DialogueController(Dialogue dialogue, RequestBody bodies, Answers answers, ConversationFields conversationFields) {
        this.dialogue = dialogue;
        this.bodies = bodies;
        this.answers = answers;
        this.conversationFields = conversationFields;
    }

    Mono<Void> ask(ServerWebExchange exchange, String id) {
        return bodies.read(
                exchange.getRequest(),
                body -> answer(
                        exchange,
                        id,
                        body,
                        (asked, fields) -> dialogue.ask(
                                asked, fields.string("parent_id"), ConversationFields.content(fields, "content"))));
    }

    Mono<Void> edit(ServerWebExchange exchange, String id) {
        return bodies.read(
                exchange.getRequest(),
                body -> answer(
                        exchange,
                        id,
                        body,
                        (asked, fields) -> dialogue.edit(
                                asked,
                                fields.requiredString("message_id"),
                                ConversationFields.content(fields, "content"))));
    }

    Mono<Void> regenerate(ServerWebExchange exchange, String id) {
        return bodies.readIfAny(
                exchange.getRequest(),
                body -> answer(
                        exchange,
                        id,
                        body,
                        (asked, fields) -> dialogue.regenerate(asked, fields.string("message_id"))));
    }

    Mono<Void> goOn(ServerWebExchange exchange, String id) {
        return bodies.readIfAny(
                exchange.getRequest(),
                body -> answer(
                        exchange, id, body, (asked, fields) -> dialogue.goOn(asked, fields.string("message_id"))));
    }

    Mono<Void> stop(ServerWebExchange exchange, String id) {
        return dialogue.stop(Principal.of(exchange).userId(), id).flatMap(stopped -> {
            ObjectNode data = JSON.objectNode();
            var messages = data.putArray("stopped");
            stopped.forEach(message -> messages.add(ConversationJson.of(message)));
            return Success.write(exchange, data);
        });
    }

    /** {@code POST /api/chat} with a message: in a conversation, or at the begin of one. */
    Mono<Void> chat(ServerWebExchange exchange, JsonNode body, boolean stream) {
        Fields fields = Fields.of(body, "");
        String text = ConversationFields.content(fields, "message");
        String id = fields.string("conversation_id");
        Dialogue.Asked asked = asked(exchange, id == null ? "" : id, body);
        Mono<Exchange> begun;
        if (id == null) {
            String model = fields.string("model");
            Conversation.Draft blank = ConversationFields.blank();
            begun = dialogue.begin(
                    asked,
                    new Conversation.Draft("", blank.titleBy(), model == null ? "" : model, "", blank.settings()),
                    text);
        } else {
            begun = dialogue.ask(asked, null, text);
        }
        return begun.map(one -> running(exchange, one))
                .flatMap(one -> stream ? streamed(exchange, one) : whole(exchange, one));
    }

    private Dialogue.Asked asked(ServerWebExchange exchange, String id, JsonNode body) {
        return new Dialogue.Asked(
                Principal.of(exchange).userId(),
                id,
                conversation -> conversationFields.template(conversation, body),
                Metered.of(exchange));
    }

    /** An answer that runs is counted until it ends, which may be after the request. */
    private static Exchange running(ServerWebExchange exchange, Exchange begun) {
        if (begun.answer().status() == Message.Status.RUNNING) {
            Metered.release(exchange);
        }
        return begun;
    }

    private Mono<Void> answer(
            ServerWebExchange exchange,
            String id,
            JsonNode body,
            BiFunction<Dialogue.Asked, Fields, Mono<Exchange>> what) {
        Fields fields = Fields.of(body, "");
        Boolean wanted = fields.bool("stream");
        boolean stream = wanted == null ? ChatController.accepts(exchange.getRequest()) : wanted;
        return what.apply(asked(exchange, id, body), fields)
                .map(begun -> running(exchange, begun))
                .flatMap(begun -> stream ? streamed(exchange, begun) : told(exchange, begun));
    }

    private Mono<Void> streamed(ServerWebExchange exchange, Exchange begun) {
        return answers.streamOf(exchange, begun.steps(), new AnswerEncoding(begun));
    }

    /** What was stored; the answer goes on. */
    private static Mono<Void> told(ServerWebExchange exchange, Exchange begun) {
        // Nobody reads these steps.
        begun.steps().subscribe().dispose();
        ObjectNode data = JSON.objectNode();
        data.set("conversation", ConversationJson.of(begun.conversation()));
        Message question = begun.question();
        data.set("question", question == null ? JSON.nullNode() : ConversationJson.of(question));
        data.set("answer", ConversationJson.of(begun.answer()));
        return Success.write(exchange, data);
    }

    private static Mono<Void> whole(ServerWebExchange exchange, Exchange begun) {
        return begun.steps()
                .ofType(AnswerStep.Ended.class)
                .last()
                .flatMap(ended -> ended.failure() == null
                        ? Success.write(exchange, AnswerEncoding.whole(begun, ended.answer()))
                        : Mono.error(ended.failure()));
    }
}
