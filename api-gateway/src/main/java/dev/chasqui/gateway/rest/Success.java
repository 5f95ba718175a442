package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.answers.Answers;
import java.nio.charset.StandardCharsets;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/** The envelope of what went well: {@code {"success":true,"data":…}}. */
final class Success {
    private Success() {}

    static Mono<Void> write(ServerWebExchange exchange, JsonNode data) {
        JsonNode body =
                JsonNodeFactory.instance.objectNode().put("success", true).set("data", data);
        exchange.getResponse().getHeaders().set("cache-control", "no-store");
        return Answers.json(exchange.getResponse(), body.toString().getBytes(StandardCharsets.UTF_8));
    }
}
