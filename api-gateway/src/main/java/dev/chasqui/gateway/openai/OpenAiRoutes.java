package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.nodes.EventLoop;
import dev.chasqui.gateway.nodes.NodeException;
import dev.chasqui.gateway.nodes.NodeRouter;
import java.time.Clock;
import java.time.Duration;
import org.springframework.http.HttpMethod;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/** Everything below {@code /v1/} that speaks OpenAI's dialect. */
public final class OpenAiRoutes {
    /** The exchange attribute that holds the {@code GenerationOutcome} of a request that generates. */
    public static final String OUTCOME_ATTRIBUTE = "dev.chasqui.outcome";

    private static final String MODELS = "/v1/models";

    private final ChatCompletionsController completions;
    private final ModelsController models;

    /**
     * @param maxBodyBytes of one request
     * @param maxBodyBytesOverAll of all requests that are being read
     * @param firstPing how long a stream may be silent before its first byte
     * @param laterPings how long it may be silent afterwards
     */
    public OpenAiRoutes(
            NodeRouter nodes,
            EventLoop loop,
            long maxBodyBytes,
            long maxBodyBytesOverAll,
            Duration firstPing,
            Duration laterPings,
            Clock clock) {
        RequestBody bodies = new RequestBody(maxBodyBytes, maxBodyBytesOverAll, loop);
        SseStream.Pings pings = new SseStream.Pings(firstPing.toMillis(), laterPings.toMillis());
        completions = new ChatCompletionsController(nodes, bodies, loop, pings, clock);
        models = new ModelsController(nodes);
    }

    /** Answers a request whose path begins with {@code /v1/}; fails with {@link OpenAiError} or NodeException. */
    public Mono<Void> handle(ServerWebExchange exchange) {
        String path = exchange.getRequest().getPath().value();
        return Mono.defer(() -> {
            if (path.equals("/v1/chat/completions")) {
                requireMethod(exchange, HttpMethod.POST);
                return completions.create(exchange);
            }
            if (path.equals(MODELS)) {
                requireMethod(exchange, HttpMethod.GET);
                return models.list(exchange.getResponse());
            }
            if (path.startsWith(MODELS + "/") && path.length() > MODELS.length() + 1) {
                requireMethod(exchange, HttpMethod.GET);
                return models.show(decoded(path.substring(MODELS.length() + 1)), exchange.getResponse());
            }
            throw OpenAiError.http(404, "There is nothing at this path.", "not_found", null);
        });
    }

    /** The route's name in logs and metrics; a path that is none has none of its own. */
    public static String route(String path) {
        if (path.equals("/v1/chat/completions") || path.equals(MODELS)) {
            return path;
        }
        return path.startsWith(MODELS + "/") ? MODELS + "/{id}" : "/v1/*";
    }

    /** Writes an error in OpenAI's shape, whatever it is. */
    public static Mono<Void> write(ServerHttpResponse response, OpenAiError error) {
        response.setRawStatusCode(error.status());
        Duration retry = error.retryAfter();
        if (retry != null) {
            response.getHeaders().set("retry-after", Long.toString(Math.max(1, retry.toSeconds())));
        } else if (error.status() >= 500) {
            // Clients of OpenAI repeat a failed request unless they are told not to.
            response.getHeaders().set("x-should-retry", "false");
        }
        return json(response, error.body());
    }

    /** The one mapping of anything thrown to OpenAI's words; null for a defect. */
    public static @org.jspecify.annotations.Nullable OpenAiError expected(Throwable thrown) {
        if (thrown instanceof NodeException e) {
            return OpenAiError.of(e);
        }
        return thrown instanceof OpenAiError e ? e : null;
    }

    static Mono<Void> json(ServerHttpResponse response, byte[] body) {
        response.getHeaders().set("content-type", "application/json");
        response.getHeaders().setContentLength(body.length);
        return response.writeWith(Mono.just(response.bufferFactory().wrap(body)));
    }

    private static void requireMethod(ServerWebExchange exchange, HttpMethod method) {
        HttpMethod actual = exchange.getRequest().getMethod();
        boolean head = actual.equals(HttpMethod.HEAD) && method.equals(HttpMethod.GET);
        if (!actual.equals(method) && !head) {
            exchange.getResponse().getHeaders().set("allow", method.name());
            throw OpenAiError.http(405, "This path takes " + method.name() + " only.", "method_not_allowed", null);
        }
    }

    private static String decoded(String path) {
        try {
            return org.springframework.web.util.UriUtils.decode(path, java.nio.charset.StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw OpenAiError.http(400, "The path is not properly encoded.", "invalid_path", null);
        }
    }
}
