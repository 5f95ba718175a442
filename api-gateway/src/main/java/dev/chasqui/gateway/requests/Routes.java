package dev.chasqui.gateway.requests;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpMethod;
import org.springframework.web.server.ServerWebExchange;
import org.springframework.web.util.UriUtils;
import reactor.core.publisher.Mono;

/**
 * What a dialect answers: methods and paths. A path may have one name in it, such as {@code /v1/models/{id}}; at the end
 * of a path it stands for all the rest, slashes included.
 */
public final class Routes {
    /** What answers a request; {@code name} is the decoded part of the path that stands for the name in it. */
    @FunctionalInterface
    public interface Handler {
        Mono<Void> answer(ServerWebExchange exchange, String name);
    }

    /**
     * One thing that can be asked.
     *
     * @param method GET also answers HEAD
     * @param path with a name in braces, where it has one
     */
    public record Route(HttpMethod method, String path, Handler handler) {
        private boolean matches(String actual) {
            int brace = path.indexOf('{');
            if (brace < 0) {
                return path.equals(actual);
            }
            String name = name(actual);
            boolean last = path.endsWith("}");
            return name != null && !name.isEmpty() && (last || name.indexOf('/') < 0);
        }

        private @Nullable String name(String actual) {
            String before = path.substring(0, path.indexOf('{'));
            String after = path.substring(path.indexOf('}') + 1);
            boolean fits = actual.length() >= before.length() + after.length()
                    && actual.startsWith(before)
                    && actual.endsWith(after);
            return fits ? actual.substring(before.length(), actual.length() - after.length()) : null;
        }
    }

    private final List<Route> routes = new ArrayList<>();

    /** Adds a route; of two that fit, the earlier one answers. */
    public Routes add(HttpMethod method, String path, Handler handler) {
        routes.add(new Route(method, path, handler));
        return this;
    }

    /** All of them. */
    public List<Route> all() {
        return List.copyOf(routes);
    }

    /** The path as logs and metrics name it; null where there is nothing. */
    public @Nullable String name(String path) {
        return routes.stream()
                .filter(route -> route.matches(path))
                .map(Route::path)
                .findFirst()
                .orElse(null);
    }

    /** Answers the request; fails with {@link RequestError} where there is nothing, or not by this method. */
    public Mono<Void> answer(ServerWebExchange exchange) {
        String path = exchange.getRequest().getPath().value();
        HttpMethod method = exchange.getRequest().getMethod();
        HttpMethod wanted = method.equals(HttpMethod.HEAD) ? HttpMethod.GET : method;
        String known = name(path);
        if (known == null) {
            throw RequestError.http(404, "There is nothing at this path.", "not_found", null);
        }
        Set<String> allowed = new LinkedHashSet<>();
        for (Route route : routes) {
            if (route.path().equals(known)) {
                if (route.method().equals(wanted)) {
                    String name = known.indexOf('{') < 0 ? "" : decoded(route.name(path));
                    return route.handler().answer(exchange, name);
                }
                allowed.add(route.method().name());
            }
        }
        exchange.getResponse().getHeaders().set("allow", String.join(", ", allowed));
        if (method.equals(HttpMethod.OPTIONS)) {
            exchange.getResponse().setRawStatusCode(204);
            return exchange.getResponse().setComplete();
        }
        throw RequestError.http(
                405, "This path takes " + String.join(", ", allowed) + " only.", "method_not_allowed", null);
    }

    /** The server has refused bad escapes before. */
    private static String decoded(@Nullable String part) {
        return UriUtils.decode(part == null ? "" : part, StandardCharsets.UTF_8);
    }
}
