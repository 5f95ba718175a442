package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.accounts.Authentication;
import dev.chasqui.gateway.accounts.Principal;
import dev.chasqui.gateway.answers.Answers;
import dev.chasqui.gateway.conversations.Conversations;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.streams.StreamItem;
import dev.chasqui.gateway.streams.UserEvents;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpMethod;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** {@code GET /api/stream/{user_id}}; {@code me} is whoever asks. */
final class StreamsController {
    private final UserEvents events;
    private final Conversations conversations;
    private final Answers answers;
    private final Authentication authentication;

    StreamsController(UserEvents events, Conversations conversations, Answers answers, Authentication authentication) {
        this.events = events;
        this.conversations = conversations;
        this.answers = answers;
        this.authentication = authentication;
    }

    Mono<Void> open(ServerWebExchange exchange, String userId) {
        String own = Principal.of(exchange).userId();
        if (!userId.equals(own) && !userId.equals("me")) {
            throw RequestError.http(404, "There is no such user.", "user_not_found", null);
        }
        if (exchange.getRequest().getMethod().equals(HttpMethod.HEAD)) {
            // A stream without an end and without a body is nobody's.
            exchange.getResponse().getHeaders().set("content-type", "text/event-stream; charset=utf-8");
            return exchange.getResponse().setComplete();
        }
        Flux<StreamItem> stream = events.open(own, last(exchange.getRequest()), conversations)
                .takeUntilOther(authentication.gone(exchange.getRequest()));
        return answers.endless(exchange, stream, new StreamEncoder());
    }

    /** Browsers send the header when they come back by themselves; a page that was loaded anew has to say it. */
    private static @Nullable String last(ServerHttpRequest request) {
        String header = request.getHeaders().getFirst("last-event-id");
        return header != null ? header : request.getQueryParams().getFirst("last_event_id");
    }
}
