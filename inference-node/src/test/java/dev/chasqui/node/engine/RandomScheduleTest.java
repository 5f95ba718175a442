package dev.chasqui.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A million steps of whatever may happen: requests of all lengths, cancels between and within steps, deadlines, interrupts,
 * failures of runner and samplers, a cache that is too small. After every step the books must be right; every request must
 * end exactly once, for a reason that it had, and with the text that it would have had alone.
 */
final class RandomScheduleTest {
    private static final int STEPS = 250_000;
    private static final int CONTEXT = 48;
    private static final List<List<String>> STOPS =
            List.of(List.of(), List.of(), List.of("a", "the "), List.of("😀", "stop", "top"), List.of("e s", " ", "é"));

    private static final List<AdapterSet> ADAPTERS = List.of(
            AdapterSet.NONE,
            AdapterSet.NONE,
            AdapterSet.NONE,
            new AdapterSet(List.of(new AdapterSet.Use(0, 1))),
            new AdapterSet(List.of(new AdapterSet.Use(1, 0.5f), new AdapterSet.Use(0, 1))));

    private final EngineBench bench = new EngineBench(5, CONTEXT, 24, 12, 3, 0.8, 10_000);
    private final List<Wager> live = new ArrayList<>();
    private Random random = new Random();
    private long accepted;
    private long ended;
    private long completed;
    private long cancelled;
    private boolean threw;

    /** One at a time, so that it computes ahead. */
    private boolean lonely;

    @ParameterizedTest
    @CsvSource({"1, true", "2, true", "3, false", "4, true"})
    void everyAnswerIsWhatItWouldHaveBeenAlone(long seed, boolean cutsTails) {
        random = new Random(seed);
        bench.runner.cutsTails = cutsTails;
        for (int step = 0; step < STEPS; step++) {
            lonely = step / 500 % 4 == 0;
            disturb();
            submit();
            step();
        }
        finish();

        assertThat(ended).isEqualTo(accepted).isGreaterThan(STEPS / 20);
        assertThat(completed).isGreaterThan(accepted / 2);
        assertThat(cancelled).isGreaterThan(accepted / 100);
        assertThat(bench.runner.interruptions).isPositive();
        assertThat(bench.engine.status().draftedTokens())
                .isBetween(cutsTails ? 20L : 0, cutsTails ? Long.MAX_VALUE : 0);
        assertThat(bench.runner.copies).isGreaterThan(100);
        assertThat(bench.runner.gathered).isBetween(cutsTails ? 100 : 0, cutsTails ? Integer.MAX_VALUE : 0);
        assertThat(bench.runner.restores).isGreaterThan(100);
        EngineStatus status = bench.engine.status();
        assertThat(status.requests()).isEqualTo(accepted);
        assertThat(status.cancelled()).isEqualTo(cancelled);
        assertThat(status.queued()).isZero();
        assertThat(status.slotsInUse()).isZero();
        bench.close();
        assertThat(bench.runner.closed()).isTrue();
        assertThat(bench.runner.saved).isZero();
    }

    private void disturb() {
        bench.runner.cost = chance(10)
                ? ScriptedRunner.StepCost.linear(100_000_000, 5_000_000)
                : ScriptedRunner.StepCost.linear(1_000_000, 100_000);
        bench.runner.kvCapacity = chance(8) ? 100 + random.nextInt(150) : Integer.MAX_VALUE;
        bench.runner.saidKvTokens = chance(8) ? 100 + random.nextInt(150) : Long.MAX_VALUE;
        bench.runner.busy = chance(10);
        bench.runner.failure = chance(500) ? new IllegalStateException("trouble") : null;
        threw = bench.runner.failure != null;
        bench.runner.halfWay = chance(20) ? bench.runner::interrupt : chance(20) ? this::cancelOne : () -> {};
        if (chance(20)) {
            cancelOne();
        }
        if (chance(1000)) {
            bench.runner.interrupt();
        }
    }

    private void cancelOne() {
        if (!live.isEmpty()) {
            Wager wager = live.get(random.nextInt(live.size()));
            wager.cancelled = true;
            wager.ask.generation.cancel();
        }
    }

    private void submit() {
        if (!chance(3) || lonely && !live.isEmpty()) {
            return;
        }
        List<Wager> wagers = new ArrayList<>();
        for (int i = chance(5) ? 3 : 1; i > 0; i--) {
            wagers.add(new Wager());
        }
        try {
            bench.submit(wagers.stream().map(wager -> wager.ask).toList());
            accepted += wagers.size();
            live.addAll(wagers);
        } catch (EngineException e) {
            assertThat(e.reason()).isEqualTo(EngineException.Reason.QUEUE_FULL);
            assertThat(live.size() + wagers.size()).isGreaterThan(17);
        }
    }

    private void step() {
        bench.step();
        for (Iterator<Wager> it = live.iterator(); it.hasNext(); ) {
            Wager wager = it.next();
            if (wager.ask.answer.ended()) {
                wager.settle();
                it.remove();
                ended++;
            }
        }
    }

    private void finish() {
        bench.runner.kvCapacity = Integer.MAX_VALUE;
        bench.runner.failure = null;
        bench.runner.halfWay = () -> {};
        threw = false;
        for (int step = 0; !live.isEmpty(); step++) {
            assertThat(step).isLessThan(5000);
            step();
        }
        assertThat(bench.step()).isFalse();
    }

    private boolean chance(int oneIn) {
        return random.nextInt(oneIn) == 0;
    }

    /** A request, and what may become of it. */
    private final class Wager {
        private final long seed = random.nextInt(3);
        private final int failsAt = chance(50) ? random.nextInt(5) : Integer.MAX_VALUE;
        private final Ask ask;
        private boolean cancelled;

        Wager() {
            int family = random.nextInt(4);
            int shared = random.nextInt(30);
            int own = random.nextInt(CONTEXT - shared - 1);
            int[] prompt = Arrays.copyOf(Ask.tokens(shared, family).prompt, shared + own + (shared == 0 ? 1 : 0));
            for (int i = shared; i < prompt.length; i++) {
                prompt[i] = random.nextInt(Words.SIZE);
            }
            ask = Ask.prompt(prompt)
                    .max(chance(40) ? 0 : 1 + random.nextInt(30))
                    .sampler(failsAt < 5 ? ScriptedSampler.failingAt(seed, failsAt) : ScriptedSampler.seeded(seed))
                    .priority(chance(2) ? 0 : random.nextInt(201) - 100)
                    .logprobs(chance(20) ? 0 : -1)
                    .promptLogprobs(chance(8) ? random.nextInt(2) : -1)
                    .deadline(chance(30) ? bench.ticker.nanos() + random.nextInt(200_000_000) : Long.MAX_VALUE);
            ask.adapters = ADAPTERS.get(random.nextInt(ADAPTERS.size()));
            ask.stops = STOPS.get(random.nextInt(STOPS.size()));
        }

        void settle() {
            ask.answer.checkSane();
            assertThat(ask.sampler.timesClosed()).isEqualTo(1);
            Completion completion = ask.answer.completionOrNull();
            EngineException failure = ask.answer.failureOrNull();
            Expected expected = new Expected();
            if (completion != null) {
                completed++;
                assertThat(ask.answer.text()).isEqualTo(expected.text);
                assertThat(completion.reason()).isEqualTo(expected.reason);
                assertThat(completion.completionTokens()).isEqualTo(expected.count);
                assertThat(completion.cachedTokens()).isLessThan(ask.prompt.length);
                assertThat(ask.answer.promptLogprobs()).isEqualTo(EngineBench.promptLogprobs(ask));
            } else if (failure != null) {
                assertThat(expected.text).startsWith(ask.answer.text());
                explain(failure);
            }
        }

        private void explain(EngineException failure) {
            switch (failure.reason()) {
                case CANCELLED -> {
                    RandomScheduleTest.this.cancelled++;
                    assertThat(cancelled).isTrue();
                }
                case DEADLINE_EXCEEDED -> assertThat(ask.deadlineNanos).isLessThanOrEqualTo(bench.ticker.nanos());
                case INTERNAL -> {
                    String message = String.valueOf(failure.getMessage());
                    boolean sampler = message.contains("sampler") && failsAt < 5;
                    boolean room = message.contains("no room") && bench.runner.kvCapacity < Integer.MAX_VALUE;
                    boolean trouble = message.contains("trouble") && threw;
                    assertThat(sampler || room || trouble).as(message).isTrue();
                }
                default -> throw new AssertionError("nobody asked for this", failure);
            }
        }

        /** What the request answers without an engine. */
        private final class Expected {
            final int[] answer = new int[ask.maxTokens];
            final String text;
            int count;

            Completion.@Nullable Reason reason;

            Expected() {
                long state = ScriptedRunner.state(ask.prompt, ask.prompt.length, ask.adapters);
                reason = ask.maxTokens == 0 ? Completion.Reason.MAX_TOKENS : null;
                while (reason == null) {
                    int token = ScriptedSampler.token(state, seed, Words.SIZE);
                    state = ScriptedRunner.next(state, token, ask.adapters);
                    answer[count++] = token;
                    reason = end(token);
                }
                text = Words.text(Arrays.copyOf(answer, count), ask.stops);
                if (Words.stopped(Arrays.copyOf(answer, count), ask.stops)) {
                    reason = Completion.Reason.STOP_STRING;
                    count = 1;
                    while (!Words.stopped(Arrays.copyOf(answer, count), ask.stops)) {
                        count++;
                    }
                }
            }

            private Completion.@Nullable Reason end(int token) {
                if (token == Words.END) {
                    return Completion.Reason.END_OF_ANSWER;
                }
                if (count == ask.maxTokens) {
                    return Completion.Reason.MAX_TOKENS;
                }
                return ask.prompt.length + count == CONTEXT ? Completion.Reason.CONTEXT_FULL : null;
            }
        }
    }
}
