package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StaticPageTest extends GatewayTest {

    @Test
    void thePageIsServedAndNotSentTwice() throws Exception {
        HttpResponse<String> first = get("/");
        String etag = first.headers().firstValue("etag").orElseThrow();
        HttpResponse<String> second =
                send(HttpRequest.newBuilder(uri("/index.html")).header("if-none-match", etag));

        assertThat(first.statusCode()).isEqualTo(200);
        assertThat(first.headers().firstValue("content-type")).hasValue("text/html; charset=utf-8");
        assertThat(first.headers().firstValue("cache-control")).hasValue("no-cache");
        assertThat(first.body()).containsIgnoringCase("<!doctype html>");
        assertThat(second.statusCode()).isEqualTo(304);
        assertThat(second.body()).isEmpty();
    }

    @Test
    void itIsCompressedForThoseWhoTakeIt() throws Exception {
        HttpResponse<byte[]> response = HTTP.send(
                HttpRequest.newBuilder(uri("/"))
                        .header("accept-encoding", "gzip, br")
                        .build(),
                HttpResponse.BodyHandlers.ofByteArray());

        assertThat(response.headers().firstValue("content-encoding")).hasValue("gzip");
        byte[] plain = new GZIPInputStream(new ByteArrayInputStream(response.body())).readAllBytes();
        assertThat(plain).hasSizeGreaterThan(response.body().length);
        assertThat(new String(plain, java.nio.charset.StandardCharsets.UTF_8)).isEqualTo(get("/").body());
    }

    @Test
    void headTellsTheSizeOnly() throws Exception {
        HttpResponse<String> response =
                send(HttpRequest.newBuilder(uri("/")).method("HEAD", HttpRequest.BodyPublishers.noBody()));

        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.body()).isEmpty();
        assertThat(response.headers().firstValueAsLong("content-length").orElse(0))
                .isPositive();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/css",
                "/css/",
                "/%2e%2e/application.yaml",
                "/..%2fdev/chasqui/gateway/Gateway.class",
                "/.hidden.html",
                "/index.html/",
                "/index.html%00.js",
                "/index.class",
                "//index.html"
            })
    void nothingElseIsThere(String path) throws Exception {
        assertThat(get(path).statusCode()).isIn(400, 404);
    }

    @Test
    void thePageIsNotWrittenTo() throws Exception {
        assertThat(post("/index.html", "{}").statusCode()).isEqualTo(404);
    }
}
