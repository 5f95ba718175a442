package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.answers.Answers;
import dev.chasqui.gateway.nodes.ModelNames;
import dev.chasqui.gateway.nodes.NodeRouter;
import dev.chasqui.gateway.requests.RequestBody;
import dev.chasqui.gateway.requests.SentNames;
import dev.chasqui.proto.v1.DetokenizeRequest;
import dev.chasqui.proto.v1.GenerateRequest;
import dev.chasqui.proto.v1.GenerationEvent;
import java.time.Clock;
import java.util.Collections;
import java.util.List;
import org.springframework.web.server.ServerWebExchange;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** {@code POST /v1/completions}: raw prompts, continued. */
final class CompletionsController {
    private static final SentNames NAMES = SentNames.of(
            "text", "prompt",
            "tokens", "prompt",
            "tokens.ids", "prompt",
            "messages", "prompt",
            "output_format", "response_format",
            "output_format.json_schema", "response_format.json_schema.schema",
            "output_format.grammar", "grammar",
            "choices", "n",
            "logprobs.top", "logprobs",
            "prompt_logprobs.top", "logprobs",
            "penalty_last_n", "repeat_last_n");

    private final NodeRouter nodes;
    private final RequestBody bodies;
    private final Answers answers;
    private final ModelNames names;
    private final Clock clock;

    CompletionsController(NodeRouter nodes, RequestBody bodies, Answers answers, ModelNames names, Clock clock) {
        this.nodes = nodes;
        this.bodies = bodies;
        this.answers = answers;
        this.names = names;
        this.clock = clock;
    }

    Mono<Void> create(ServerWebExchange exchange) {
        return bodies.read(exchange.getRequest(), body -> {
            CompletionRequest request = CompletionRequest.parse(body, names);
            return NAMES.in(echoes(request)).flatMap(echoes -> answer(exchange, request, echoes));
        });
    }

    private Mono<Void> answer(ServerWebExchange exchange, CompletionRequest request, List<String> echoes) {
        Flux<GenerationEvent> events = NAMES.in(
                MergedAnswers.of(request.calls().stream().map(nodes::generate).toList(), request.choicesEach()));
        Heading heading = new Heading(Answers.id("cmpl-"), clock.instant().getEpochSecond(), nodes.fingerprint());
        return request.stream()
                ? answers.stream(
                        exchange,
                        events,
                        new CompletionEncoder(heading, echoes, request.tellsPrompts(), request.includeUsage()))
                : answers.whole(
                        exchange, events, request.choices(), answer -> CompletionBody.encode(heading, echoes, answer));
    }

    /** What each choice begins with: mostly nothing. */
    private Mono<List<String>> echoes(CompletionRequest request) {
        if (!request.echo()) {
            return Mono.just(Collections.nCopies(request.choices(), ""));
        }
        return Flux.fromIterable(request.calls())
                .concatMap(this::text)
                .concatMapIterable(text -> Collections.nCopies(request.choicesEach(), text))
                .collectList();
    }

    private Mono<String> text(GenerateRequest call) {
        return call.hasTokens()
                ? nodes.detokenize(DetokenizeRequest.newBuilder()
                                .setModel(call.getModel())
                                .addAllTokens(call.getTokens().getIdsList())
                                .build())
                        .map(response -> response.getText())
                : Mono.just(call.getText());
    }
}
