package dev.chasqui.gateway.oauth;

import dev.chasqui.gateway.nodes.EventLoop;
import dev.chasqui.gateway.requests.RequestError;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.HttpHeaders;
import java.io.ByteArrayOutputStream;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import reactor.netty.ByteBufFlux;
import reactor.netty.http.client.HttpClient;
import reactor.netty.http.client.HttpClientResponse;
import reactor.netty.resources.ConnectionProvider;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The only requests that a gateway sends to anybody but its nodes and its database: to the providers that were set up. Bounded in time, in size
 * and in number; follows nobody elsewhere.
 */
final class Outgoing implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Outgoing.class);
    private static final int MOST_BYTES = 256 * 1024;
    private static final int CONNECTIONS = 8;
    private static final int WAITING = 64;
    private static final Duration IDLE = Duration.ofSeconds(20);

    private final ConnectionProvider connections;
    private final HttpClient client;
    private final Scheduler results;
    private final Duration patience;

    /** @param patience for one answer, from the first name that is looked up to its last byte */
    Outgoing(EventLoop loop, Duration patience) {
        this.patience = patience;
        connections = ConnectionProvider.builder("chasqui-sign-in")
                .maxConnections(CONNECTIONS)
                .pendingAcquireMaxCount(WAITING)
                .maxIdleTime(IDLE)
                .build();
        client = HttpClient.create(connections)
                .runOn(loop.resources())
                .secure()
                .proxyWithSystemProperties()
                .followRedirect(false)
                .headers(headers -> headers.set("user-agent", "chasqui").set("accept", "application/json"));
        results = Schedulers.fromExecutor(loop);
    }

    /** @param json what was answered; any JSON, whatever the status */
    record Answer(int status, JsonNode json) {
        boolean isGood() {
            return status == 200;
        }

        /** A field's text; empty where there is none. */
        String text(String field) {
            return json.path(field).asString("");
        }
    }

    /** Asks for something. */
    Mono<Answer> get(String title, String url, Map<String, String> headers) {
        return answer(
                title, client.headers(all -> add(all, headers)).get().uri(url).response(Outgoing::read));
    }

    /** Sends a form. */
    Mono<Answer> post(String title, String url, Map<String, String> form) {
        byte[] body = encoded(form).getBytes(StandardCharsets.US_ASCII);
        return answer(
                title,
                client.headers(all -> all.set("content-type", "application/x-www-form-urlencoded"))
                        .post()
                        .uri(url)
                        .send(Mono.fromSupplier(() -> Unpooled.wrappedBuffer(body)))
                        .response(Outgoing::read));
    }

    /** As forms and addresses write it. */
    static String encoded(Map<String, String> form) {
        return form.entrySet().stream()
                .map(field -> field.getKey() + "="
                        + URLEncoder.encode(field.getValue(), StandardCharsets.UTF_8)
                                .replace("+", "%20"))
                .collect(Collectors.joining("&"));
    }

    private static void add(HttpHeaders all, Map<String, String> headers) {
        headers.forEach(all::set);
    }

    private static Flux<Answer> read(HttpClientResponse response, ByteBufFlux content) {
        return content.asByteArray()
                .reduceWith(ByteArrayOutputStream::new, Outgoing::joined)
                .map(body ->
                        new Answer(response.status().code(), JsonMapper.shared().readTree(body.toByteArray())))
                .flux();
    }

    private static ByteArrayOutputStream joined(ByteArrayOutputStream body, byte[] more) {
        if (body.size() + more.length > MOST_BYTES) {
            throw new IllegalStateException("too large an answer");
        }
        body.writeBytes(more);
        return body;
    }

    private Mono<Answer> answer(String title, Flux<Answer> answer) {
        return answer.single()
                .timeout(patience)
                .onErrorMap(error -> failure(title, problem(error)))
                .publishOn(results);
    }

    /** Never what an exception says, which may quote what was sent. */
    private static String problem(Throwable error) {
        if (error instanceof TimeoutException) {
            return "did not answer in time";
        }
        return error instanceof JacksonException || error instanceof IllegalStateException
                ? "answered what cannot be read"
                : "cannot be reached";
    }

    /** Says it in the log too: it is for whoever runs this server to look after. */
    static RequestError failure(String title, String problem) {
        log.warn("sign-in: {} {}", title, problem);
        return RequestError.http(502, title + " " + problem + ".", "provider_failed", null);
    }

    @Override
    public void close() {
        connections.dispose();
    }
}
