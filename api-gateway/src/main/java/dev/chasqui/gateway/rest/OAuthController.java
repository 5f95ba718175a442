package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.accounts.Accounts;
import dev.chasqui.gateway.accounts.Authentication;
import dev.chasqui.gateway.accounts.Identities;
import dev.chasqui.gateway.accounts.Identity;
import dev.chasqui.gateway.accounts.Principal;
import dev.chasqui.gateway.accounts.Session;
import dev.chasqui.gateway.limits.Usage;
import dev.chasqui.gateway.oauth.Grant;
import dev.chasqui.gateway.oauth.OAuth;
import dev.chasqui.gateway.oauth.Provider;
import dev.chasqui.gateway.oauth.RoundTrip;
import dev.chasqui.gateway.requests.Fields;
import dev.chasqui.gateway.requests.RequestBody;
import dev.chasqui.gateway.requests.RequestError;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpCookie;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.ResponseCookie;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.util.MultiValueMap;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/** {@code /api/oauth/…}: signing in by way of GitHub or Apple. */
final class OAuthController {
    private static final String PATH = "/api/oauth/";

    private final OAuth oauth;
    private final Accounts accounts;
    private final Identities identities;
    private final Authentication authentication;
    private final RequestBody bodies;
    private final Clock clock;

    OAuthController(
            OAuth oauth,
            Accounts accounts,
            Identities identities,
            Authentication authentication,
            RequestBody bodies,
            Clock clock) {
        this.oauth = oauth;
        this.accounts = accounts;
        this.identities = identities;
        this.authentication = authentication;
        this.bodies = bodies;
        this.clock = clock;
    }

    /** Sends a browser there. */
    Mono<Void> begin(ServerWebExchange exchange, String name) {
        Provider provider = provider(name);
        return forBrowsers(exchange, Mono.defer(() -> {
            ServerHttpRequest request = exchange.getRequest();
            String returnTo = OAuthFields.returnTo(request.getQueryParams().getFirst("return_to"));
            return toLink(request).flatMap(session -> {
                Provider.Departure departure = provider.depart(returnTo, session);
                cookie(exchange, provider, departure.cookie(), Provider.PATIENCE);
                return redirect(exchange, 302, departure.address());
            });
        }));
    }

    /**
     * The session whose account is to be linked; empty: somebody signs in. Another page may send a browser here, and have it sign in there
     * as somebody else: so it must be our own page that asks, as the browser says, or as the session's token shows.
     */
    private Mono<String> toLink(ServerHttpRequest request) {
        return authentication
                .signedIn(request)
                .mapNotNull(Principal::session)
                .filter(session -> isOurPages(request, session))
                .map(Session::tokenHash)
                .defaultIfEmpty("");
    }

    private static boolean isOurPages(ServerHttpRequest request, Session session) {
        HttpHeaders headers = request.getHeaders();
        return headers.containsHeader(HttpHeaders.AUTHORIZATION)
                || "same-origin".equals(headers.getFirst("sec-fetch-site"))
                || session.csrfToken().equals(request.getQueryParams().getFirst("csrf_token"));
    }

    /** A browser comes back. */
    Mono<Void> callback(ServerWebExchange exchange, String name) {
        Provider provider = provider(name);
        return forBrowsers(
                exchange,
                given(exchange)
                        .flatMap(given -> back(exchange, provider, given))
                        .flatMap(returnTo -> redirect(exchange, 303, returnTo)));
    }

    private static Mono<MultiValueMap<String, String>> given(ServerWebExchange exchange) {
        return exchange.getRequest().getMethod().equals(HttpMethod.POST)
                ? exchange.getFormData()
                        .onErrorMap(unreadable -> RequestError.badBody("The body is not a form (expected: one)."))
                : Mono.just(exchange.getRequest().getQueryParams());
    }

    /** The path to go on at. */
    private Mono<String> back(ServerWebExchange exchange, Provider provider, MultiValueMap<String, String> given) {
        RoundTrip trip = provider.back(brought(exchange, provider), given.getFirst("state"));
        cookie(exchange, provider, "", Duration.ZERO);
        if (given.getFirst("error") != null) {
            throw RequestError.http(
                    403, provider.title() + " let nobody in, or was told not to.", "sign_in_denied", null);
        }
        String code = OAuthFields.code(given.getFirst("code"));
        String called = OAuthFields.name(given.getFirst("user"));
        return provider.identify(trip, code, provider.redirectUri(), called)
                .flatMap(identity -> cameBack(exchange, provider, trip, identity))
                .thenReturn(trip.returnTo());
    }

    private Mono<Void> cameBack(ServerWebExchange exchange, Provider provider, RoundTrip trip, Identity identity) {
        if (!trip.session().isEmpty()) {
            return identities.link(identity, trip.session(), provider.title()).then();
        }
        return identities
                .signIn(identity, provider.title())
                .doOnNext(signedIn -> SessionCookie.set(exchange, signedIn.token(), isHttps(provider)))
                .then();
    }

    /** A program brings what it was given. */
    Mono<Void> manual(ServerWebExchange exchange, String name) {
        Provider provider = provider(name);
        return bodies.read(exchange.getRequest(), body -> {
            Fields fields = Fields.of(body, "");
            return identify(exchange, provider, fields)
                    .flatMap(identity -> authentication
                            .signedIn(exchange.getRequest())
                            .map(Optional::of)
                            .defaultIfEmpty(Optional.empty())
                            .flatMap(who -> told(exchange, provider, identity, who.orElse(null))));
        });
    }

    private static Mono<Identity> identify(ServerWebExchange exchange, Provider provider, Fields fields) {
        String code = OAuthFields.code(fields.string("code"));
        String redirectUri = OAuthFields.text(fields, "redirect_uri");
        String arrivedAt = redirectUri.isEmpty() ? provider.redirectUri() : redirectUri;
        String verifier = OAuthFields.text(fields, "code_verifier");
        String nonce = OAuthFields.text(fields, "nonce");
        String state = OAuthFields.text(fields, "state");
        if (verifier.isEmpty() && nonce.isEmpty() && brought(exchange, provider) != null) {
            RoundTrip trip = provider.back(brought(exchange, provider), state);
            cookie(exchange, provider, "", Duration.ZERO);
            return provider.identify(trip, code, arrivedAt, "");
        }
        return provider.identify(new Grant(code, arrivedAt, verifier, nonce, ""));
    }

    private Mono<Void> told(
            ServerWebExchange exchange, Provider provider, Identity identity, @Nullable Principal principal) {
        Session session = principal == null ? null : principal.session();
        if (principal != null && session != null) {
            return identities
                    .link(identity, session.tokenHash(), provider.title())
                    .flatMap(account -> Success.write(exchange, AccountJson.of(principal, Usage.NONE, clock.millis())));
        }
        return identities.signIn(identity, provider.title()).flatMap(signedIn -> {
            SessionCookie.set(exchange, signedIn.token(), false);
            return Success.write(exchange, AccountJson.of(signedIn.principal(), Usage.NONE, clock.millis()));
        });
    }

    private Provider provider(String name) {
        accounts.requireEnabled();
        return oauth.provider(name);
    }

    /** A person sees the page, which says what went wrong; programs read it as ever. */
    private static Mono<Void> forBrowsers(ServerWebExchange exchange, Mono<Void> answer) {
        String accept = exchange.getRequest().getHeaders().getFirst(HttpHeaders.ACCEPT);
        if (accept == null || !accept.contains("text/html")) {
            return answer;
        }
        return answer.onErrorResume(
                RequestError.class,
                error -> redirect(exchange, 303, "/?sign_in_error=" + (error.code() == null ? "" : error.code())));
    }

    private static Mono<Void> redirect(ServerWebExchange exchange, int status, String address) {
        exchange.getResponse().setRawStatusCode(status);
        exchange.getResponse().getHeaders().setLocation(URI.create(address));
        exchange.getResponse().getHeaders().set("cache-control", "no-store");
        return exchange.getResponse().setComplete();
    }

    private static @Nullable String brought(ServerWebExchange exchange, Provider provider) {
        HttpCookie cookie = exchange.getRequest().getCookies().getFirst(cookieName(provider));
        return cookie == null ? null : cookie.getValue();
    }

    private static String cookieName(Provider provider) {
        return "chasqui_oauth_" + provider.id();
    }

    /**
     * A provider that sends people back with a form makes it another site's request, which a cookie comes with only where it says so; and
     * that it may say over https only.
     */
    private static void cookie(ServerWebExchange exchange, Provider provider, String value, Duration life) {
        exchange.getResponse()
                .addCookie(ResponseCookie.from(cookieName(provider), value)
                        .path(PATH + provider.id())
                        .httpOnly(true)
                        .sameSite(provider.postsBack() ? "None" : "Lax")
                        .secure(provider.postsBack() || isHttps(provider))
                        .maxAge(life)
                        .build());
    }

    private static boolean isHttps(Provider provider) {
        return provider.redirectUri().startsWith("https:");
    }
}
