package dev.chasqui.gateway.access;

import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.http.server.reactive.ServerHttpResponse;

/**
 * Decides for each request whether it comes the right way: for one of our names, and from one of our pages or an origin
 * that the settings name.
 */
public final class AccessCheck {
    private static final Pattern ORIGIN = Pattern.compile("https?://[^/@\\s]+");
    private static final Pattern DEFAULT_PORT = Pattern.compile(":(80|443)$");
    private static final String PREFLIGHT_SECONDS = "600";

    private final AllowedHosts hosts;
    private final Set<String> origins;

    /**
     * @param boundHost the address that the server listens on
     * @param allowedHosts further names that it answers to
     * @param corsOrigins origins whose pages may call it, such as {@code https://app.example.com}; none: CORS is off
     */
    public AccessCheck(String boundHost, Collection<String> allowedHosts, Collection<String> corsOrigins) {
        hosts = new AllowedHosts(boundHost, allowedHosts);
        origins = Set.copyOf(
                corsOrigins.stream().map(o -> o.toLowerCase(Locale.ROOT)).toList());
    }

    /**
     * Lets the request in, or throws. Adds CORS headers to the response where they are due.
     *
     * @return whether the request was a CORS preflight, which this has answered in full but for sending it
     * @throws Refusal with the reason
     */
    public boolean admit(ServerHttpRequest request, ServerHttpResponse response) {
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
                        "x-request-id, request-id, retry-after, x-should-retry, x-ratelimit-limit-requests,"
                                + " x-ratelimit-remaining-requests, x-ratelimit-reset-requests, x-ratelimit-limit-tokens,"
                                + " x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens");
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
}
