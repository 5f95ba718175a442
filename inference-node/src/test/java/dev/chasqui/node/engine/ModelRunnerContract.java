package dev.chasqui.node.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the engine relies on, whatever runs the model. */
public abstract class ModelRunnerContract {
    private static final int SLOTS = 4;
    private static final int CONTEXT = 128;
    private static final int BATCH = 32;

    /** Other shapes of a batch add up in another order. */
    private static final Offset<Float> ROUNDING = within(0.02f);

    private final List<AutoCloseable> open = new ArrayList<>();

    /** A runner with at least this much of everything. */
    protected abstract ModelRunner open(int slots, int contextTokens, int batchTokens);

    /** Two sets of adapters that a runner was opened with, which change what it computes. */
    protected abstract List<AdapterSet> adapters();

    /** A sampler that always takes the likeliest token. */
    protected abstract TokenSampler greedy();

    /** A sampler that cannot choose any token. */
    protected abstract TokenSampler failing();

    /** So many tokens of a prompt that differs from those of other numbers. */
    protected abstract int[] prompt(int length, int number);

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable one : open) {
            one.close();
        }
    }

    @Test
    void hasWhatItWasOpenedWith() {
        ModelRunner runner = runner();

        assertThat(runner.slots()).isEqualTo(SLOTS);
        assertThat(runner.contextTokens()).isGreaterThanOrEqualTo(CONTEXT);
        assertThat(runner.kvTokens()).isGreaterThanOrEqualTo((long) SLOTS * CONTEXT);
        assertThat(runner.batchTokens()).isGreaterThanOrEqualTo(BATCH).isGreaterThanOrEqualTo(runner.slots());
        for (int slot = 0; slot < SLOTS; slot++) {
            assertThat(runner.length(slot)).isZero();
        }
    }

    @Test
    void keepsWhatWasComputed() {
        ModelRunner runner = runner();

        assertThat(runner.decode(batch(prompt(10, 0), 0, 10, 2))).isEqualTo(ModelRunner.Outcome.DONE);

        assertThat(runner.length(2)).isEqualTo(10);
        assertThat(runner.length(1)).isZero();
    }

    @Test
    void computesAPromptInPiecesAsInOne() {
        ModelRunner runner = runner();
        int[] prompt = prompt(24, 0);
        Token whole = next(runner, prompt, 0, 0);

        runner.decode(batch(prompt, 0, 5, 1));
        runner.decode(batch(prompt, 5, 17, 1));
        Token pieces = next(runner, prompt, 17, 1);

        assertSame(runner, pieces, whole);
    }

    @Test
    void answersTheSameInCompany() {
        ModelRunner runner = runner();
        int[] prompt = prompt(6, 0);
        Token alone = next(runner, prompt, 0, 0);

        Batch crowd = batch(prompt(7, 1), 0, 7, 1);
        add(crowd, prompt, 0, 6, 2);
        int row = crowd.size() - 1;
        add(crowd, prompt(9, 2), 0, 9, 3);
        runner.decode(crowd);

        assertSame(runner, new Token(sample(runner, row), row), alone);
    }

    @Test
    void computesWithTheBatchsAdapters() {
        ModelRunner runner = runner();
        int[] prompt = prompt(12, 0);
        Token plain = next(runner, prompt, 0, 0);
        Batch first = batch(prompt, 0, prompt.length, 1, adapters().get(0));
        runner.decode(first);
        float other = runner.logprob(first.size() - 1, plain.id, 0).logprob();
        Batch second = batch(prompt, 0, prompt.length, 2, adapters().get(1));
        runner.decode(second);
        float third = runner.logprob(second.size() - 1, plain.id, 0).logprob();

        assertThat(Math.abs(other - plain.logprob)).isGreaterThan(2 * ROUNDING.value);
        assertThat(Math.abs(third - plain.logprob)).isGreaterThan(2 * ROUNDING.value);
        assertThat(Math.abs(third - other)).isGreaterThan(2 * ROUNDING.value);
    }

    @Test
    void adaptersOfOneBatchChangeNoOther() {
        ModelRunner runner = runner();
        int[] prompt = prompt(20, 0);
        Token plain = next(runner, prompt, 0, 0);
        Batch begun = batch(prompt, 0, 12, 1);
        runner.decode(begun);
        runner.decode(batch(prompt, 0, prompt.length, 2, adapters().get(0)));
        runner.decode(batch(prompt(9, 4), 0, 9, 3, adapters().get(1)));

        assertSame(runner, next(runner, prompt, 12, 1), plain);
    }

    @Test
    void goesOnFromWhereASlotWasCutBackTo() {
        ModelRunner runner = runner();
        int[] prompt = prompt(20, 0);
        Token expected = next(runner, prompt, 0, 0);
        runner.decode(batch(join(prompt, 12, prompt(18, 3)), 0, 30, 1));

        int left = runner.truncate(1, 12);

        assertThat(left).isIn(0, 12);
        assertThat(runner.length(1)).isEqualTo(left);
        assertSame(runner, next(runner, prompt, left, 1), expected);
    }

    @Test
    void cutsNothingFromAShorterSlot() {
        ModelRunner runner = runner();
        runner.decode(batch(prompt(10, 0), 0, 10, 0));

        assertThat(runner.truncate(0, 10)).isEqualTo(10);
        assertThat(runner.truncate(0, 50)).isEqualTo(10);
        assertThat(runner.truncate(1, 5)).isZero();
        assertThat(runner.length(0)).isEqualTo(10);
    }

    @Test
    void emptiesASlotAndNoOther() {
        ModelRunner runner = runner();
        Batch both = batch(prompt(10, 0), 0, 10, 0);
        add(both, prompt(10, 1), 0, 10, 1);
        runner.decode(both);

        assertThat(runner.truncate(0, 0)).isZero();

        assertThat(runner.length(0)).isZero();
        assertThat(runner.length(1)).isEqualTo(10);
    }

    @Test
    void goesOnFromACopyOfAnotherSlot() {
        ModelRunner runner = runner();
        int[] prompt = prompt(20, 0);
        Token expected = next(runner, prompt, 0, 0);
        runner.decode(batch(prompt(30, 1), 0, 30, 3));

        runner.copy(0, 3);
        assertThat(runner.length(3)).isEqualTo(20);
        int left = runner.truncate(3, 19);

        assertSame(runner, next(runner, prompt, left, 3), expected);
        assertThat(runner.length(0)).isEqualTo(20);
    }

    @Test
    void copiesWhatASlotHeldThoughItIsUsedAnewAtOnce() {
        ModelRunner runner = runner();
        int[] prompt = prompt(20, 0);
        Token expected = next(runner, prompt, 0, 0);

        runner.copy(0, 1);
        int left = runner.truncate(1, 19);
        runner.truncate(0, 0);
        Batch both = batch(prompt(10, 5), 0, 10, 0);
        add(both, prompt, left, 20, 1);
        assertThat(runner.decode(both)).isEqualTo(ModelRunner.Outcome.DONE);
        int row = both.size() - 1;

        assertSame(runner, new Token(sample(runner, row), row), expected);
    }

    /** What a slot holds of few or most of its tokens is copied in different ways. */
    @ParameterizedTest
    @ValueSource(ints = {24, 90})
    void computesSlotsThatBeginAlikeAsByThemselves(int alike) {
        ModelRunner runner = runner();
        int[] beginning = prompt(alike, 0);
        List<int[]> prompts = new ArrayList<>();
        List<Token> expected = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            prompts.add(join(beginning, alike, prompt(5 + i, 1 + i)));
            compute(runner, beginning, 0, alike, 0);
            expected.add(next(runner, prompts.get(i), alike, 0));
            runner.truncate(0, 0);
        }
        compute(runner, beginning, 0, alike, 1);
        runner.copy(1, 2);
        runner.copy(1, 3);

        for (int again = 0; again < 2; again++) {
            int[] rows = together(runner, prompts, alike);
            for (int i = 0; i < 3; i++) {
                assertSame(runner, new Token(sample(runner, rows[i]), rows[i]), expected.get(i));
                assertThat(runner.length(1 + i)).isEqualTo(prompts.get(i).length);
            }
            for (int i = 0; i < 3; i++) {
                int left = runner.truncate(1 + i, prompts.get(i).length - 1);
                assertSame(runner, next(runner, prompts.get(i), left, 1 + i), expected.get(i));
                runner.truncate(1 + i, alike);
            }
        }
    }

    /** With what slots hold alike changes what is behind it. */
    @Test
    void computesSlotsThatBeginAlikeWithTheBatchsAdapters() {
        ModelRunner runner = runner();
        List<int[]> prompts = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            prompts.add(join(prompt(24, 0), 24, prompt(5, 1 + i)));
        }
        for (AdapterSet adapters :
                List.of(AdapterSet.NONE, adapters().get(0), adapters().get(1))) {
            Batch alone = batch(prompts.get(1), 0, 29, 0, adapters);
            runner.decode(alone);
            Token expected = new Token(sample(runner, 28), 28);
            expected.logprob = runner.logprob(28, expected.id, 0).logprob();
            for (int slot = 1; slot <= 3; slot++) {
                runner.truncate(slot, 0);
                runner.decode(batch(prompts.get(0), 0, 24, slot, adapters));
            }
            Batch together = together(prompts, 24, adapters);
            assertThat(runner.decode(together)).isEqualTo(ModelRunner.Outcome.DONE);

            assertSame(runner, new Token(sample(runner, 9), 9), expected);
            runner.truncate(0, 0);
        }
    }

    @Test
    void interruptedSlotsThatBeginAlikeAreAsTheyWere() {
        ModelRunner runner = runner();
        List<int[]> prompts = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            prompts.add(join(prompt(24, 0), 24, prompt(5, 1 + i)));
            compute(runner, prompts.get(i), 0, 24, 1 + i);
        }
        together(runner, prompts, 24);
        for (int slot = 1; slot <= 3; slot++) {
            runner.truncate(slot, 24);
        }

        runner.interrupt();
        ModelRunner.Outcome outcome = runner.decode(together(prompts, 24, AdapterSet.NONE));

        for (int slot = 1; slot <= 3 && outcome == ModelRunner.Outcome.INTERRUPTED; slot++) {
            assertThat(runner.truncate(slot, 24)).isEqualTo(24);
        }
        if (outcome == ModelRunner.Outcome.INTERRUPTED) {
            together(runner, prompts, 24);
        }
        assertThat(runner.length(3)).isEqualTo(29);
    }

    /** Computes what comes behind the first {@code alike} tokens of three prompts in slots 1 to 3; returns their last rows. */
    private static int[] together(ModelRunner runner, List<int[]> prompts, int alike) {
        Batch batch = together(prompts, alike, AdapterSet.NONE);
        assertThat(runner.decode(batch)).isEqualTo(ModelRunner.Outcome.DONE);
        int[] rows = new int[prompts.size()];
        int end = 0;
        for (int i = 0; i < rows.length; i++) {
            end += prompts.get(i).length - alike;
            rows[i] = end - 1;
        }
        return rows;
    }

    private static Batch together(List<int[]> prompts, int alike, AdapterSet adapters) {
        Batch batch = new Batch();
        batch.clear(adapters);
        batch.alike(prompts.get(0), alike);
        for (int i = 0; i < prompts.size(); i++) {
            add(batch, prompts.get(i), alike, prompts.get(i).length, 1 + i);
        }
        return batch;
    }

    private static void compute(ModelRunner runner, int[] tokens, int from, int to, int slot) {
        for (int at = from; at < to; at += BATCH) {
            assertThat(runner.decode(batch(tokens, at, Math.min(to, at + BATCH), slot)))
                    .isEqualTo(ModelRunner.Outcome.DONE);
        }
    }

    @Test
    void bringsBackWhatWasSaved() {
        ModelRunner runner = runner();
        int[] prompt = prompt(20, 0);
        Token expected = next(runner, prompt, 0, 0);
        ModelRunner.SavedSlot saved = Objects.requireNonNull(runner.save(0, Long.MAX_VALUE));
        assertThat(saved.bytes()).isPositive();
        runner.truncate(0, 0);
        runner.decode(batch(prompt(12, 1), 0, 12, 0));
        runner.decode(batch(prompt(25, 2), 0, 25, 2));

        for (int slot : new int[] {2, 0}) {
            assertThat(runner.restore(slot, saved)).isTrue();
            assertThat(runner.length(slot)).isEqualTo(20);
            assertSame(runner, next(runner, prompt, runner.truncate(slot, 19), slot), expected);
        }
        saved.close();
    }

    @Test
    void savesNothingThatIsLargerThanWanted() {
        ModelRunner runner = runner();
        runner.decode(batch(prompt(20, 0), 0, 20, 0));

        assertThat(runner.save(0, 3)).isNull();
    }

    @Test
    void savingOrRestoringRightAfterACopyIsRefusedOrRight() {
        ModelRunner runner = runner();
        int[] prompt = prompt(20, 0);
        Token expected = next(runner, prompt, 0, 0);
        ModelRunner.SavedSlot saved = Objects.requireNonNull(runner.save(0, Long.MAX_VALUE));
        runner.copy(0, 1);

        ModelRunner.SavedSlot again = runner.save(1, Long.MAX_VALUE);
        if (again != null) {
            again.close();
        }
        boolean restored = runner.restore(1, saved);

        assertThat(runner.length(1)).isEqualTo(restored ? 20 : 0);
        assertSame(runner, next(runner, prompt, runner.truncate(1, 19), 1), expected);
        saved.close();
    }

    @Test
    void fillsASlotToItsLastToken() {
        ModelRunner runner = runner();
        int context = runner.contextTokens();
        int[] tokens = prompt(context, 0);
        for (int from = 0; from < context; from += BATCH) {
            assertThat(runner.decode(batch(tokens, from, Math.min(context, from + BATCH), 0)))
                    .isEqualTo(ModelRunner.Outcome.DONE);
        }

        assertThat(runner.length(0)).isEqualTo(context);
    }

    @Test
    void interruptWithoutADecodeCostsAtMostTheNextOne() {
        ModelRunner runner = runner();
        int[] prompt = prompt(16, 0);
        Token expected = next(runner, prompt, 0, 0);

        runner.interrupt();
        if (runner.decode(batch(prompt, 0, 8, 1)) == ModelRunner.Outcome.INTERRUPTED) {
            int left = runner.truncate(1, 0);
            assertThat(left).isZero();
            assertThat(runner.decode(batch(prompt, 0, 8, 1))).isEqualTo(ModelRunner.Outcome.DONE);
        }

        assertSame(runner, next(runner, prompt, 8, 1), expected);
    }

    @Test
    void interruptsFromAnotherThreadLeaveTheCacheUsable() throws Exception {
        ModelRunner runner = runner();
        int[] prompt = prompt(30, 0);
        Token expected = next(runner, prompt, 0, 0);
        Thread heckler = new Thread(() -> {
            for (int i = 0; i < 50; i++) {
                runner.interrupt();
                Thread.yield();
            }
        });
        heckler.start();
        int computed = 0;
        while (computed < 29 || heckler.isAlive()) {
            int to = Math.min(29, computed + 7);
            if (computed == to) {
                computed = runner.truncate(1, 3);
            } else if (runner.decode(batch(prompt, computed, to, 1)) == ModelRunner.Outcome.DONE) {
                computed = to;
            } else {
                computed = runner.truncate(1, computed);
            }
            assertThat(runner.length(1)).isEqualTo(computed);
        }
        heckler.join();
        if (runner.decode(batch(prompt, 0, 1, 2)) == ModelRunner.Outcome.INTERRUPTED) {
            runner.truncate(2, 0);
        }

        assertSame(runner, next(runner, prompt, computed, 1), expected);
    }

    @Test
    void aFailingSamplerSpoilsNoOther() {
        ModelRunner runner = runner();
        Batch batch = new Batch();
        List<Integer> rows = new ArrayList<>();
        for (int slot = 0; slot < 3; slot++) {
            add(batch, prompt(5, slot), 0, 5, slot);
            rows.add(batch.size() - 1);
        }
        runner.decode(batch);
        int expectedFirst = sample(runner, rows.get(0));
        int expectedLast = sample(runner, rows.get(2));
        TokenSampler[] samplers = {closing(greedy()), closing(failing()), closing(greedy())};
        int[] tokens = new int[3];

        runner.sample(3, samplers, rows.stream().mapToInt(i -> i).toArray(), tokens);

        assertThat(tokens).containsExactly(expectedFirst, -1, expectedLast);
    }

    @Test
    void namesTheLikeliestTokens() {
        ModelRunner runner = runner();
        Token token = next(runner, prompt(8, 0), 0, 0);

        TokenLogprob logprob = runner.logprob(token.row, token.id, 5);

        assertThat(logprob.token()).isEqualTo(token.id);
        assertThat(logprob.logprob()).isLessThanOrEqualTo(0);
        assertThat(logprob.top()).hasSize(5);
        assertThat(logprob.top().get(0).token()).isEqualTo(token.id);
        assertThat(logprob.top().get(0).logprob()).isEqualTo(logprob.logprob());
        assertThat(logprob.top())
                .isSortedAccordingTo((a, b) -> Float.compare(b.logprob(), a.logprob()))
                .extracting(TokenLogprob.Candidate::token)
                .doesNotHaveDuplicates();
        assertThat(runner.logprob(token.row, token.id, 0).top()).isEmpty();
    }

    @Test
    void interruptAfterCloseDoesNothing() {
        ModelRunner runner = open(SLOTS, CONTEXT, BATCH);
        runner.close();

        runner.interrupt();
    }

    private ModelRunner runner() {
        return closing(open(SLOTS, CONTEXT, BATCH));
    }

    private <T extends AutoCloseable> T closing(T one) {
        // Samplers go before the runner that they belong to.
        open.add(0, one);
        return one;
    }

    /** Computes a prompt's tokens from a place on and chooses the next one. */
    private Token next(ModelRunner runner, int[] prompt, int from, int slot) {
        Batch batch = batch(prompt, from, prompt.length, slot);
        assertThat(runner.decode(batch)).isEqualTo(ModelRunner.Outcome.DONE);
        int row = batch.size() - 1;
        Token token = new Token(sample(runner, row), row);
        token.logprob = runner.logprob(row, token.id, 0).logprob();
        return token;
    }

    private int sample(ModelRunner runner, int row) {
        int[] tokens = new int[1];
        runner.sample(1, new TokenSampler[] {closing(greedy())}, new int[] {row}, tokens);
        assertThat(tokens[0]).isNotNegative();
        return tokens[0];
    }

    private void assertSame(ModelRunner runner, Token actual, Token expected) {
        assertThat(runner.logprob(actual.row, expected.id, 0).logprob()).isCloseTo(expected.logprob, ROUNDING);
        assertThat(runner.logprob(actual.row, actual.id, 0).logprob()).isCloseTo(expected.logprob, ROUNDING);
    }

    private static Batch batch(int[] tokens, int from, int to, int slot) {
        return batch(tokens, from, to, slot, AdapterSet.NONE);
    }

    private static Batch batch(int[] tokens, int from, int to, int slot, AdapterSet adapters) {
        Batch batch = new Batch();
        batch.clear(adapters);
        return add(batch, tokens, from, to, slot);
    }

    private static Batch add(Batch batch, int[] tokens, int from, int to, int slot) {
        for (int position = from; position < to; position++) {
            batch.add(tokens[position], position, slot, position == to - 1);
        }
        return batch;
    }

    private static final class Token {
        final int id;
        final int row;
        float logprob;

        Token(int id, int row) {
            this.id = id;
            this.row = row;
        }
    }

    private static int[] join(int[] head, int length, int[] tail) {
        int[] joined = Arrays.copyOf(head, length + tail.length);
        System.arraycopy(tail, 0, joined, length, tail.length);
        return joined;
    }
}
