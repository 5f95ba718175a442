package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.accounts.Authentication;
import dev.chasqui.gateway.accounts.Session;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.springframework.http.HttpCookie;
import org.springframework.http.HttpHeaders;
import org.springframework.http.ResponseCookie;
import org.springframework.web.server.ServerWebExchange;

/** The cookie in which a browser keeps its session. Over https it has a name of its own, and goes over https only. */
final class SessionCookie {
    private static final Duration LIFE = Duration.ofDays(30);

    private SessionCookie() {}

    /** @param https whether the page is known to come over https; else the request tells */
    static void set(ServerWebExchange exchange, String token, boolean https) {
        write(exchange, https || isOverHttps(exchange), token, LIFE);
    }

    /** One that was brought lives on from here. */
    static void renew(ServerWebExchange exchange, Session session) {
        HttpCookie brought = Authentication.cookie(exchange.getRequest());
        if (brought != null && session.isOf(brought.getValue())) {
            write(exchange, isSecure(brought.getName()), brought.getValue(), LIFE);
        }
    }

    static void remove(ServerWebExchange exchange) {
        for (String name : List.of(Authentication.COOKIE, Authentication.SECURE_COOKIE)) {
            if (exchange.getRequest().getCookies().containsKey(name)) {
                write(exchange, isSecure(name), "", Duration.ZERO);
            }
        }
    }

    private static void write(ServerWebExchange exchange, boolean secure, String token, Duration life) {
        String name = secure ? Authentication.SECURE_COOKIE : Authentication.COOKIE;
        exchange.getResponse()
                .addCookie(ResponseCookie.from(name, token)
                        .path("/")
                        .httpOnly(true)
                        .sameSite("Lax")
                        .secure(secure)
                        .maxAge(life)
                        .build());
    }

    private static boolean isSecure(String name) {
        return name.equals(Authentication.SECURE_COOKIE);
    }

    /** Behind a proxy that ends TLS the page's origin tells; browsers say it with each POST. */
    private static boolean isOverHttps(ServerWebExchange exchange) {
        String origin = exchange.getRequest().getHeaders().getFirst(HttpHeaders.ORIGIN);
        return origin != null && origin.toLowerCase(Locale.ROOT).startsWith("https:");
    }
}
