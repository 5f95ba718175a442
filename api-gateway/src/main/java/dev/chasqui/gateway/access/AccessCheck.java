package dev.chasqui.gateway.access;

import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.http.server.reactive.ServerHttpResponse;

/**
 * Decides for each request whether it is let in: for one of our names, from one of our pages or an origin that the
 * settings name, and with a key where keys are wanted.
 */
public final class AccessCheck {
    private static final Pattern ORIGIN = Pattern.compile("https?://[^/@\\s]+");
    private static final Pattern DEFAULT_PORT = Pattern.compile(":(80|443)$");
    /** What one must be able to ask before one has a key. */
    private static final Set<String> OPEN =
            Set.of("/api/health", "/health", "/healthz", "/readyz", "/version", "/openapi.json", "/api/docs");

    private static final String PREFLIGHT_SECONDS = "600";

    private final ApiKeys keys;
    private final AllowedHosts hosts;
    private final Set<String> origins;

    /**
     * @param apiKeys none: everybody is let in
     * @param boundHost the address that the server listens on
     * @param allowedHosts further names that it answers to
     * @param corsOrigins origins whose pages may call it, such as {@code https://app.example.com}; none: CORS is off
     */
    public AccessCheck(
            Collection<String> apiKeys,
            String boundHost,
            Collection<String> allowedHosts,
            Collection<String> corsOrigins) {
        keys = new ApiKeys(apiKeys);
        hosts = new AllowedHosts(boundHost, allowedHosts);
        origins = Set.copyOf(
                corsOrigins.stream().map(o -> o.toLowerCase(Locale.ROOT)).toList());
    }

    /**
     * Lets the request in, or throws. Adds CORS headers to the response where they are due.
     *
     * @param guarded whether it asks for more than the page and its parts, which are for everybody
     * @return whether the request was a CORS preflight, which this has answered in full but for sending it
     * @throws Refusal with the reason
     */
    public boolean admit(ServerHttpRequest request, ServerHttpResponse response, boolean guarded) {
        HttpHeaders headers = request.getHeaders();
        requireOwnHost(headers);
        String origin = headers.getFirst(HttpHeaders.ORIGIN);
        if (origin != null && !isSameOrigin(origin, headers)) {
            requireKnown(origin);
            allow(origin, response);
            if (isPreflight(request)) {
                preflight(headers, response);
                return true;
            }
        }
        if (guarded && !OPEN.contains(request.getPath().value())) {
            requireKey(request);
        }
        return false;
    }

    private void requireOwnHost(HttpHeaders headers) {
        List<String> values = headers.getOrEmpty(HttpHeaders.HOST);
        if (values.size() != 1 || !hosts.allow(values.get(0))) {
            throw new Refusal(
                    403,
                    "host_not_allowed",
                    "This server does not answer to the name in the Host header;"
                            + " chasqui.allowed-hosts takes the names it shall answer to.");
        }
    }

    /** The scheme does not count: in front of a proxy that ends TLS it is another. */
    private static boolean isSameOrigin(String origin, HttpHeaders headers) {
        String host = headers.getFirst(HttpHeaders.HOST);
        return host != null
                && ORIGIN.matcher(origin).matches()
                && authority(origin.substring(origin.indexOf("://") + 3)).equals(authority(host));
    }

    private static String authority(String host) {
        return DEFAULT_PORT.matcher(host.toLowerCase(Locale.ROOT)).replaceFirst("");
    }

    private void requireKnown(String origin) {
        if (!origins.contains(origin.toLowerCase(Locale.ROOT))) {
            throw new Refusal(
                    403,
                    "origin_not_allowed",
                    "Pages of this origin may not call this server; chasqui.cors-origins takes those that may.");
        }
    }

    private static void allow(String origin, ServerHttpResponse response) {
        response.getHeaders().set(HttpHeaders.ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        response.getHeaders().add(HttpHeaders.VARY, HttpHeaders.ORIGIN);
        response.getHeaders()
                .set(
                        HttpHeaders.ACCESS_CONTROL_EXPOSE_HEADERS,
                        "x-request-id, request-id, retry-after, x-should-retry");
    }

    private static boolean isPreflight(ServerHttpRequest request) {
        return request.getMethod().equals(HttpMethod.OPTIONS)
                && request.getHeaders().getFirst(HttpHeaders.ACCESS_CONTROL_REQUEST_METHOD) != null;
    }

    private static void preflight(HttpHeaders request, ServerHttpResponse response) {
        HttpHeaders headers = response.getHeaders();
        headers.set(HttpHeaders.ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PATCH, DELETE");
        String wanted = request.getFirst(HttpHeaders.ACCESS_CONTROL_REQUEST_HEADERS);
        if (wanted != null) {
            headers.set(HttpHeaders.ACCESS_CONTROL_ALLOW_HEADERS, wanted);
        }
        headers.set(HttpHeaders.ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS);
        response.setRawStatusCode(204);
    }

    private void requireKey(ServerHttpRequest request) {
        if (keys.required() && !keys.accept(request.getHeaders())) {
            throw new Refusal(
                    401, "invalid_api_key", offered(request.getHeaders().getFirst("authorization")));
        }
    }

    private static String offered(@Nullable String authorization) {
        return authorization == null
                ? "No API key was given (expected: header Authorization: Bearer KEY)."
                : "The API key is not valid.";
    }
}
