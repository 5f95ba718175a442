package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Who is let in, and what every answer carries. */
class AccessTest extends GatewayTest {
    private static final String KEY = "sk-0123456789";
    private static final String HI = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";

    @Override
    GatewaySettings settings() {
        return guarded(List.of("another-key", KEY), List.of("chat.example.com"), List.of("https://app.example.com"));
    }

    @ParameterizedTest
    @CsvSource({
        "Authorization,Bearer sk-0123456789,200",
        "Authorization,bearer sk-0123456789,200",
        "x-api-key,sk-0123456789,200",
        "Authorization,Bearer sk-012345678,401",
        "Authorization,Bearer ,401",
        "Authorization,Basic sk-0123456789,401",
        "x-nothing,x,401"
    })
    void aKeyIsNeeded(String header, String value, int status) throws Exception {
        HttpResponse<String> response = send(HttpRequest.newBuilder(uri("/v1/chat/completions"))
                .header("content-type", "application/json")
                .header(header, value)
                .POST(HttpRequest.BodyPublishers.ofString(HI)));

        assertThat(response.statusCode()).isEqualTo(status);
        if (status == 401) {
            assertThat(json(response.body()).at("/error/code").asString()).isEqualTo("invalid_api_key");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "/v1/models,401",
        "/api/models,401",
        "/models,401",
        "/metrics,401",
        "/v1/nothing,401",
        "/api/health,200",
        "/health,200",
        "/healthz,200",
        "/readyz,200",
        "/version,200"
    })
    void onlyWhatOneMustKnowBeforeOneHasAKeyIsOpen(String path, int status) throws Exception {
        assertThat(get(path).statusCode()).isEqualTo(status);
    }

    @ParameterizedTest
    @CsvSource({
        "localhost,200",
        "localhost:8080,200",
        "LOCALHOST,200",
        "localhost.,200",
        "127.0.0.1,200",
        "[::1]:8080,200",
        "chat.example.com,200",
        "chat.example.com:443,200",
        "evil.example.com,403",
        "127.0.0.1.evil.example.com,403",
        "localhost.evil.example.com:8080,403",
        "192.168.1.5,403",
        "chat.example.com@evil.example.com,403",
    })
    void onlyKnownNamesAreAnswered(String host, int status) throws Exception {
        assertThat(raw("GET /health HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n"))
                .startsWith("HTTP/1.1 " + status);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET /health HTTP/1.1\r\nConnection: close\r\n\r\n",
                "GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example.com\r\nConnection: close\r\n\r\n"
            })
    void oneNameIsNeeded(String request) throws Exception {
        assertThat(raw(request)).startsWith("HTTP/1.1 4");
    }

    @ParameterizedTest
    @CsvSource({
        "https://app.example.com,200",
        "http://localhost:PORT,200",
        "https://localhost:PORT,200",
        "http://localhost:1,403",
        "https://evil.example.com,403",
        "null,403",
        "http://127.0.0.1:PORT,403",
    })
    void onlyPagesOfOursOrOfKnownOriginsMayAsk(String origin, int status) throws Exception {
        String port = Integer.toString(gateway.port());
        String response = raw("GET /api/health HTTP/1.1\r\nHost: localhost:" + port + "\r\nOrigin: "
                + origin.replace("PORT", port) + "\r\nConnection: close\r\n\r\n");

        assertThat(response).startsWith("HTTP/1.1 " + status);
        assertThat(response.toLowerCase(Locale.ROOT).contains("access-control-allow-origin: https://app.example.com"))
                .isEqualTo(origin.equals("https://app.example.com"));
    }

    @Test
    void preflightOfAKnownOriginNeedsNoKey() throws Exception {
        String response = raw("OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
                + "Origin: https://app.example.com\r\nAccess-Control-Request-Method: POST\r\n"
                + "Access-Control-Request-Headers: authorization,content-type\r\nConnection: close\r\n\r\n");

        assertThat(response)
                .startsWith("HTTP/1.1 204")
                .containsIgnoringCase("access-control-allow-origin: https://app.example.com")
                .containsIgnoringCase("access-control-allow-headers: authorization,content-type")
                .containsIgnoringCase("access-control-allow-methods: GET, POST, PATCH, DELETE");
    }

    @Test
    void preflightOfAStrangerIsRefused() throws Exception {
        assertThat(raw("OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
                        + "Origin: https://evil.example.com\r\nAccess-Control-Request-Method: POST\r\n"
                        + "Connection: close\r\n\r\n"))
                .startsWith("HTTP/1.1 403")
                .doesNotContainIgnoringCase("access-control-allow");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/health", "/", "/v1/models", "/api/nothing", "/nothing"})
    void everyAnswerCarriesTheSecurityHeaders(String path) throws Exception {
        HttpResponse<String> response = get(path);

        assertThat(response.headers().map())
                .containsEntry("x-content-type-options", List.of("nosniff"))
                .containsEntry("x-frame-options", List.of("DENY"))
                .containsEntry("referrer-policy", List.of("no-referrer"))
                .containsEntry("cross-origin-opener-policy", List.of("same-origin"))
                .containsEntry("cross-origin-resource-policy", List.of("same-origin"))
                .containsKey("permissions-policy")
                .containsKey("x-request-id")
                .doesNotContainKey("server");
        assertThat(response.headers().firstValue("content-security-policy"))
                .hasValueSatisfying(policy -> assertThat(policy)
                        .startsWith("default-src 'none'; script-src 'self';")
                        .doesNotContain("unsafe"));
    }

    @Test
    void aRequestsOwnIdComesBackUnlessItIsOdd() throws Exception {
        HttpResponse<String> plain = send(HttpRequest.newBuilder(uri("/health")).header("x-request-id", "abc-1.2_3"));
        HttpResponse<String> odd = send(HttpRequest.newBuilder(uri("/health")).header("x-request-id", "a b\"<script>"));

        assertThat(plain.headers().firstValue("x-request-id")).hasValue("abc-1.2_3");
        assertThat(odd.headers().firstValue("x-request-id"))
                .hasValueSatisfying(id -> assertThat(id).matches("[0-9a-f]{16}"));
    }

    @Test
    void headersHaveABound() throws Exception {
        try (Socket socket = new Socket("127.0.0.1", gateway.port())) {
            socket.setSoTimeout(10_000);
            byte[] endless = "x".repeat(1 << 16).getBytes(StandardCharsets.US_ASCII);
            socket.getOutputStream()
                    .write("GET /health HTTP/1.1\r\nHost: localhost\r\nX-Long: ".getBytes(StandardCharsets.US_ASCII));
            assertThatThrownBy(() -> {
                        for (int i = 0; i < 1_000; i++) {
                            socket.getOutputStream().write(endless);
                        }
                    })
                    .as("64 MB of one header")
                    .isInstanceOf(IOException.class);
        }
        assertThat(get("/health").statusCode()).isEqualTo(200);
    }

    private String raw(String request) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", gateway.port())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
