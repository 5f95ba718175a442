package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.accounts.ApiKey;
import dev.chasqui.gateway.accounts.Keys;
import dev.chasqui.gateway.accounts.Principal;
import dev.chasqui.gateway.accounts.Scope;
import dev.chasqui.gateway.limits.Metering;
import dev.chasqui.gateway.limits.Usage;
import dev.chasqui.gateway.requests.Fields;
import dev.chasqui.gateway.requests.Query;
import dev.chasqui.gateway.requests.RequestBody;
import dev.chasqui.gateway.requests.RequestError;
import java.time.Clock;
import java.util.List;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** {@code /api/keys}. */
final class KeysController {
    private final Keys keys;
    private final Metering metering;
    private final RequestBody bodies;
    private final Clock clock;

    KeysController(Keys keys, Metering metering, RequestBody bodies, Clock clock) {
        this.keys = keys;
        this.metering = metering;
        this.bodies = bodies;
        this.clock = clock;
    }

    Mono<Void> create(ServerWebExchange exchange) {
        return bodies.readIfAny(
                exchange.getRequest(),
                body -> keys.create(Principal.of(exchange), AccountFields.key(Fields.of(body, "")))
                        .flatMap(made -> {
                            ObjectNode data = AccountJson.of(made.key(), Usage.NONE, clock.millis());
                            return Success.write(exchange, data.put("key", made.secret()));
                        }));
    }

    Mono<Void> list(ServerWebExchange exchange) {
        Query query = Query.of(exchange.getRequest());
        Principal principal = Principal.of(exchange);
        boolean all = query.isTrue("all");
        if (all && !principal.has(Scope.ADMIN)) {
            throw RequestError.http(
                    403, "Only administrators see everybody's keys (scope admin).", "insufficient_scope", null);
        }
        boolean revoked = query.isTrue("revoked");
        return keys.list(principal, all)
                .map(found -> found.stream()
                        .filter(key -> revoked || key.revokedAt() == 0)
                        .toList())
                .flatMap(found -> told(exchange, found));
    }

    private Mono<Void> told(ServerWebExchange exchange, List<ApiKey> found) {
        List<String> ids = found.stream().map(ApiKey::id).toList();
        return metering.usage(ids).flatMap(usage -> {
            ObjectNode data = JsonNodeFactory.instance.objectNode();
            ArrayNode list = data.putArray("keys");
            found.forEach(
                    key -> list.add(AccountJson.of(key, usage.getOrDefault(key.id(), Usage.NONE), clock.millis())));
            return Success.write(exchange, data);
        });
    }

    Mono<Void> show(ServerWebExchange exchange, String id) {
        return keys.find(Principal.of(exchange), id).flatMap(key -> one(exchange, key));
    }

    Mono<Void> revoke(ServerWebExchange exchange, String id) {
        return keys.revoke(Principal.of(exchange), id).flatMap(key -> one(exchange, key));
    }

    private Mono<Void> one(ServerWebExchange exchange, ApiKey key) {
        return metering.usage(key.id())
                .flatMap(usage -> Success.write(exchange, AccountJson.of(key, usage, clock.millis())));
    }
}
