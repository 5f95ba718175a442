package dev.chasqui.gateway.conversations;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.gateway.nodes.EventLoop;
import dev.chasqui.gateway.nodes.GenerationOutcome;
import dev.chasqui.proto.v1.Delta;
import dev.chasqui.proto.v1.GenerationEvent;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

class RunningAnswerTest implements RunningAnswer.Surroundings {
    private static final Flux<GenerationEvent> HELLO = Flux.just(GenerationEvent.newBuilder()
            .setDelta(Delta.newBuilder().setContent("Hello").setTokens(1))
            .build());

    private final EventLoop loop = new EventLoop("test");
    private final Sinks.Empty<Void> stored = Sinks.empty();
    private final List<Message> ended = new ArrayList<>();
    private final Message question = Message.question("q", "c", "", 1, "Hi?", 0);
    private final RunningAnswer answer =
            new RunningAnswer(Message.answer("a", question, 2, "m", "me", Message.LeftOut.NOTHING, 0), this);

    @AfterEach
    void close() {
        loop.close();
    }

    @Test
    void runsUntilItsEndIsStored() {
        answer.start(HELLO);

        assertThat(answer.now().status()).isEqualTo(Message.Status.RUNNING);
        assertThat(answer.now().content()).isEqualTo("Hello");
        assertThat(ended).isEmpty();

        stored.tryEmitEmpty();

        assertThat(answer.now().status()).isEqualTo(Message.Status.COMPLETE);
        assertThat(answer.now().content()).isEqualTo("Hello");
        assertThat(ended).containsExactly(answer.now());
    }

    @Test
    void endsWithoutADatabaseThatIsAway() {
        answer.start(HELLO);

        stored.tryEmitError(new IllegalStateException("away"));

        assertThat(answer.now().status()).isEqualTo(Message.Status.COMPLETE);
        assertThat(answer.ended())
                .isNotNull()
                .extracting(AnswerStep.Ended::saved)
                .isEqualTo(false);
        assertThat(ended).isEmpty();
    }

    @Override
    public Mono<Void> save(Message soFar) {
        return Mono.empty();
    }

    @Override
    public Mono<Void> finish(Message whole) {
        return stored.asMono();
    }

    @Override
    public void grown(Message answer, boolean reasoning, int offset, String text) {}

    @Override
    public void ended(Message whole, GenerationOutcome outcome, long startNanos) {
        ended.add(whole);
    }

    @Override
    public EventLoop loop() {
        return loop;
    }

    @Override
    public Clock clock() {
        return Clock.systemUTC();
    }
}
