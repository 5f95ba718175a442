package dev.chasqui.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a freed slot keeps, and who profits. */
final class PrefixReuseTest {
    private final EngineBench bench = EngineBench.withSlots(2);

    @AfterEach
    void close() {
        bench.close();
    }

    @Test
    void aNextTurnComputesOnlyWhatIsNew() {
        Ask first = Ask.tokens(100).saying(Words.bytes("answer"));
        bench.run(first);
        long computedBefore = bench.engine.status().kvTokens();
        Ask second = Ask.prompt(Words.concat(first.prompt, Words.bytes("answer"), Words.bytes("more")))
                .max(3);
        bench.run(second);

        // The first answer's last token was never computed.
        assertThat(second.answer.completion().cachedTokens()).isEqualTo(105);
        assertThat(computedBefore).isEqualTo(105);
        assertThat(second.answer.prompts())
                .singleElement()
                .satisfies(progress -> assertThat(progress[0]).isEqualTo(110));
        assertThat(second.answer.text()).isEqualTo(EngineBench.alone(second));
        assertThat(bench.engine.status().cachedTokens()).isEqualTo(105);
        assertThat(bench.engine.status().promptTokens()).isEqualTo(210);
    }

    @Test
    void theSamePromptAgainComputesItsLastTokenOnly() {
        bench.run(Ask.tokens(100).max(4));
        Ask again = Ask.tokens(100).max(4);
        bench.run(again);

        assertThat(again.answer.completion().cachedTokens()).isEqualTo(99);
        assertThat(again.answer.text()).isEqualTo(EngineBench.alone(again));
    }

    @Test
    void aPromptThatPartsWaysKeepsWhatItShares() {
        Ask first = Ask.tokens(100).max(4);
        bench.run(first);
        int[] other = first.prompt.clone();
        other[60] ^= 1;
        Ask second = Ask.prompt(other).max(4);
        bench.run(second);

        assertThat(second.answer.completion().cachedTokens()).isEqualTo(60);
        assertThat(second.answer.text()).isEqualTo(EngineBench.alone(second));
    }

    @Test
    void twoConversationsDoNotForgetEachOther() {
        Ask[] turns = {Ask.tokens(100, 1).max(4), Ask.tokens(100, 2).max(4)};
        bench.run(turns[0]);
        bench.run(turns[1]);
        Ask[] again = {Ask.tokens(100, 1).max(4), Ask.tokens(100, 2).max(4)};
        bench.run(again[0]);
        bench.run(again[1]);

        assertThat(again[0].answer.completion().cachedTokens()).isEqualTo(99);
        assertThat(again[1].answer.completion().cachedTokens()).isEqualTo(99);
    }

    @Test
    void aShortSharedBeginningDoesNotCostAnotherItsHistory() {
        Ask history = Ask.tokens(200, 1).max(1);
        bench.run(history);
        int[] greeting = Words.concat(java.util.Arrays.copyOf(history.prompt, 5), Words.bytes("bye"));
        bench.run(Ask.prompt(greeting).max(1));
        Ask again = Ask.tokens(200, 1).max(1);
        bench.run(again);

        assertThat(again.answer.completion().cachedTokens()).isEqualTo(199);
    }

    @Test
    void forgetsTheSlotThatRestedLongest() {
        bench.run(Ask.tokens(50, 1).max(1));
        bench.ticker.advance(1);
        bench.run(Ask.tokens(50, 2).max(1));
        bench.run(Ask.tokens(50, 3).max(1));
        Ask second = Ask.tokens(50, 2).max(1);
        bench.run(second);

        assertThat(second.answer.completion().cachedTokens()).isEqualTo(49);
    }

    @Test
    void reusesWhatACancelledRequestComputed() {
        Ask leaving = bench.submit(Ask.tokens(300).max(4));
        bench.steps(2);
        leaving.generation.cancel();
        bench.step();
        Ask again = Ask.tokens(300).max(4);
        bench.run(again);

        assertThat(again.answer.completion().cachedTokens()).isEqualTo(128);
        assertThat(again.answer.text()).isEqualTo(EngineBench.alone(again));
    }

    @Test
    void keepsNothingOfAStepThatWasInterrupted() {
        Ask leaving = bench.submit(Ask.tokens(300).max(4));
        bench.step();
        bench.runner.halfWay = () -> {
            bench.runner.interrupt();
            leaving.generation.cancel();
        };
        bench.step();
        bench.runner.halfWay = () -> {};
        bench.step();
        Ask again = Ask.tokens(300).max(4);
        bench.run(again);

        assertThat(bench.runner.interruptions).isEqualTo(1);
        assertThat(again.answer.completion().cachedTokens()).isEqualTo(64);
        assertThat(again.answer.text()).isEqualTo(EngineBench.alone(again));
    }

    @Test
    void worksWithAMemoryThatCanOnlyBeEmptied() {
        bench.runner.cutsTails = false;
        Ask first = Ask.tokens(100).saying(Words.bytes("answer"));
        bench.run(first);
        Ask parting = Ask.tokens(100).max(4);
        bench.run(parting);
        Ask next = Ask.prompt(Words.concat(first.prompt, Words.bytes("answe"), Words.bytes("more")))
                .max(3);
        bench.run(next);

        assertThat(parting.answer.completion().cachedTokens()).isZero();
        assertThat(parting.answer.text()).isEqualTo(EngineBench.alone(parting));
        assertThat(next.answer.text()).isEqualTo(EngineBench.alone(next));
    }

    @Test
    void anInterruptedAnswerGoesOnWithAMemoryThatCanOnlyBeEmptied() {
        bench.runner.cutsTails = false;
        Ask ask = bench.submit(Ask.tokens(100).max(20));
        Ask other = bench.submit(Ask.tokens(30, 1).max(20));
        bench.steps(5);
        bench.runner.halfWay = bench.runner::interrupt;
        bench.step();
        bench.runner.halfWay = () -> {};
        bench.run();

        ask.answer.completion();
        assertThat(ask.answer.text()).isEqualTo(EngineBench.alone(ask));
        assertThat(other.answer.text()).isEqualTo(EngineBench.alone(other));
    }
}
