package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.nodes.EventLoop;
import dev.chasqui.gateway.nodes.GenerationOutcome;
import dev.chasqui.gateway.nodes.NodeRouter;
import dev.chasqui.proto.v1.GenerationEvent;
import java.time.Clock;
import java.util.concurrent.ThreadLocalRandom;
import org.springframework.core.io.buffer.DataBufferFactory;
import org.springframework.http.HttpHeaders;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** {@code POST /v1/chat/completions}. */
final class ChatCompletionsController {
    private static final String ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    private static final int ID_LENGTH = 29;

    private final NodeRouter nodes;
    private final RequestBody bodies;
    private final EventLoop loop;
    private final SseStream.Pings pings;
    private final Clock clock;

    ChatCompletionsController(
            NodeRouter nodes, RequestBody bodies, EventLoop loop, SseStream.Pings pings, Clock clock) {
        this.nodes = nodes;
        this.bodies = bodies;
        this.loop = loop;
        this.pings = pings;
        this.clock = clock;
    }

    Mono<Void> create(ServerWebExchange exchange) {
        return bodies.read(exchange.getRequest(), body -> answer(exchange, ChatCompletionRequest.parse(body)));
    }

    private Mono<Void> answer(ServerWebExchange exchange, ChatCompletionRequest request) {
        Flux<GenerationEvent> events = nodes.chat(request.chat());
        GenerationOutcome outcome = new GenerationOutcome();
        exchange.getAttributes().put(OpenAiRoutes.OUTCOME_ATTRIBUTE, outcome);
        String id = id();
        long created = clock.instant().getEpochSecond();
        int choices = request.chat().getChoices();
        return request.stream()
                ? stream(
                        exchange.getResponse(),
                        events,
                        new ChatCompletionEncoder(id, created, fingerprint(), choices, request.includeUsage()),
                        outcome)
                : whole(exchange.getResponse(), events, new WholeAnswer(id, created, fingerprint(), choices), outcome);
    }

    private Mono<Void> stream(
            ServerHttpResponse response,
            Flux<GenerationEvent> events,
            ChatCompletionEncoder encoder,
            GenerationOutcome outcome) {
        HttpHeaders headers = response.getHeaders();
        headers.set("content-type", "text/event-stream; charset=utf-8");
        headers.set("cache-control", "no-cache");
        headers.set("x-accel-buffering", "no");
        DataBufferFactory buffers = response.bufferFactory();
        return new SseStream(events, encoder, buffers, loop, pings, outcome).writeTo(response);
    }

    private static Mono<Void> whole(
            ServerHttpResponse response, Flux<GenerationEvent> events, WholeAnswer answer, GenerationOutcome outcome) {
        return events.doOnNext(event -> {
                    outcome.note(event);
                    answer.add(event);
                })
                .then(Mono.defer(() -> OpenAiRoutes.json(response, answer.encode())));
    }

    /** The same as long as the same nodes run the same builds. */
    private String fingerprint() {
        int hash = 7;
        for (var view : nodes.views()) {
            hash = 31 * hash + view.status().getVersion().hashCode();
            hash = 31 * hash + view.status().getLlamaCppVersion().hashCode();
        }
        return "fp_" + Integer.toHexString(hash);
    }

    private static String id() {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        StringBuilder id = new StringBuilder("chatcmpl-");
        for (int i = 0; i < ID_LENGTH; i++) {
            id.append(ALPHABET.charAt(random.nextInt(ALPHABET.length())));
        }
        return id.toString();
    }
}
