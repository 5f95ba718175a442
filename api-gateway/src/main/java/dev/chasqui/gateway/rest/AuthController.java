package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.accounts.Account;
import dev.chasqui.gateway.accounts.Accounts;
import dev.chasqui.gateway.accounts.ApiKey;
import dev.chasqui.gateway.accounts.Authentication;
import dev.chasqui.gateway.accounts.Principal;
import dev.chasqui.gateway.accounts.Session;
import dev.chasqui.gateway.limits.Metering;
import dev.chasqui.gateway.limits.Usage;
import dev.chasqui.gateway.requests.Fields;
import dev.chasqui.gateway.requests.RequestBody;
import dev.chasqui.gateway.requests.RequestError;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpCookie;
import org.springframework.http.ResponseCookie;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;
import tools.jackson.databind.node.JsonNodeFactory;

/** {@code /api/auth/…}: to register, to sign in and out, and who asks. */
final class AuthController {
    private static final Duration COOKIE_LIFE = Duration.ofDays(30);

    private final Accounts accounts;
    private final Metering metering;
    private final RequestBody bodies;
    private final Clock clock;

    AuthController(Accounts accounts, Metering metering, RequestBody bodies, Clock clock) {
        this.accounts = accounts;
        this.metering = metering;
        this.bodies = bodies;
        this.clock = clock;
    }

    Mono<Void> register(ServerWebExchange exchange) {
        return bodies.read(
                exchange.getRequest(),
                body -> accounts.register(AccountFields.draft(Fields.of(body, "")))
                        .flatMap(signedIn -> told(exchange, signedIn)));
    }

    Mono<Void> login(ServerWebExchange exchange) {
        return bodies.read(exchange.getRequest(), body -> {
            Fields fields = Fields.of(body, "");
            return accounts.signIn(
                            fields.requiredString("email").strip(),
                            AccountFields.password(fields, "password"),
                            address(exchange.getRequest()))
                    .flatMap(signedIn -> told(exchange, signedIn));
        });
    }

    private Mono<Void> told(ServerWebExchange exchange, Accounts.SignedIn signedIn) {
        cookie(exchange, signedIn.token(), COOKIE_LIFE);
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
                cookie(exchange, "", Duration.ZERO);
                return Success.write(
                        exchange, JsonNodeFactory.instance.objectNode().put("signed_out", true));
            }));
        });
    }

    /** A cookie that was brought lives on from here. */
    Mono<Void> me(ServerWebExchange exchange) {
        Principal principal = Principal.of(exchange);
        HttpCookie brought = exchange.getRequest().getCookies().getFirst(Authentication.COOKIE);
        if (brought != null && principal.session() != null) {
            cookie(exchange, brought.getValue(), COOKIE_LIFE);
        }
        ApiKey key = principal.key();
        Mono<Usage> usage = key == null
                ? Mono.just(Usage.NONE)
                : metering.usage(Set.of(key.id())).map(all -> all.getOrDefault(key.id(), Usage.NONE));
        return usage.flatMap(used -> Success.write(exchange, AccountJson.of(principal, used, clock.millis())));
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
            return accounts.changePassword(
                            account, session, AccountFields.password(fields, "current_password"), password)
                    .then(Mono.defer(() -> Success.write(
                            exchange, JsonNodeFactory.instance.objectNode().put("changed", true))));
        });
    }

    /** Over https it goes over https only; behind a proxy that ends TLS the page's origin tells. */
    private static void cookie(ServerWebExchange exchange, String token, Duration life) {
        String origin = exchange.getRequest().getHeaders().getFirst("origin");
        boolean secure = origin != null && origin.toLowerCase(Locale.ROOT).startsWith("https:");
        exchange.getResponse()
                .addCookie(ResponseCookie.from(Authentication.COOKIE, token)
                        .path("/")
                        .httpOnly(true)
                        .sameSite("Lax")
                        .secure(secure)
                        .maxAge(life)
                        .build());
    }

    private static String address(ServerHttpRequest request) {
        @Nullable InetSocketAddress remote = request.getRemoteAddress();
        return remote == null || remote.getAddress() == null
                ? ""
                : remote.getAddress().getHostAddress();
    }
}
