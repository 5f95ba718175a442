package dev.chasqui.gateway.requests;

import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/** One way of speaking HTTP: its routes, and its words for failures. */
public interface Dialect {
    /** What it answers. */
    Routes routes();

    /** Whether a path is its own, though there may be nothing at it. */
    boolean owns(String path);

    /** Whether a request is its own; for those that share a path, whatever tells them apart. */
    default boolean owns(ServerHttpRequest request) {
        return owns(request.getPath().value());
    }

    /**
     * Writes a failure as the whole answer.
     *
     * @param failure a {@link RequestError} or a {@code NodeException}
     */
    Mono<Void> fail(ServerWebExchange exchange, RuntimeException failure);
}
