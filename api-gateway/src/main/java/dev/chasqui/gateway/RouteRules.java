package dev.chasqui.gateway;

import dev.chasqui.gateway.accounts.Scope;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpMethod;

/** What each route asks of whoever uses it. */
final class RouteRules {
    private static final Set<String> COMPUTING = Set.of(
            "/v1/chat/completions",
            "/v1/completions",
            "/v1/responses",
            "/v1/embeddings",
            "/v1/rerank",
            "/rerank",
            "/v1/messages",
            "/api/chat",
            "/api/chat/stream");
    private static final Set<String> ASKING = Set.of("messages", "edit", "regenerate", "continue");

    private RouteRules() {}

    /** The scope that it needs; null: none but to be somebody. */
    static @Nullable Scope scope(HttpMethod method, String route) {
        if (route.startsWith("/api/conversations") || route.startsWith("/api/stream")) {
            return Scope.CONVERSATIONS;
        }
        if (route.startsWith("/api/models/") && !isReading(method)) {
            return Scope.MODELS;
        }
        if (route.startsWith("/api/keys")) {
            return Scope.KEYS;
        }
        if (route.startsWith("/api/accounts") || route.equals("/api/usage")) {
            return Scope.ADMIN;
        }
        if (route.equals("/metrics") || route.equals("/api/server")) {
            return Scope.METRICS;
        }
        return route.startsWith("/api/auth/") || route.startsWith("/api/oauth/") ? null : Scope.INFERENCE;
    }

    /** Whether a model computes for it, so that it counts. */
    static boolean isMetered(HttpMethod method, String route) {
        if (!method.equals(HttpMethod.POST)) {
            return false;
        }
        boolean stored = route.startsWith("/api/conversations/{id}/");
        return stored ? ASKING.contains(route.substring(route.lastIndexOf('/') + 1)) : COMPUTING.contains(route);
    }

    private static boolean isReading(HttpMethod method) {
        return method.equals(HttpMethod.GET) || method.equals(HttpMethod.HEAD);
    }
}
