package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.answers.Answers;
import dev.chasqui.gateway.nodes.ModelNames;
import dev.chasqui.gateway.nodes.NodeRouter;
import dev.chasqui.gateway.requests.ChatFields;
import dev.chasqui.gateway.requests.RequestBody;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.ToolChoice;
import java.time.Clock;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** {@code POST /v1/chat/completions}. */
final class ChatCompletionsController {
    private final NodeRouter nodes;
    private final RequestBody bodies;
    private final Answers answers;
    private final ModelNames names;
    private final String reasoningField;
    private final Clock clock;

    ChatCompletionsController(
            NodeRouter nodes,
            RequestBody bodies,
            Answers answers,
            ModelNames names,
            String reasoningField,
            Clock clock) {
        this.nodes = nodes;
        this.bodies = bodies;
        this.answers = answers;
        this.names = names;
        this.reasoningField = reasoningField;
        this.clock = clock;
    }

    Mono<Void> create(ServerWebExchange exchange) {
        return bodies.read(exchange.getRequest(), body -> answer(exchange, ChatCompletionRequest.parse(body, names)));
    }

    private Mono<Void> answer(ServerWebExchange exchange, ChatCompletionRequest request) {
        Flux<GenerationEvent> events = ChatFields.NAMES.in(nodes.chat(request.chat()));
        Heading heading = new Heading(Answers.id("chatcmpl-"), clock.instant().getEpochSecond(), nodes.fingerprint());
        CallWords words = request.functions() ? CallWords.FUNCTION : CallWords.TOOLS;
        int choices = request.chat().getChoices();
        boolean logprobs = request.chat().hasLogprobs();
        return request.stream()
                ? answers.stream(
                        exchange,
                        events,
                        new ChatCompletionEncoder(
                                heading, reasoningField, words, mayCall(request), choices, request.includeUsage()))
                : answers.whole(
                        exchange,
                        events,
                        choices,
                        answer -> ChatCompletionBody.encode(heading, reasoningField, words, logprobs, answer));
    }

    private static boolean mayCall(ChatCompletionRequest request) {
        return request.chat().getToolsCount() > 0
                && request.chat().getToolChoice().getMode() != ToolChoice.Mode.MODE_NONE;
    }
}
