package dev.chasqui.gateway.requests;

import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/** One way of speaking HTTP: its routes, and its words for failures. */
public interface Dialect {
    /** What it answers. */
    Routes routes();

    /** Whether a path is its own, though there may be nothing at it. */
    boolean owns(String path);

    /**
     * Writes a failure as the whole answer.
     *
     * @param failure a {@link RequestError} or a {@code NodeException}
     */
    Mono<Void> fail(ServerWebExchange exchange, RuntimeException failure);
}
