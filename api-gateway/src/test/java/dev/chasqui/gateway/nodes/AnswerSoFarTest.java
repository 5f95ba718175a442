package dev.chasqui.gateway.nodes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.proto.v1.Admitted;
import dev.chasqui.proto.v1.Delta;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.TokenLogprob;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class AnswerSoFarTest {
    private final AnswerSoFar said = new AnswerSoFar();
    private final List<Integer> relayed = new ArrayList<>();

    @Test
    void whatANextNodeTellsAgainOfThePromptIsRelayedOnce() {
        admit();
        tell(0, 3);
        tell(3, 5);
        said.resume(1, 0);
        admit();
        tell(0, 4);
        tell(4, 7);
        said.resume(1, 0);
        admit();
        tell(0, 9);

        assertThat(relayed).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8);
        assertThat(said.canGoOn()).isTrue();
        assertThat(said.tokens()).isZero();
    }

    private void admit() {
        said.take(
                GenerationEvent.newBuilder()
                        .setAdmitted(Admitted.newBuilder().setModelFingerprint("same"))
                        .build(),
                event -> {});
    }

    /** Tokens of the prompt, each the number of its place. */
    private void tell(int from, int to) {
        Delta.Builder delta = Delta.newBuilder();
        for (int token = from; token < to; token++) {
            delta.addPromptLogprobs(TokenLogprob.newBuilder().setToken(token));
        }
        said.take(
                GenerationEvent.newBuilder().setDelta(delta).build(),
                event -> event.getDelta().getPromptLogprobsList().forEach(token -> relayed.add(token.getToken())));
    }
}
