package dev.chasqui.gateway;

import dev.chasqui.gateway.access.AccessCheck;
import dev.chasqui.gateway.access.Refusal;
import dev.chasqui.gateway.nodes.GenerationOutcome;
import dev.chasqui.gateway.openai.OpenAiError;
import dev.chasqui.gateway.openai.OpenAiRoutes;
import dev.chasqui.gateway.rest.RestError;
import dev.chasqui.gateway.rest.RestRoutes;
import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebHandler;
import reactor.core.publisher.Mono;
import reactor.core.publisher.SignalType;

/**
 * Where every request comes in and every answer goes out: access, the way to its dialect, errors in that dialect's
 * words, security headers, and one line in the log.
 */
final class Edge implements WebHandler {
    private static final Logger log = LoggerFactory.getLogger(Edge.class);
    private static final String PAGE_POLICY =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
                    + "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    private static final String[][] SECURITY_HEADERS = {
        {"content-security-policy", PAGE_POLICY},
        {"x-content-type-options", "nosniff"},
        {"x-frame-options", "DENY"},
        {"referrer-policy", "no-referrer"},
        {"cross-origin-opener-policy", "same-origin"},
        {"cross-origin-resource-policy", "same-origin"},
        {"permissions-policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()"},
    };
    private static final Pattern REQUEST_ID = Pattern.compile("[A-Za-z0-9._-]{1,64}");
    private static final String OPENAI = "/v1/";

    private final AccessCheck access;
    private final OpenAiRoutes openAi;
    private final RestRoutes rest;
    private final StaticPage page;
    private final Traffic traffic;

    Edge(AccessCheck access, OpenAiRoutes openAi, RestRoutes rest, StaticPage page, Traffic traffic) {
        this.access = access;
        this.openAi = openAi;
        this.rest = rest;
        this.page = page;
        this.traffic = traffic;
    }

    @Override
    public Mono<Void> handle(ServerWebExchange exchange) {
        Traffic.Request request = begin(exchange);
        HttpHeaders headers = exchange.getResponse().getHeaders();
        for (String[] header : SECURITY_HEADERS) {
            headers.set(header[0], header[1]);
        }
        headers.set("x-request-id", request.id());
        return Mono.defer(() -> route(exchange))
                .onErrorResume(error -> fail(exchange, request, error))
                .doFinally(end -> end(exchange, request, end));
    }

    private Traffic.Request begin(ServerWebExchange exchange) {
        traffic.began();
        String path = exchange.getRequest().getPath().value();
        String offered = exchange.getRequest().getHeaders().getFirst("x-request-id");
        String id = offered != null && REQUEST_ID.matcher(offered).matches() ? offered : newId();
        boolean generates = path.startsWith(OPENAI);
        String route = generates ? OpenAiRoutes.route(path) : RestRoutes.owns(path) ? RestRoutes.route(path) : "/*";
        return new Traffic.Request(
                id, method(exchange), route, !generates && !path.startsWith("/api/models"), System.nanoTime());
    }

    private Mono<Void> route(ServerWebExchange exchange) {
        ServerHttpResponse response = exchange.getResponse();
        if (access.admit(exchange.getRequest(), response)) {
            return response.setComplete();
        }
        String path = exchange.getRequest().getPath().value();
        if (path.startsWith(OPENAI)) {
            return openAi.handle(exchange);
        }
        if (RestRoutes.owns(path)) {
            return rest.handle(exchange);
        }
        return page.serve(exchange.getRequest(), response)
                .flatMap(found ->
                        found ? Mono.empty() : RestRoutes.write(response, 404, "There is nothing at this path.", null));
    }

    private Mono<Void> fail(ServerWebExchange exchange, Traffic.Request request, Throwable error) {
        ServerHttpResponse response = exchange.getResponse();
        if (response.isCommitted()) {
            // Nearly always the client that went away; nobody is left to be told.
            log.debug(
                    "{} ended in the middle: {}", request.id(), error.getClass().getName());
            return Mono.error(error);
        }
        response.getHeaders().remove("x-accel-buffering");
        response.getHeaders().set("cache-control", "no-store");
        boolean openAiDialect = exchange.getRequest().getPath().value().startsWith(OPENAI);
        return openAiDialect
                ? OpenAiRoutes.write(response, openAiError(request, error))
                : restError(response, request, error);
    }

    private static OpenAiError openAiError(Traffic.Request request, Throwable error) {
        if (error instanceof Refusal e) {
            return OpenAiError.http(e.status(), e.sentence(), e.code(), null);
        }
        OpenAiError expected = OpenAiRoutes.expected(error);
        if (expected == null) {
            defect(request, error);
            return OpenAiError.internal();
        }
        return expected;
    }

    private static Mono<Void> restError(ServerHttpResponse response, Traffic.Request request, Throwable error) {
        if (error instanceof Refusal e) {
            return RestRoutes.write(response, e.status(), e.sentence(), null);
        }
        RestError expected = RestRoutes.expected(error);
        if (expected == null) {
            defect(request, error);
            return RestRoutes.write(response, 500, "The server had an error while processing the request.", null);
        }
        String message = expected.getMessage();
        return RestRoutes.write(response, expected.status(), message == null ? "" : message, expected.retryAfter());
    }

    /** A message may quote what was sent, so only the kind of the error and where it happened are logged. */
    private static void defect(Traffic.Request request, Throwable error) {
        StackTraceElement[] trace = error.getStackTrace();
        log.error(
                "{} failed: {} at {}",
                request.id(),
                error.getClass().getName(),
                trace.length == 0 ? "an unknown place" : trace[0]);
    }

    private void end(ServerWebExchange exchange, Traffic.Request request, SignalType end) {
        HttpStatusCode status = exchange.getResponse().getStatusCode();
        @Nullable GenerationOutcome outcome = exchange.getAttribute(OpenAiRoutes.OUTCOME_ATTRIBUTE);
        boolean cutOff = end != SignalType.ON_COMPLETE || (outcome != null && outcome.isCutOff());
        int code = cutOff ? Traffic.CUT_OFF : status == null ? 200 : status.value();
        traffic.ended(request, code, outcome);
    }

    /** Methods that nobody knows do not become names in metrics. */
    private static String method(ServerWebExchange exchange) {
        String name = exchange.getRequest().getMethod().name();
        return switch (name) {
            case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" -> name;
            default -> "OTHER";
        };
    }

    private static String newId() {
        return HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong());
    }
}
