package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.answers.Answers;
import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.gateway.nodes.ModelNames;
import dev.chasqui.gateway.nodes.NodeException;
import dev.chasqui.gateway.nodes.NodeRouter;
import dev.chasqui.gateway.requests.Query;
import dev.chasqui.gateway.requests.RequestBody;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.requests.SentNames;
import dev.chasqui.proto.v1.ChatMessage;
import dev.chasqui.proto.v1.ErrorReason;
import dev.chasqui.proto.v1.GenerationEvent;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/** {@code /v1/responses}: answers that can go on from each other, and be asked for again. */
final class ResponsesController {
    private static final int MOST_STORED = 1_000;
    private static final int MOST_SHOWN = 80;
    private static final SentNames NAMES = SentNames.of(
            "messages", "input",
            "output_format", "text.format",
            "output_format.json_schema", "text.format.schema",
            "tools[].parameters_schema", "tools[].parameters",
            "logprobs.top", "top_logprobs",
            "max_tokens", "max_output_tokens",
            "penalty_last_n", "repeat_last_n");

    private final NodeRouter nodes;
    private final RequestBody bodies;
    private final Answers answers;
    private final ModelNames names;
    private final Clock clock;
    private final Truncation truncation;
    private final ResponseStore stored;

    /** @param mostBytes of all stored responses, about */
    ResponsesController(
            NodeRouter nodes, RequestBody bodies, Answers answers, ModelNames names, Clock clock, long mostBytes) {
        this.nodes = nodes;
        this.bodies = bodies;
        this.answers = answers;
        this.names = names;
        this.clock = clock;
        truncation = new Truncation(nodes);
        stored = new ResponseStore(MOST_STORED, mostBytes);
    }

    Mono<Void> create(ServerWebExchange exchange) {
        return bodies.read(exchange.getRequest(), body -> answer(exchange, request(body)));
    }

    /** How many tokens the prompt of a response would have. */
    Mono<Void> count(ServerWebExchange exchange) {
        return bodies.read(exchange.getRequest(), body -> {
            ResponseRequest request = request(body);
            Response previous = previous(request);
            List<ChatMessage> conversation = conversation(request, previous);
            return NAMES.in(sent(request, conversation, leftOut(request, previous))
                            .flatMap(fitted -> nodes.countTokens(fitted.request())))
                    .flatMap(count -> Answers.json(
                            exchange.getResponse(),
                            new JsonBytes(64)
                                    .raw("{\"object\":\"response.input_tokens\",\"input_tokens\":")
                                    .number(count.getTokens())
                                    .raw("}")
                                    .toArray()));
        });
    }

    private ResponseRequest request(JsonNode body) {
        return ResponseRequest.parse(body, names, stored::item);
    }

    private Mono<Void> answer(ServerWebExchange exchange, ResponseRequest request) {
        Response previous = previous(request);
        List<ChatMessage> conversation = conversation(request, previous);
        Response response = new Response(stored.newId(), clock.instant().getEpochSecond(), request, conversation);
        response.leaveOut(leftOut(request, previous));
        if (request.store()) {
            stored.put(response);
        }
        Flux<GenerationEvent> events = events(response, request);
        if (request.background()) {
            return inTheBackground(exchange, response, events);
        }
        if (request.stream()) {
            return answers.stream(exchange, events, new ResponseEncoder(response));
        }
        return answers.collect(exchange, events.doOnNext(event -> response.add(event, Response.Growth.UNSEEN)), 1)
                .then(Mono.defer(() -> show(exchange, response)));
    }

    /** It goes on whoever listens, so it is nobody's to wait for, and a failure is the response's own. */
    private Mono<Void> inTheBackground(
            ServerWebExchange exchange, Response response, Flux<GenerationEvent> generation) {
        ResponseEvents told = response.events();
        if (told == null) {
            generation.subscribe(event -> response.add(event, Response.Growth.UNSEEN), failure -> {});
            return show(exchange, response);
        }
        ResponseEncoder encoder = new ResponseEncoder(response);
        generation.subscribe(
                event -> response.keep(encoder.encode(event)),
                failure -> {
                    response.keep(encoder.fail(failure));
                    told.end();
                },
                told::end);
        return answers.streamOf(exchange, told.from(0), new ResponseEvents.Repeater());
    }

    /** The node's events, until somebody cancels the response; whatever ends them, the response knows. */
    private Flux<GenerationEvent> events(Response response, ResponseRequest request) {
        return NAMES.in(generation(response, request))
                .takeUntilOther(response.cancelled())
                .concatWith(Mono.defer(() -> response.isCancelled() ? Mono.error(cancelled()) : Mono.empty()))
                .doOnError(response::fail)
                .doOnCancel(response::cancel)
                .doFinally(end -> stored.trim());
    }

    private Flux<GenerationEvent> generation(Response response, ResponseRequest request) {
        return sent(request, response.conversation(), response.leftOut()).flatMapMany(fitted -> {
            response.leaveOut(fitted.leftOut());
            return nodes.chat(fitted.request());
        });
    }

    /** What goes to the model. */
    private Mono<Truncation.Fitted> sent(ResponseRequest request, List<ChatMessage> conversation, int leftOut) {
        return request.truncates()
                ? truncation.fit(conversation, leftOut, request::chat)
                : Mono.just(new Truncation.Fitted(request.chat(conversation), 0));
    }

    private static int leftOut(ResponseRequest request, @Nullable Response previous) {
        return request.truncates() && previous != null ? previous.leftOut() : 0;
    }

    private static NodeException cancelled() {
        return new NodeException(ErrorReason.ERROR_REASON_CANCELLED, "The response was cancelled.", null, null);
    }

    /** What the request goes on from; null: nothing. */
    private @Nullable Response previous(ResponseRequest request) {
        String previous = request.previous();
        if (previous == null) {
            return null;
        }
        Response before = stored.find(previous);
        if (before == null) {
            String shown = previous.length() > MOST_SHOWN ? previous.substring(0, MOST_SHOWN) + "…" : previous;
            throw RequestError.notThere(
                    "previous_response_id",
                    shown + " (expected: a stored response; it may have been forgotten)",
                    "previous_response_not_found");
        }
        if (before.isRunning()) {
            throw RequestError.badValue(
                    "previous_response_id", "a response that is not finished (expected: one that is)");
        }
        return before;
    }

    private static List<ChatMessage> conversation(ResponseRequest request, @Nullable Response previous) {
        if (previous == null) {
            return request.input();
        }
        List<ChatMessage> conversation = new ArrayList<>(previous.conversationAfter());
        conversation.addAll(request.input());
        return conversation;
    }

    /** As it is, or as it was told from an event on. */
    Mono<Void> show(ServerWebExchange exchange, String id) {
        Query query = Query.of(exchange.getRequest());
        boolean stream = query.isTrue("stream");
        Long after = query.integer("starting_after", 0, Integer.MAX_VALUE);
        Response response = stored.get(id);
        if (!stream) {
            return show(exchange, response);
        }
        ResponseEvents told = response.events();
        if (told == null) {
            throw RequestError.badValue(
                    "stream",
                    "true (expected: absent; only a response that was made with background and stream is told again)");
        }
        return answers.streamOf(exchange, told.from(after == null ? 0 : after + 1), new ResponseEvents.Repeater());
    }

    private static Mono<Void> show(ServerWebExchange exchange, Response response) {
        return Answers.json(
                exchange.getResponse(), response.write(new JsonBytes(2048)).toArray());
    }

    /** What a response was made of, a page at a time. */
    Mono<Void> inputItems(ServerWebExchange exchange, String id) {
        Query query = Query.of(exchange.getRequest());
        Long limit = query.integer("limit", 1, ResponseInputItems.MOST);
        String order = query.oneOf("order", ResponseInputItems.ORDERS);
        @Nullable String after = query.string("after");
        ResponseInputItems items = ResponseInputItems.of(stored.get(id));
        return Answers.json(
                exchange.getResponse(),
                items.page(limit == null ? ResponseInputItems.USUAL : limit.intValue(), "asc".equals(order), after));
    }

    /** Ends its generation; one that has ended stays as it is. */
    Mono<Void> cancel(ServerWebExchange exchange, String id) {
        Response response = stored.get(id);
        response.cancel();
        return show(exchange, response);
    }

    Mono<Void> delete(ServerWebExchange exchange, String id) {
        stored.remove(id);
        return Answers.json(
                exchange.getResponse(),
                new JsonBytes(128)
                        .raw("{\"id\":")
                        .string(id)
                        .raw(",\"object\":\"response\",\"deleted\":true}")
                        .toArray());
    }
}
