package dev.chasqui.gateway.answers;

import dev.chasqui.gateway.nodes.EventLoop;
import dev.chasqui.gateway.nodes.GenerationOutcome;
import dev.chasqui.proto.v1.GenerationEvent;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Writes answers: as they come, or in one piece; and counts what is worth counting of them. */
public final class Answers {
    /** The exchange attribute that holds the {@code GenerationOutcome} of a request that streams or generates. */
    public static final String OUTCOME_ATTRIBUTE = "dev.chasqui.outcome";

    private static final String ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    private static final int ID_LENGTH = 29;

    private final EventLoop loop;
    private final Pings pings;

    /** @param pings of every stream */
    public Answers(EventLoop loop, Pings pings) {
        this.loop = loop;
        this.pings = pings;
    }

    /** A generation as it comes. */
    public Mono<Void> stream(
            ServerWebExchange exchange, Flux<GenerationEvent> events, AnswerEncoder<? super GenerationEvent> encoder) {
        GenerationOutcome outcome = outcome(exchange);
        return stream(exchange, events.doOnNext(outcome::note), new PlacePings(encoder), outcome);
    }

    /** Events of any kind as they come. */
    public <E> Mono<Void> streamOf(ServerWebExchange exchange, Flux<E> events, AnswerEncoder<? super E> encoder) {
        return stream(exchange, events, encoder, outcome(exchange));
    }

    /** Events without an end, which their source counts itself. */
    public <E> Mono<Void> endless(ServerWebExchange exchange, Flux<E> events, AnswerEncoder<? super E> encoder) {
        return stream(exchange, events, encoder, new GenerationOutcome());
    }

    private <E> Mono<Void> stream(
            ServerWebExchange exchange, Flux<E> events, AnswerEncoder<? super E> encoder, GenerationOutcome outcome) {
        ServerHttpResponse response = exchange.getResponse();
        HttpHeaders headers = response.getHeaders();
        headers.set("content-type", "text/event-stream; charset=utf-8");
        headers.set("cache-control", "no-cache");
        headers.set("x-accel-buffering", "no");
        BodyWriter.prepare(exchange);
        return new SseStream<E>(events, encoder, response, loop, pings, outcome).write();
    }

    /**
     * A generation in one piece, when it has ended.
     *
     * @param choices how many answers there are
     * @param encode makes the body of it
     */
    public Mono<Void> whole(
            ServerWebExchange exchange,
            Flux<GenerationEvent> events,
            int choices,
            Function<CollectedAnswer, byte[]> encode) {
        return collect(exchange, events, choices).flatMap(answer -> json(exchange.getResponse(), encode.apply(answer)));
    }

    /** A generation in one piece, to be written by the caller. */
    public Mono<CollectedAnswer> collect(ServerWebExchange exchange, Flux<GenerationEvent> events, int choices) {
        GenerationOutcome outcome = outcome(exchange);
        CollectedAnswer answer = new CollectedAnswer(choices);
        return events.doOnNext(event -> {
                    outcome.note(event);
                    answer.add(event);
                })
                .then(Mono.just(answer));
    }

    /** Computes what would hold up the event loop beside it. */
    public <T> Mono<T> beside(Callable<T> work) {
        return loop.beside(work);
    }

    private static GenerationOutcome outcome(ServerWebExchange exchange) {
        GenerationOutcome outcome = new GenerationOutcome();
        exchange.getAttributes().put(OUTCOME_ATTRIBUTE, outcome);
        return outcome;
    }

    /** A body of JSON. */
    public static Mono<Void> json(ServerHttpResponse response, byte[] body) {
        return bytes(response, "application/json", body);
    }

    /** A body of any type. */
    public static Mono<Void> bytes(ServerHttpResponse response, String type, byte[] body) {
        response.getHeaders().set("content-type", type);
        response.getHeaders().setContentLength(body.length);
        return response.writeWith(Mono.just(response.bufferFactory().wrap(body)));
    }

    /** The status of a failure, and when to come again: in whole seconds, and never too early. */
    public static void failed(ServerHttpResponse response, int status, @Nullable Duration retryAfter) {
        response.setRawStatusCode(status);
        if (retryAfter != null) {
            response.getHeaders().set("retry-after", Long.toString(Math.max(1, (retryAfter.toMillis() + 999) / 1000)));
        }
    }

    /** A new name for something, not to be guessed twice the same. */
    public static String id(String prefix) {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        StringBuilder id = new StringBuilder(prefix);
        for (int i = 0; i < ID_LENGTH; i++) {
            id.append(ALPHABET.charAt(random.nextInt(ALPHABET.length())));
        }
        return id.toString();
    }
}
