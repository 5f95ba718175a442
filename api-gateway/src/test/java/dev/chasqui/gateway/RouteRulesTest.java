package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.gateway.accounts.Scope;
import dev.chasqui.gateway.requests.Dialect;
import dev.chasqui.gateway.requests.Routes;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Held against all routes, so that a new one cannot be forgotten. */
class RouteRulesTest extends GatewayTest {
    @Test
    void everyRouteHasItsScope() {
        Set<String> odd = new TreeSet<>();
        for (Dialect dialect : gateway.dialects()) {
            for (Routes.Route route : dialect.routes().all()) {
                Scope scope = RouteRules.scope(route.method(), route.path());
                if (scope != Scope.INFERENCE) {
                    odd.add(route.method() + " " + route.path() + " " + (scope == null ? "-" : scope.word()));
                }
            }
        }

        assertThat(odd)
                .containsExactlyInAnyOrder(
                        "GET /metrics metrics",
                        "GET /api/server metrics",
                        "GET /api/usage admin",
                        "POST /api/models/{name}/load models",
                        "POST /api/models/{name}/unload models",
                        "POST /api/models/{name}/cancel models",
                        "POST /api/models/{name} models",
                        "DELETE /api/models/{name} models",
                        "GET /api/conversations conversations",
                        "POST /api/conversations conversations",
                        "GET /api/conversations/export conversations",
                        "POST /api/conversations/import conversations",
                        "GET /api/conversations/{id}/messages conversations",
                        "POST /api/conversations/{id}/messages conversations",
                        "POST /api/conversations/{id}/edit conversations",
                        "POST /api/conversations/{id}/regenerate conversations",
                        "POST /api/conversations/{id}/continue conversations",
                        "POST /api/conversations/{id}/stop conversations",
                        "GET /api/conversations/{id}/export conversations",
                        "GET /api/conversations/{id} conversations",
                        "PATCH /api/conversations/{id} conversations",
                        "DELETE /api/conversations/{id} conversations",
                        "GET /api/stream/{user_id} conversations",
                        "GET /api/keys keys",
                        "POST /api/keys keys",
                        "GET /api/keys/{id} keys",
                        "DELETE /api/keys/{id} keys",
                        "GET /api/accounts admin",
                        "POST /api/accounts admin",
                        "PATCH /api/accounts/{id} admin",
                        "DELETE /api/accounts/{id} admin",
                        "POST /api/auth/register -",
                        "POST /api/auth/login -",
                        "POST /api/auth/logout -",
                        "GET /api/auth/identities -",
                        "DELETE /api/auth/identities/{provider} -",
                        "GET /api/auth/me -",
                        "POST /api/auth/password -",
                        "GET /api/oauth/{provider} -",
                        "GET /api/oauth/{provider}/callback -",
                        "POST /api/oauth/{provider}/callback -",
                        "POST /api/oauth/{provider}/manual -");
    }

    @Test
    void whatAModelComputesIsCounted() {
        Set<String> counted = new TreeSet<>();
        for (Dialect dialect : gateway.dialects()) {
            for (Routes.Route route : dialect.routes().all()) {
                if (RouteRules.isMetered(route.method(), route.path())) {
                    counted.add(route.path());
                }
            }
        }

        assertThat(counted)
                .containsExactlyInAnyOrder(
                        "/v1/chat/completions",
                        "/v1/completions",
                        "/v1/responses",
                        "/v1/embeddings",
                        "/v1/rerank",
                        "/rerank",
                        "/v1/messages",
                        "/api/chat",
                        "/api/chat/stream",
                        "/api/conversations/{id}/messages",
                        "/api/conversations/{id}/edit",
                        "/api/conversations/{id}/regenerate",
                        "/api/conversations/{id}/continue");
    }
}
