package dev.chasqui.gateway;

import dev.chasqui.gateway.access.AccessCheck;
import dev.chasqui.gateway.access.Refusal;
import dev.chasqui.gateway.accounts.Authentication;
import dev.chasqui.gateway.accounts.Principal;
import dev.chasqui.gateway.accounts.Scope;
import dev.chasqui.gateway.answers.Answers;
import dev.chasqui.gateway.limits.Admission;
import dev.chasqui.gateway.limits.Metered;
import dev.chasqui.gateway.limits.Metering;
import dev.chasqui.gateway.nodes.GenerationOutcome;
import dev.chasqui.gateway.nodes.NodeException;
import dev.chasqui.gateway.requests.Dialect;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.proto.v1.ErrorReason;
import dev.chasqui.proto.v1.Usage;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.server.WebHandler;
import reactor.core.publisher.Mono;
import reactor.core.publisher.SignalType;

/**
 * Where every request comes in and every answer goes out: access, who asks, what he may take, the way to its dialect, errors in that dialect's
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
    private static final Set<String> QUIET =
            Set.of("/*", "/api/*", "/api/health", "/health", "/healthz", "/readyz", "/version", "/models", "/metrics");
    private static final Pattern REQUEST_ID = Pattern.compile("[A-Za-z0-9._-]{1,64}");

    /** What one must be able to ask before one can show who he is. */
    private static final Set<String> OPEN = Set.of(
            "/api/health",
            "/health",
            "/healthz",
            "/readyz",
            "/version",
            "/openapi.json",
            "/api/docs",
            "/api/auth/register",
            "/api/auth/login",
            "/api/oauth/{provider}",
            "/api/oauth/{provider}/callback",
            "/api/oauth/{provider}/manual");

    /** Where Apple's page sends a form to. */
    private static final String CALLED_FROM_ELSEWHERE = "/api/oauth/{provider}/callback";

    private final AccessCheck access;
    private final Authentication authentication;
    private final Metering metering;
    private final List<Dialect> dialects;
    private final Dialect elsewhere;
    private final StaticPage page;
    private final Traffic traffic;

    /**
     * @param dialects the first that owns a path answers it
     * @param elsewhere says what is wrong with a path that is nobody's
     */
    Edge(
            AccessCheck access,
            Authentication authentication,
            Metering metering,
            List<Dialect> dialects,
            Dialect elsewhere,
            StaticPage page,
            Traffic traffic) {
        this.access = access;
        this.authentication = authentication;
        this.metering = metering;
        this.dialects = dialects;
        this.elsewhere = elsewhere;
        this.page = page;
        this.traffic = traffic;
    }

    @Override
    public Mono<Void> handle(ServerWebExchange asked) {
        ServerWebExchange exchange = tidy(asked);
        Traffic.Request request = begin(exchange);
        HttpHeaders headers = exchange.getResponse().getHeaders();
        for (String[] header : SECURITY_HEADERS) {
            headers.set(header[0], header[1]);
        }
        headers.set("x-request-id", request.id());
        return Mono.defer(() -> route(exchange, request.route()))
                .onErrorResume(error -> fail(exchange, request, error))
                .doFinally(end -> end(exchange, request, end));
    }

    /** Clients put a base address and a path together with a slash too many, or end with one. Names within a path may have two. */
    private ServerWebExchange tidy(ServerWebExchange exchange) {
        String path = exchange.getRequest().getPath().value();
        String tidied = path;
        while (tidied.length() > 1 && tidied.endsWith("/")) {
            tidied = tidied.substring(0, tidied.length() - 1);
        }
        while (tidied.startsWith("//")) {
            tidied = tidied.substring(1);
        }
        while (tidied.startsWith("/v1//")) {
            tidied = "/v1" + tidied.substring(4);
        }
        String whole = tidied;
        if (whole.equals(path) || dialects.stream().noneMatch(dialect -> dialect.owns(whole))) {
            return exchange;
        }
        return exchange.mutate().request(request -> request.path(whole)).build();
    }

    private Traffic.Request begin(ServerWebExchange exchange) {
        traffic.began();
        String path = exchange.getRequest().getPath().value();
        String offered = exchange.getRequest().getHeaders().getFirst("x-request-id");
        String id = offered != null && REQUEST_ID.matcher(offered).matches() ? offered : newId();
        Dialect dialect = dialect(exchange.getRequest());
        String route = dialect == null ? "/*" : route(dialect, path);
        return new Traffic.Request(id, method(exchange), route, isQuiet(route), System.nanoTime());
    }

    /** A path that is none has no name of its own in logs and metrics. */
    private static String route(Dialect dialect, String path) {
        String known = dialect.routes().name(path);
        return known != null ? known : path.startsWith("/v1/") ? "/v1/*" : "/api/*";
    }

    /** What pages and machines ask all the time. */
    private static boolean isQuiet(String route) {
        return QUIET.contains(route);
    }

    private @Nullable Dialect dialect(ServerHttpRequest request) {
        for (Dialect dialect : dialects) {
            if (dialect.owns(request)) {
                return dialect;
            }
        }
        return null;
    }

    private Mono<Void> route(ServerWebExchange exchange, String name) {
        ServerHttpResponse response = exchange.getResponse();
        Dialect dialect = dialect(exchange.getRequest());
        if (name.equals(CALLED_FROM_ELSEWHERE)) {
            access.admitFromAnywhere(exchange.getRequest());
        } else if (access.admit(exchange.getRequest(), response)) {
            return response.setComplete();
        }
        if (dialect != null) {
            return OPEN.contains(name) ? dialect.routes().answer(exchange) : guarded(exchange, dialect, name);
        }
        return page.serve(exchange.getRequest(), response)
                .flatMap(found -> found
                        ? Mono.empty()
                        : Mono.error(
                                () -> RequestError.http(404, "There is nothing at this path.", "not_found", null)));
    }

    private Mono<Void> guarded(ServerWebExchange exchange, Dialect dialect, String name) {
        return authentication.principal(exchange.getRequest()).flatMap(principal -> {
            HttpMethod method = exchange.getRequest().getMethod();
            principal.note(exchange);
            requireScope(principal, RouteRules.scope(method, name));
            if (RouteRules.isMetered(method, name)) {
                admit(exchange, principal);
            }
            return dialect.routes().answer(exchange);
        });
    }

    private static void requireScope(Principal principal, @Nullable Scope scope) {
        if (scope != null && !principal.has(scope)) {
            throw RequestError.http(
                    403, "The scope " + scope.word() + " is missing for this.", "insufficient_scope", null);
        }
    }

    private void admit(ServerWebExchange exchange, Principal principal) {
        HttpHeaders headers = exchange.getResponse().getHeaders();
        try {
            Admission admission = admission(principal);
            Metered.note(exchange, admission);
            admission.headers().forEach(headers::set);
        } catch (RequestError refused) {
            metering.headers(principal.userId(), principal.together()).forEach(headers::set);
            metering.headers(principal.subject(), principal.quota()).forEach(headers::set);
            throw refused;
        }
    }

    /** Of the key, and of its account with all other keys. */
    private Admission admission(Principal principal) {
        return principal.together().isNone()
                ? metering.admit(principal.subject(), principal.quota())
                : metering.admit(principal.subject(), principal.quota(), principal.userId(), principal.together());
    }

    private Mono<Void> fail(ServerWebExchange exchange, Traffic.Request request, Throwable error) {
        ServerHttpResponse response = exchange.getResponse();
        if (response.isCommitted()) {
            // Nearly always the client that went away; nobody is left to be told.
            log.debug(
                    "{} ended in the middle: {}", request.id(), error.getClass().getName());
            return Mono.error(error);
        }
        for (String header : List.of("x-accel-buffering", "content-type", "content-length")) {
            response.getHeaders().remove(header);
        }
        response.getHeaders().set("cache-control", "no-store");
        Dialect dialect = dialect(exchange.getRequest());
        return (dialect == null ? elsewhere : dialect).fail(exchange, failure(request, error));
    }

    private static RuntimeException failure(Traffic.Request request, Throwable error) {
        if (error instanceof NodeException || error instanceof RequestError) {
            return (RuntimeException) error;
        }
        if (error instanceof Refusal e) {
            return RequestError.http(e.status(), e.sentence(), e.code(), null);
        }
        defect(request, error);
        return new NodeException(ErrorReason.ERROR_REASON_INTERNAL, "The gateway failed.", null, null);
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
        @Nullable GenerationOutcome outcome = exchange.getAttribute(Answers.OUTCOME_ATTRIBUTE);
        settle(exchange, outcome);
        boolean cutOff = end != SignalType.ON_COMPLETE || (outcome != null && outcome.isCutOff());
        int code = cutOff ? Traffic.CUT_OFF : status == null ? 200 : status.value();
        traffic.ended(request, code, outcome);
    }

    private static void settle(ServerWebExchange exchange, @Nullable GenerationOutcome outcome) {
        Admission admission = Metered.left(exchange);
        if (admission == null) {
            return;
        }
        if (outcome != null) {
            Usage used = outcome.computed();
            admission.used(used.getPromptTokens(), used.getCachedTokens(), used.getCompletionTokens());
        }
        admission.end();
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
