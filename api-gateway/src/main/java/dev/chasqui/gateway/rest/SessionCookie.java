package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.accounts.Authentication;
import java.time.Duration;
import java.util.Locale;
import org.springframework.http.HttpHeaders;
import org.springframework.http.ResponseCookie;
import org.springframework.web.server.ServerWebExchange;

/** The cookie in which a browser keeps its session. */
final class SessionCookie {
    private static final Duration LIFE = Duration.ofDays(30);

    private SessionCookie() {}

    /** @param https whether the page is known to come over https */
    static void set(ServerWebExchange exchange, String token, boolean https) {
        write(exchange, token, LIFE, https);
    }

    static void remove(ServerWebExchange exchange) {
        write(exchange, "", Duration.ZERO, false);
    }

    private static void write(ServerWebExchange exchange, String token, Duration life, boolean https) {
        exchange.getResponse()
                .addCookie(ResponseCookie.from(Authentication.COOKIE, token)
                        .path("/")
                        .httpOnly(true)
                        .sameSite("Lax")
                        .secure(https || isOverHttps(exchange))
                        .maxAge(life)
                        .build());
    }

    /** Over https it goes over https only; behind a proxy that ends TLS the page's origin tells. */
    private static boolean isOverHttps(ServerWebExchange exchange) {
        String origin = exchange.getRequest().getHeaders().getFirst(HttpHeaders.ORIGIN);
        return origin != null && origin.toLowerCase(Locale.ROOT).startsWith("https:");
    }
}
