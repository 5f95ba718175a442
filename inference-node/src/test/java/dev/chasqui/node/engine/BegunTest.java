package dev.chasqui.node.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** An answer that another engine had begun. */
final class BegunTest {
    private static final int[] SAID = Words.bytes("naïve 😀<en 日本 op<end> and more");
    private static final long LONG = 60_000_000_000L;

    private final EngineBench bench = new EngineBench(1, 128, 32, 4);

    @AfterEach
    void close() {
        bench.close();
    }

    private static Ask ask(int logprobs) {
        return Ask.tokens(5).saying(SAID).stops("<end>").logprobs(logprobs);
    }

    private Ask goOn(int logprobs, int tokens) {
        Ask ask = ask(logprobs).begun(Arrays.copyOf(SAID, tokens), 0);
        ask.sampler.behind(tokens);
        bench.run(ask);
        return ask;
    }

    @Test
    void goesOnBehindEachPieceAsIfNothingHadHappened() {
        for (int logprobs : new int[] {-1, 0}) {
            Ask whole = ask(logprobs);
            bench.run(whole);
            List<TokenChunk> chunks = whole.answer.chunks();
            assertThat(chunks).hasSizeGreaterThan(10);
            StringBuilder told = new StringBuilder();
            List<Integer> scored = new ArrayList<>();
            int tokens = 0;
            for (TokenChunk chunk : chunks) {
                told.append(chunk.text());
                chunk.logprobs().forEach(logprob -> scored.add(logprob.token()));
                tokens += chunk.tokens();

                Ask rest = goOn(logprobs, tokens);

                assertThat(told + rest.answer.text()).isEqualTo("naïve 😀<en 日本 op");
                assertThat(rest.answer.completion().completionTokens())
                        .isEqualTo(whole.answer.completion().completionTokens());
                assertThat(rest.answer.completion().promptTokens()).isEqualTo(5);
                assertThat(rest.answer.completion().stop()).isEqualTo("<end>");
                List<Integer> all = new ArrayList<>(scored);
                rest.answer.chunks().forEach(more -> more.logprobs().forEach(logprob -> all.add(logprob.token())));
                assertThat(all).isEqualTo(logprobs(whole));
            }
        }
    }

    private static List<Integer> logprobs(Ask ask) {
        return ask.answer.chunks().stream()
                .flatMap(chunk -> chunk.logprobs().stream())
                .map(TokenLogprob::token)
                .toList();
    }

    @Test
    void whatOnlyHasToEndIsNotComputed() {
        long steps = bench.engine.status().steps();
        Ask ask = Ask.tokens(5).saying(Words.bytes("abcd")).begun(Words.bytes("abcd"), 0);
        bench.run(ask);

        assertThat(ask.answer.completion().reason()).isEqualTo(Completion.Reason.MAX_TOKENS);
        assertThat(ask.answer.text()).isEmpty();
        assertThat(bench.engine.status().steps()).isEqualTo(steps);
    }

    @Test
    void theTimeSinceItWasAskedForCountsAsWaited() {
        Ask running = bench.submit(Ask.tokens(5).endless().max(4));
        bench.step();
        Ask newer = bench.submit(Ask.tokens(5, 1).saying('a'));
        Ask older = bench.submit(Ask.tokens(5, 2).saying('b', 'c').begun(new int[] {'b'}, LONG));
        while (!older.answer.ended()) {
            assertThat(newer.answer.ended()).isFalse();
            bench.step();
        }
        assertThat(running.answer.ended()).isTrue();
        while (!newer.answer.ended()) {
            bench.step();
        }
    }

    @Test
    void whatIsLongerThanTheContextIsRefused() {
        Ask ask = Ask.tokens(5).saying('a').begun(new int[124], 0);
        assertThatThrownBy(() -> bench.submit(ask))
                .isInstanceOfSatisfying(
                        EngineException.class,
                        e -> assertThat(e.reason()).isEqualTo(EngineException.Reason.CONTEXT_LENGTH_EXCEEDED));
    }
}
