package dev.chasqui.gateway;

import dev.chasqui.gateway.nodes.EventLoop;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.http.server.reactive.ServerHttpResponse;
import reactor.core.publisher.Mono;

/**
 * The page and its parts, from {@code /static/} on the class path. Each file is read once, beside the event loop, and
 * kept with its compressed form.
 */
final class StaticPage {
    private static final Map<String, String> TYPES = Map.ofEntries(
            Map.entry("html", "text/html; charset=utf-8"),
            Map.entry("js", "text/javascript; charset=utf-8"),
            Map.entry("mjs", "text/javascript; charset=utf-8"),
            Map.entry("css", "text/css; charset=utf-8"),
            Map.entry("json", "application/json"),
            Map.entry("webmanifest", "application/manifest+json"),
            Map.entry("txt", "text/plain; charset=utf-8"),
            Map.entry("svg", "image/svg+xml"),
            Map.entry("png", "image/png"),
            Map.entry("ico", "image/x-icon"),
            Map.entry("woff2", "font/woff2"));
    /** Names without dots in front, so that nothing climbs out of the folder. */
    private static final Pattern FILE = Pattern.compile("/(?:[\\w-]+/){0,5}[\\w-]+(?:[.-][\\w-]+)*\\.([a-z0-9]{2,11})");

    private static final int LEAST_COMPRESSED = 512;

    private final Map<String, Asset> assets = new ConcurrentHashMap<>();
    private final EventLoop loop;

    StaticPage(EventLoop loop) {
        this.loop = loop;
    }

    private static final class Asset {
        private final String type;
        private final byte[] plain;
        private final byte @Nullable [] gzip;
        private final String etag;

        Asset(String type, byte[] plain, byte @Nullable [] gzip) {
            this.type = type;
            this.plain = plain;
            this.gzip = gzip;
            this.etag = etag(plain);
        }
    }

    /** The file at this path, or false in an empty Mono where there is none. */
    Mono<Boolean> serve(ServerHttpRequest request, ServerHttpResponse response) {
        HttpMethod method = request.getMethod();
        if (!method.equals(HttpMethod.GET) && !method.equals(HttpMethod.HEAD)) {
            return Mono.just(false);
        }
        String path = request.getPath().value();
        String file = path.equals("/") ? "/index.html" : path;
        Matcher matcher = FILE.matcher(file);
        String type = matcher.matches() ? TYPES.get(matcher.group(1)) : null;
        if (type == null) {
            return Mono.just(false);
        }
        Asset known = assets.get(file);
        Mono<Asset> asset = known != null ? Mono.just(known) : loop.beside(() -> load(file, type));
        return asset.flatMap(found -> send(found, request, response).thenReturn(true))
                .defaultIfEmpty(false);
    }

    private static Mono<Void> send(Asset asset, ServerHttpRequest request, ServerHttpResponse response) {
        HttpHeaders headers = response.getHeaders();
        headers.set("etag", asset.etag);
        headers.set("cache-control", "no-cache");
        headers.set("vary", "accept-encoding");
        if (request.getHeaders().getOrEmpty("if-none-match").stream().anyMatch(v -> v.contains(asset.etag))) {
            response.setRawStatusCode(304);
            return response.setComplete();
        }
        byte[] gzip = asset.gzip;
        String accepted = request.getHeaders().getFirst("accept-encoding");
        boolean compress = gzip != null
                && accepted != null
                && accepted.toLowerCase(Locale.ROOT).contains("gzip");
        byte[] body = compress && gzip != null ? gzip : asset.plain;
        if (compress) {
            headers.set("content-encoding", "gzip");
        }
        headers.set("content-type", asset.type);
        headers.setContentLength(body.length);
        return response.writeWith(Mono.just(response.bufferFactory().wrap(body)));
    }

    private @Nullable Asset load(String file, String type) throws IOException {
        try (InputStream in = StaticPage.class.getResourceAsStream("/static" + file)) {
            if (in == null) {
                return null;
            }
            byte[] plain = in.readAllBytes();
            boolean text = (!type.startsWith("image/") && !type.startsWith("font/")) || type.startsWith("image/svg");
            byte[] gzip = text && plain.length >= LEAST_COMPRESSED ? gzip(plain) : null;
            Asset asset = new Asset(type, plain, gzip);
            assets.put(file, asset);
            return asset;
        }
    }

    private static byte[] gzip(byte[] plain) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
            gzip.write(plain);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static String etag(byte[] bytes) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes);
            return '"' + HexFormat.of().formatHex(hash, 0, 12) + '"';
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
    }
}
