package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.accounts.Account;
import dev.chasqui.gateway.accounts.Accounts;
import dev.chasqui.gateway.requests.Fields;
import dev.chasqui.gateway.requests.RequestBody;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** {@code /api/accounts}, for administrators. */
final class AccountsController {
    private final Accounts accounts;
    private final RequestBody bodies;

    AccountsController(Accounts accounts, RequestBody bodies) {
        this.accounts = accounts;
        this.bodies = bodies;
    }

    Mono<Void> list(ServerWebExchange exchange) {
        return accounts.list().flatMap(all -> {
            ObjectNode data = JsonNodeFactory.instance.objectNode();
            ArrayNode list = data.putArray("accounts");
            all.forEach(account -> list.add(AccountJson.of(account)));
            return Success.write(exchange, data);
        });
    }

    Mono<Void> create(ServerWebExchange exchange) {
        return bodies.read(exchange.getRequest(), body -> {
            Fields fields = Fields.of(body, "");
            Account.Role role = AccountFields.role(fields);
            return accounts.create(AccountFields.draft(fields), role == null ? Account.Role.USER : role)
                    .flatMap(account -> Success.write(exchange, AccountJson.of(account)));
        });
    }

    Mono<Void> change(ServerWebExchange exchange, String id) {
        return bodies.read(
                exchange.getRequest(),
                body -> accounts.change(id, AccountFields.change(Fields.of(body, "")))
                        .flatMap(account -> Success.write(exchange, AccountJson.of(account))));
    }

    Mono<Void> remove(ServerWebExchange exchange, String id) {
        return accounts.remove(id)
                .then(Mono.defer(() -> Success.write(
                        exchange,
                        JsonNodeFactory.instance.objectNode().put("id", id).put("deleted", true))));
    }
}
