package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.accounts.Account;
import dev.chasqui.gateway.accounts.Accounts;
import dev.chasqui.gateway.accounts.ApiKey;
import dev.chasqui.gateway.accounts.Identities;
import dev.chasqui.gateway.accounts.Principal;
import dev.chasqui.gateway.accounts.Session;
import dev.chasqui.gateway.limits.Metering;
import dev.chasqui.gateway.limits.Usage;
import dev.chasqui.gateway.oauth.OAuth;
import dev.chasqui.gateway.requests.Fields;
import dev.chasqui.gateway.requests.RequestBody;
import dev.chasqui.gateway.requests.RequestError;
import java.time.Clock;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** {@code /api/auth/…}: to register, to sign in and out, and who asks. */
final class AuthController {
    private final Accounts accounts;
    private final Identities identities;
    private final OAuth oauth;
    private final Metering metering;
    private final RequestBody bodies;
    private final Clock clock;

    AuthController(
            Accounts accounts, Identities identities, OAuth oauth, Metering metering, RequestBody bodies, Clock clock) {
        this.accounts = accounts;
        this.identities = identities;
        this.oauth = oauth;
        this.metering = metering;
        this.bodies = bodies;
        this.clock = clock;
    }

    Mono<Void> register(ServerWebExchange exchange) {
        return bodies.read(
                exchange.getRequest(),
                body -> accounts.register(
                                AccountFields.draft(Fields.of(body, "")), ClientAddress.of(exchange.getRequest()))
                        .flatMap(signedIn -> told(exchange, signedIn)));
    }

    Mono<Void> login(ServerWebExchange exchange) {
        return bodies.read(exchange.getRequest(), body -> {
            Fields fields = Fields.of(body, "");
            return accounts.signIn(
                            AccountFields.email(fields),
                            AccountFields.password(fields, "password"),
                            ClientAddress.of(exchange.getRequest()))
                    .flatMap(signedIn -> told(exchange, signedIn));
        });
    }

    private Mono<Void> told(ServerWebExchange exchange, Accounts.SignedIn signedIn) {
        SessionCookie.set(exchange, signedIn.token(), false);
        return Success.write(exchange, AccountJson.of(signedIn.principal(), Usage.NONE, clock.millis()));
    }

    Mono<Void> logout(ServerWebExchange exchange) {
        return bodies.readIfAny(exchange.getRequest(), body -> {
            boolean everywhere = Fields.of(body, "").isTrue("everywhere");
            Principal principal = Principal.of(exchange);
            Account account = principal.account();
            Session session = principal.session();
            Mono<Void> done =
                    account == null || session == null ? Mono.empty() : accounts.signOut(account, session, everywhere);
            return done.then(Mono.defer(() -> {
                SessionCookie.remove(exchange);
                return Success.write(
                        exchange, JsonNodeFactory.instance.objectNode().put("signed_out", true));
            }));
        });
    }

    /** A cookie that was brought lives on from here. */
    Mono<Void> me(ServerWebExchange exchange) {
        Principal principal = Principal.of(exchange);
        Session session = principal.session();
        if (session != null) {
            SessionCookie.renew(exchange, session);
        }
        ApiKey key = principal.key();
        Mono<Usage> usage = key == null ? Mono.just(Usage.NONE) : metering.usage(key.id());
        return usage.flatMap(used -> Success.write(exchange, AccountJson.of(principal, used, clock.millis())));
    }

    /** By which other sites one may sign in. */
    Mono<Void> identities(ServerWebExchange exchange) {
        return identities.of(signedIn(exchange)).flatMap(linked -> {
            ObjectNode json = JsonNodeFactory.instance.objectNode();
            ArrayNode list = json.putArray("identities");
            linked.forEach(each -> list.addObject()
                    .put("provider", each.provider())
                    .put("linked_at", AccountJson.time(each.linkedAt())));
            return Success.write(exchange, json);
        });
    }

    Mono<Void> unlink(ServerWebExchange exchange, String provider) {
        return identities
                .unlink(signedIn(exchange), provider, oauth.names())
                .then(Mono.defer(() -> Success.write(
                        exchange,
                        JsonNodeFactory.instance
                                .objectNode()
                                .put("provider", provider)
                                .put("unlinked", true))));
    }

    private static Account signedIn(ServerWebExchange exchange) {
        Principal principal = Principal.of(exchange);
        Account account = principal.account();
        if (account == null || principal.session() == null) {
            throw RequestError.http(403, "Only who has signed in can do that.", "not_signed_in", null);
        }
        return account;
    }

    Mono<Void> password(ServerWebExchange exchange) {
        Principal principal = Principal.of(exchange);
        Account account = principal.account();
        Session session = principal.session();
        if (account == null || session == null) {
            throw RequestError.http(403, "Only who has signed in has a password to change.", "not_signed_in", null);
        }
        return bodies.read(exchange.getRequest(), body -> {
            Fields fields = Fields.of(body, "");
            String password = AccountFields.newPassword(fields, "password");
            return changed(exchange, account, session, fields, password)
                    .then(Mono.defer(() -> Success.write(
                            exchange, JsonNodeFactory.instance.objectNode().put("changed", true))));
        });
    }

    private Mono<Void> changed(
            ServerWebExchange exchange, Account account, Session session, Fields fields, String password) {
        return account.hasPassword() || fields.any("current_password") != null
                ? accounts.changePassword(
                        account,
                        session,
                        AccountFields.password(fields, "current_password"),
                        password,
                        ClientAddress.of(exchange.getRequest()))
                : accounts.firstPassword(account, session, password);
    }
}
