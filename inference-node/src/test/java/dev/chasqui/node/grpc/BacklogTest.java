package dev.chasqui.node.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.node.engine.TokenChunk;
import dev.chasqui.node.engine.TokenLogprob;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class BacklogTest {
    private final Backlog backlog = new Backlog();

    @Test
    void aLongTextComesInPortionsOfABoundedSizeAndWhole() {
        StringBuilder said = new StringBuilder();
        for (int i = 0; i < 20_000; i++) {
            String piece = " wörd 🤔" + i;
            said.append(piece);
            backlog.add(new TokenChunk(piece, new int[2], 0, List.of()));
        }
        List<Backlog.Portion> portions = drained();

        StringBuilder text = new StringBuilder();
        portions.forEach(portion -> text.append(portion.text()));
        assertThat(text.toString()).isEqualTo(said.toString());
        assertThat(portions).allSatisfy(portion -> {
            assertThat(portion.text().length()).isLessThanOrEqualTo(Backlog.MOST_CHARACTERS);
            assertThat(Character.isHighSurrogate(
                            portion.text().charAt(portion.text().length() - 1)))
                    .isFalse();
        });
        assertThat(portions.stream().mapToInt(portion -> portion.ids().length).sum())
                .isEqualTo(40_000);
        assertThat(portions.size()).isBetween(2, 2 + 2 * said.length() / Backlog.MOST_CHARACTERS);
    }

    @Test
    void probabilitiesStayWithTheirTokensAndAreBoundedToo() {
        for (int i = 0; i < 1_000; i++) {
            backlog.add(new TokenChunk(
                    "" + (char) ('a' + i % 26), new int[] {i}, 0, List.of(new TokenLogprob(i, -1, List.of()))));
        }
        int next = 0;
        for (Backlog.Portion portion : drained()) {
            assertThat(portion.logprobs()).hasSizeBetween(1, Backlog.MOST_LOGPROBS);
            assertThat(portion.text()).hasSize(portion.logprobs().size());
            assertThat(portion.ids())
                    .containsExactly(portion.logprobs().stream()
                            .mapToInt(TokenLogprob::token)
                            .toArray());
            for (TokenLogprob one : portion.logprobs()) {
                assertThat(one.token()).isEqualTo(next++);
            }
        }
        assertThat(next).isEqualTo(1_000);
    }

    @Test
    void whatIsTooLargeForAPortionIsOneOfItsOwn() {
        backlog.add(new TokenChunk("a", new int[1], 0, List.of()));
        backlog.add(new TokenChunk("b".repeat(Backlog.MOST_CHARACTERS), new int[1], 0, List.of()));
        backlog.add(new TokenChunk("c", new int[1], 0, List.of(new TokenLogprob(1, 0, List.of()))));

        assertThat(drained())
                .extracting(portion -> portion.text().length())
                .containsExactly(1, Backlog.MOST_CHARACTERS, 1);
    }

    private List<Backlog.Portion> drained() {
        List<Backlog.Portion> portions = new ArrayList<>();
        while (!backlog.isEmpty()) {
            Backlog.Portion portion = backlog.poll();
            assertThat(portion).isNotNull();
            portions.add(portion);
        }
        assertThat(backlog.poll()).isNull();
        return portions;
    }
}
