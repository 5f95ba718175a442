package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.answers.Answers;
import dev.chasqui.gateway.nodes.ModelNames;
import dev.chasqui.gateway.nodes.NodeRouter;
import dev.chasqui.gateway.requests.Dialect;
import dev.chasqui.gateway.requests.RequestBody;
import dev.chasqui.gateway.requests.Routes;
import java.time.Clock;
import org.springframework.http.HttpMethod;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Mono;

/** OpenAI's dialect: what is below {@code /v1/}, and what llama.cpp's and vLLM's servers added to it. */
public final class OpenAiRoutes implements Dialect {
    /** Of the heap for responses that are kept. */
    private static final int STORED_SHARE = 16;

    private final Routes routes = new Routes();

    /** @param reasoningField where a chat tells what a model thought */
    public OpenAiRoutes(
            NodeRouter nodes,
            RequestBody bodies,
            Answers answers,
            ModelNames names,
            String reasoningField,
            Clock clock) {
        ChatCompletionsController chats =
                new ChatCompletionsController(nodes, bodies, answers, names, reasoningField, clock);
        CompletionsController completions = new CompletionsController(nodes, bodies, answers, names, clock);
        ResponsesController responses = new ResponsesController(
                nodes, bodies, answers, names, clock, Runtime.getRuntime().maxMemory() / STORED_SHARE);
        EmbeddingsController embeddings = new EmbeddingsController(nodes, bodies, answers, names);
        RerankController rerank = new RerankController(nodes, bodies, names);
        TokensController tokens = new TokensController(nodes, bodies, names);
        ModelsController models = new ModelsController(nodes, names);
        routes.add(HttpMethod.POST, "/v1/chat/completions", (exchange, name) -> chats.create(exchange))
                .add(HttpMethod.POST, "/v1/completions", (exchange, name) -> completions.create(exchange))
                .add(HttpMethod.POST, "/v1/responses", (exchange, name) -> responses.create(exchange))
                .add(HttpMethod.POST, "/v1/responses/input_tokens", (exchange, name) -> responses.count(exchange))
                .add(HttpMethod.POST, "/v1/responses/{id}/cancel", responses::cancel)
                .add(HttpMethod.GET, "/v1/responses/{id}/input_items", responses::inputItems)
                .add(HttpMethod.GET, "/v1/responses/{id}", responses::show)
                .add(HttpMethod.DELETE, "/v1/responses/{id}", responses::delete)
                .add(HttpMethod.POST, "/v1/embeddings", (exchange, name) -> embeddings.create(exchange))
                .add(HttpMethod.POST, "/v1/rerank", (exchange, name) -> rerank.create(exchange))
                .add(HttpMethod.POST, "/rerank", (exchange, name) -> rerank.create(exchange))
                .add(HttpMethod.POST, "/tokenize", (exchange, name) -> tokens.tokenize(exchange))
                .add(HttpMethod.POST, "/detokenize", (exchange, name) -> tokens.detokenize(exchange))
                .add(HttpMethod.GET, "/v1/models", (exchange, name) -> models.list(exchange.getResponse()))
                .add(HttpMethod.GET, "/v1/models/{id}", (exchange, id) -> models.show(exchange.getResponse(), id));
    }

    @Override
    public Routes routes() {
        return routes;
    }

    @Override
    public boolean owns(String path) {
        return path.startsWith("/v1/") || routes.name(path) != null;
    }

    @Override
    public Mono<Void> fail(ServerWebExchange exchange, RuntimeException failure) {
        ServerHttpResponse response = exchange.getResponse();
        OpenAiError error = OpenAiError.of(failure);
        Answers.failed(response, error.status(), error.retryAfter());
        if (error.retryAfter() == null && error.status() >= 500) {
            // Clients of OpenAI repeat a failed request unless they are told not to.
            response.getHeaders().set("x-should-retry", "false");
        }
        return Answers.json(response, error.body());
    }
}
