package dev.chasqui.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Beginnings that sequences have in common: computed once, copied, waited for, put away and brought back. */
final class SharedPrefixTest {
    private EngineBench bench = new EngineBench(8, 2048, 64, 64);

    @AfterEach
    void close() {
        bench.close();
        assertThat(bench.runner.saved).isZero();
    }

    @Test
    void promptsThatComeTogetherComputeTheirCommonBeginningOnce() {
        List<Ask> asks = crowd(8, 1000, 20);
        bench.submit(asks);
        bench.run();

        int computed = asks.stream()
                .mapToInt(ask -> ask.prompt.length - ask.answer.completion().cachedTokens())
                .sum();
        assertThat(computed).isEqualTo(1000 + 8 * 20);
        assertThat(asks).allSatisfy(ask -> assertThat(ask.answer.text()).isEqualTo(EngineBench.alone(ask)));
        assertThat(bench.engine.status().cachedTokens()).isEqualTo(7 * 1000);
    }

    @Test
    void questionsAboutOneTextAreComputedAsOnePiece() {
        largeBatches();
        List<Ask> asks = crowd(8, 1000, 20);
        bench.submit(asks);
        bench.run();

        assertThat(bench.runner.gathered).isBetween(1, 2);
        assertThat(asks).allSatisfy(ask -> assertThat(ask.answer.text()).isEqualTo(EngineBench.alone(ask)));
    }

    @Test
    void questionsThatBeginWithTheSameWordsAreCutBackToWhatAllHaveAlike() {
        largeBatches();
        List<Ask> asks = crowd(5, 1000, 20);
        bench.run(asks.get(0));
        int[] longer = Arrays.copyOf(asks.get(1).prompt, 1010);
        List<Ask> more = List.of(
                asks.get(2),
                Ask.prompt(Words.concat(longer, Words.bytes("other words"))).max(5),
                Ask.prompt(Words.concat(longer, Words.bytes("and others"))).max(5),
                asks.get(3));
        bench.run(asks.get(1));
        bench.submit(more);
        bench.run();

        assertThat(bench.runner.gathered).isPositive();
        assertThat(more).allSatisfy(ask -> {
            assertThat(ask.answer.text()).isEqualTo(EngineBench.alone(ask));
            assertThat(ask.answer.completion().cachedTokens()).isBetween(1000, 1010);
        });
    }

    @Test
    void whereNothingIsGatheredQuestionsAreComputedBySlots() {
        largeBatches();
        bench.runner.gathers = false;
        List<Ask> asks = crowd(8, 1000, 20);
        bench.submit(asks);
        bench.run();

        assertThat(bench.runner.gathered).isZero();
        assertThat(asks).allSatisfy(ask -> assertThat(ask.answer.text()).isEqualTo(EngineBench.alone(ask)));
    }

    @Test
    void whoIsMostUrgentIsNotLeftBehindByThoseWhoBeginAlike() {
        largeBatches();
        List<Ask> asks = crowd(6, 1000, 20);
        bench.run(asks.get(0));
        Ask urgent = bench.submit(Ask.tokens(50, 9).max(4).priority(-10));
        bench.submit(asks.subList(1, 6));
        bench.step();

        assertThat(bench.runner.gathered).isZero();
        assertThat(urgent.answer.times()).isNotEmpty();
        bench.run();
        assertThat(bench.runner.gathered).isPositive();
    }

    @Test
    void aNewcomerTakesWhatARunningAnswerHolds() {
        List<Ask> asks = crowd(2, 500, 10);
        bench.submit(asks.get(0).endless());
        bench.steps(20);
        assertThat(asks.get(0).answer.times()).isNotEmpty();
        bench.submit(asks.get(1));
        bench.steps(20);

        assertThat(asks.get(1).answer.completion().cachedTokens()).isEqualTo(500);
        assertThat(asks.get(1).answer.text()).isEqualTo(EngineBench.alone(asks.get(1)));
    }

    @Test
    void whoWaitsForALeaderThatLeavesGoesOnAlone() {
        List<Ask> asks = crowd(4, 1000, 20);
        bench.submit(asks);
        bench.steps(6);
        asks.get(0).generation.cancel();
        bench.run();

        assertThat(asks.get(1).answer.completion().cachedTokens()).isEqualTo(6 * 64);
        for (Ask ask : asks.subList(2, 4)) {
            assertThat(ask.answer.completion().cachedTokens()).isEqualTo(1000);
            assertThat(ask.answer.text()).isEqualTo(EngineBench.alone(ask));
        }
    }

    @Test
    void aLeaderIsAsUrgentAsWhoWaitsForHim() {
        Ask leader = bench.submit(Ask.tokens(1500, 1).max(4));
        bench.step();
        int[] shorter = Arrays.copyOf(leader.prompt, 150);
        Ask follower = bench.submit(Ask.prompt(shorter).max(4));
        Ask rival = bench.submit(Ask.tokens(600, 2).max(4));
        while (!follower.answer.ended()) {
            bench.step();
        }

        assertThat(follower.answer.completion().cachedTokens()).isEqualTo(149);
        assertThat(rival.answer.times()).isEmpty();
    }

    @Test
    void shortCommonBeginningsAreNotWaitedFor() {
        List<Ask> asks = crowd(2, 20, 100);
        bench.submit(asks);
        bench.step();
        bench.run();

        assertThat(bench.runner.copies).isZero();
        assertThat(asks.get(1).answer.completion().cachedTokens()).isZero();
    }

    @Test
    void aMemoryThatCannotBeCutIsCopiedOnlyWhole() {
        bench.runner.cutsTails = false;
        Ask first = Ask.tokens(300).saying(Words.bytes("answer"));
        bench.run(first);
        Ask parting = Ask.tokens(200).max(4);
        int[] whole = Words.concat(first.prompt, Words.bytes("answe"), Words.bytes("more"));
        List<Ask> next = List.of(Ask.prompt(whole).endless(), Ask.prompt(whole).max(3));
        bench.run(parting);
        bench.submit(next);
        bench.steps(40);

        assertThat(parting.answer.completion().cachedTokens()).isZero();
        assertThat(next.get(1).answer.text()).isEqualTo(EngineBench.alone(next.get(1)));
    }

    @Test
    void aConversationComesBackAfterManyOthers() {
        bench.close();
        bench = new EngineBench(1, 2048, 64, 64);
        Ask first = Ask.tokens(300, 1).saying(Words.bytes("answer"));
        bench.run(first);
        for (int other = 2; other < 5; other++) {
            bench.run(Ask.tokens(200, other).max(3));
        }
        Ask second = Ask.prompt(Words.concat(first.prompt, Words.bytes("answer"), Words.bytes("more")))
                .max(3);
        bench.run(second);

        assertThat(second.answer.completion().cachedTokens()).isEqualTo(305);
        assertThat(bench.runner.restores).isEqualTo(1);
        assertThat(second.answer.text()).isEqualTo(EngineBench.alone(second));
    }

    @Test
    void whatWasUsedLongestAgoIsForgottenFirst() {
        bench.close();
        bench = new EngineBench(1, 2048, 64, 64);
        for (int number = 1; number < 6; number++) {
            bench.run(Ask.tokens(300, number).max(1));
        }
        // A thousand tokens fit: numbers 2 to 4, and 5 is in the slot.
        Ask kept = Ask.tokens(300, 3).max(1);
        bench.run(kept);
        Ask forgotten = Ask.tokens(300, 1).max(1);
        bench.run(forgotten);

        assertThat(kept.answer.completion().cachedTokens()).isEqualTo(299);
        assertThat(forgotten.answer.completion().cachedTokens()).isZero();
    }

    @Test
    void whereNothingCanBeBroughtBackItIsComputed() {
        bench.close();
        bench = new EngineBench(1, 2048, 64, 64);
        bench.run(Ask.tokens(300, 1).max(1));
        bench.run(Ask.tokens(300, 2).max(1));
        bench.runner.busy = true;
        Ask again = Ask.tokens(300, 1).max(5);
        bench.run(again);

        assertThat(again.answer.completion().cachedTokens()).isZero();
        assertThat(again.answer.text()).isEqualTo(EngineBench.alone(again));
    }

    private void largeBatches() {
        bench.close();
        bench = new EngineBench(8, 2048, 256, 64);
    }

    /** Prompts that begin alike and end differently. */
    private static List<Ask> crowd(int count, int common, int own) {
        int[] beginning = Ask.tokens(common).prompt;
        List<Ask> asks = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int[] end = new int[own];
            Arrays.fill(end, 'a' + i);
            asks.add(Ask.prompt(Words.concat(beginning, end)).max(5));
        }
        return asks;
    }
}
