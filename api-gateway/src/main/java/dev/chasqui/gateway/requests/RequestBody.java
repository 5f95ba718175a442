package dev.chasqui.gateway.requests;

import dev.chasqui.gateway.nodes.EventLoop;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferLimitException;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.http.MediaType;
import org.springframework.http.server.reactive.ServerHttpRequest;
import reactor.core.publisher.Mono;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectReader;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads the JSON of a request: bounded for one request, and over all that are being read, so that no number of large
 * bodies can exhaust the memory.
 */
public final class RequestBody {
    private static final int DEEPEST_NESTING = 100;
    /** Bodies from this size on are parsed beside the event loop. */
    private static final int LARGE = 256 * 1024;

    private static final ObjectReader READER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(DEEPEST_NESTING)
                            .maxStringLength(Integer.MAX_VALUE)
                            .build())
                    .build())
            .build()
            .readerFor(JsonNode.class);

    private final long limit;
    private final long limitOverAll;
    private final EventLoop loop;
    private final AtomicLong inMemory = new AtomicLong();

    /**
     * @param limit most bytes of one body
     * @param limitOverAll most bytes of all bodies that are in memory at once, not less than {@code limit}
     */
    public RequestBody(long limit, long limitOverAll, EventLoop loop) {
        this.limit = limit;
        this.limitOverAll = Math.max(limit, limitOverAll);
        this.loop = loop;
    }

    /**
     * Reads the body and hands it on. Its share of the memory is held until what comes of it has ended, because the
     * request lives that long.
     */
    public Mono<Void> read(ServerHttpRequest request, Function<JsonNode, Mono<Void>> then) {
        return read(
                request, Mono.error(() -> RequestError.badBody("The body is empty (expected: a JSON object).")), then);
    }

    /** As {@link #read(ServerHttpRequest, Function)}, but an empty body is an empty object. */
    public Mono<Void> readIfAny(ServerHttpRequest request, Function<JsonNode, Mono<Void>> then) {
        return read(request, Mono.fromSupplier(READER::createObjectNode), then);
    }

    private Mono<Void> read(ServerHttpRequest request, Mono<JsonNode> empty, Function<JsonNode, Mono<Void>> then) {
        requireJson(request.getHeaders().getFirst("content-type"));
        requirePlain(request.getHeaders().getFirst("content-encoding"));
        if (request.getHeaders().getContentLength() > limit) {
            return Mono.error(tooLarge());
        }
        return Mono.using(
                Reservation::new,
                reservation -> DataBufferUtils.join(
                                request.getBody().onErrorMap(e -> incomplete()).doOnNext(reservation::add), (int) limit)
                        .onErrorMap(DataBufferLimitException.class, e -> tooLarge())
                        .flatMap(this::parse)
                        .switchIfEmpty(empty)
                        .flatMap(then),
                Reservation::release);
    }

    private Mono<JsonNode> parse(DataBuffer body) {
        if (body.readableByteCount() < LARGE) {
            return Mono.just(tree(body));
        }
        return loop.beside(() -> tree(body));
    }

    private static JsonNode tree(DataBuffer body) {
        try (InputStream in = body.asInputStream(true)) {
            return tree(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * The JSON of a body.
     *
     * @throws RequestError where it is none, or nested too deeply
     */
    public static JsonNode tree(InputStream body) {
        try {
            return READER.readTree(body);
        } catch (StreamConstraintsException e) {
            throw RequestError.badBody("The body is nested too deeply, or one of its numbers or names is too long"
                    + " (expected: at most " + DEEPEST_NESTING + " levels).");
        } catch (JacksonException e) {
            // Jackson's own words can quote the body.
            TokenStreamLocation at = e.getLocation();
            throw RequestError.badBody("The body is not valid JSON"
                    + (at == null ? "." : ": line " + at.getLineNr() + ", column " + at.getColumnNr() + "."));
        }
    }

    private static void requireJson(@Nullable String contentType) {
        if (contentType == null) {
            return;
        }
        boolean good;
        try {
            MediaType type = MediaType.parseMediaType(contentType);
            String charset = type.getParameter("charset");
            good = type.getType().equals("application")
                    && (type.getSubtype().equals("json") || type.getSubtype().endsWith("+json"))
                    && (charset == null
                            || charset.replace("\"", "")
                                    .toLowerCase(Locale.ROOT)
                                    .equals("utf-8"));
        } catch (RuntimeException e) {
            good = false;
        }
        if (!good) {
            throw RequestError.http(
                    415, "content-type: expected application/json, in UTF-8.", "unsupported_media_type", null);
        }
    }

    /** A few compressed bytes can be a huge body. */
    private static void requirePlain(@Nullable String encoding) {
        if (encoding != null && !encoding.isBlank() && !encoding.equalsIgnoreCase("identity")) {
            throw RequestError.http(
                    415, "content-encoding: expected none; send the body as it is.", "unsupported_media_type", null);
        }
    }

    private static RequestError incomplete() {
        return RequestError.http(408, "The request did not arrive in full in time.", "request_timeout", null);
    }

    private RequestError tooLarge() {
        return RequestError.http(413, "The body is larger than " + limit + " bytes.", "request_too_large", null);
    }

    /** One request's share of the memory for bodies. */
    private final class Reservation {
        private long mine;

        void add(DataBuffer buffer) {
            int more = buffer.readableByteCount();
            mine += more;
            if (inMemory.addAndGet(more) > limitOverAll) {
                DataBufferUtils.release(buffer);
                throw RequestError.http(
                        503,
                        "The server is reading too many large requests at once.",
                        "overloaded",
                        Duration.ofSeconds(1));
            }
        }

        void release() {
            inMemory.addAndGet(-mine);
        }
    }
}
