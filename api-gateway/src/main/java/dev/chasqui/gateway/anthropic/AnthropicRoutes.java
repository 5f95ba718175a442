package dev.chasqui.gateway.anthropic;

import dev.chasqui.gateway.answers.Answers;
import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.gateway.nodes.ModelNames;
import dev.chasqui.gateway.nodes.NodeRouter;
import dev.chasqui.gateway.requests.Dialect;
import dev.chasqui.gateway.requests.RequestBody;
import dev.chasqui.gateway.requests.Routes;
import dev.chasqui.gateway.requests.SentNames;
import dev.chasqui.proto.v1.GenerationEvent;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Anthropic's dialect: {@code /v1/messages} and what is below it, and {@code /v1/models} for those who name their version
 * of the dialect, as Anthropic's clients do. OpenAI's dialect answers the others there.
 */
public final class AnthropicRoutes implements Dialect {
    private static final String MESSAGES = "/v1/messages";
    private static final String MODELS = "/v1/models";
    private static final String VERSION_HEADER = "anthropic-version";

    private static final SentNames NAMES = SentNames.of(
            "messages[]", "messages", // results of tools are messages of their own on the wire
            "output_format", "output_config.format",
            "output_format.json_schema", "output_config.format.schema",
            "tools[].parameters_schema", "tools[].input_schema",
            "stop", "stop_sequences",
            "penalty_last_n", "repeat_last_n");

    private final NodeRouter nodes;
    private final RequestBody bodies;
    private final Answers answers;
    private final ModelNames names;
    private final Routes routes = new Routes();

    public AnthropicRoutes(NodeRouter nodes, RequestBody bodies, Answers answers, ModelNames names) {
        this.nodes = nodes;
        this.bodies = bodies;
        this.answers = answers;
        this.names = names;
        ModelsController models = new ModelsController(nodes, names);
        add(HttpMethod.POST, MESSAGES, (exchange, name) -> create(exchange));
        add(HttpMethod.POST, MESSAGES + "/count_tokens", (exchange, name) -> count(exchange));
        add(HttpMethod.GET, MODELS, (exchange, name) -> models.list(exchange));
        add(HttpMethod.GET, MODELS + "/{id}", models::show);
    }

    private void add(HttpMethod method, String path, Routes.Handler handler) {
        routes.add(method, path, (exchange, name) -> {
            requestId(exchange.getResponse().getHeaders());
            return handler.answer(exchange, name);
        });
    }

    @Override
    public Routes routes() {
        return routes;
    }

    @Override
    public boolean owns(String path) {
        return isOrBelow(MESSAGES, path);
    }

    @Override
    public boolean owns(ServerHttpRequest request) {
        String path = request.getPath().value();
        return owns(path) || isOrBelow(MODELS, path) && request.getHeaders().containsHeader(VERSION_HEADER);
    }

    private static boolean isOrBelow(String parent, String path) {
        return path.equals(parent) || path.startsWith(parent + "/");
    }

    @Override
    public Mono<Void> fail(ServerWebExchange exchange, RuntimeException failure) {
        ServerHttpResponse response = exchange.getResponse();
        AnthropicError error = AnthropicError.of(failure);
        Answers.failed(response, error.status(), error.retryAfter());
        if (error.retryAfter() == null && error.status() >= 500) {
            // Anthropic's clients repeat a failed request unless they are told not to.
            response.getHeaders().set("x-should-retry", "false");
        }
        return Answers.json(response, error.body(requestId(response.getHeaders())));
    }

    private Mono<Void> create(ServerWebExchange exchange) {
        return bodies.read(exchange.getRequest(), body -> answer(exchange, MessagesRequest.parse(body, names)));
    }

    private Mono<Void> answer(ServerWebExchange exchange, MessagesRequest request) {
        Flux<GenerationEvent> events = NAMES.in(nodes.chat(request.chat()));
        String id = Answers.id("msg_");
        String requestId = requestId(exchange.getResponse().getHeaders());
        String asked = exchange.getRequest().getHeaders().getFirst("x-stream");
        return request.stream() || "true".equalsIgnoreCase(asked)
                ? answers.stream(exchange, events, new MessageEncoder(id, requestId))
                : answers.whole(exchange, events, 1, answer -> MessageBody.encode(id, answer));
    }

    private Mono<Void> count(ServerWebExchange exchange) {
        return bodies.read(
                exchange.getRequest(),
                body -> NAMES.in(nodes.countTokens(
                                MessagesRequest.parse(body, names).chat()))
                        .flatMap(count -> Answers.json(
                                exchange.getResponse(),
                                new JsonBytes(32)
                                        .raw("{\"input_tokens\":")
                                        .number(count.getTokens())
                                        .raw("}")
                                        .toArray())));
    }

    /** The edge's name for the request, also where Anthropic's clients look for it. */
    private static String requestId(HttpHeaders headers) {
        String id = headers.getFirst("x-request-id");
        headers.set("request-id", id == null ? "" : id);
        return id == null ? "" : id;
    }
}
