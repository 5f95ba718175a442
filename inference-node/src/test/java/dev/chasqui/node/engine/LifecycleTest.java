package dev.chasqui.node.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Starting, draining and closing, most of it with the engine's own thread. */
@Timeout(60)
final class LifecycleTest {
    private final ScriptedRunner runner = new ScriptedRunner(4, 512, 64, Words.SIZE, new ManualTicker());

    @Test
    void answersOnItsOwnThread() throws Exception {
        try (Engine engine = Engine.start("engine", runner, new EngineOptions(16, 0, true), null, Ticker.system())) {
            List<Ask> asks = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                Ask ask = Ask.tokens(5 + i, i).max(10);
                asks.add(ask);
                engine.submit(List.of(ask.request()));
            }
            for (Ask ask : asks) {
                assertThat(ask.answer.awaitEnd()).isTrue();
                ask.answer.completion();
                assertThat(ask.answer.text()).isEqualTo(EngineBench.alone(ask));
            }
        }
    }

    @Test
    void restsWhenTheLastAnswerEndsAndBeforeThatIsTold() throws Exception {
        Ask first = Ask.tokens(5, 1).max(3);
        Ask last = Ask.tokens(5, 2).max(9);
        List<String> ended = new CopyOnWriteArrayList<>();
        runner.atRest = () -> ended.add(first.answer.ended() + " " + last.answer.ended());
        try (Engine engine = Engine.start("engine", runner, new EngineOptions(0, 0, true), null, Ticker.system())) {
            engine.submit(List.of(first.request(), last.request()));
            assertThat(last.answer.awaitEnd()).isTrue();

            assertThat(ended).containsExactly("true false");
        }
    }

    @Test
    void wakesUpForALateRequest() throws Exception {
        try (Engine engine = Engine.start("engine", runner, new EngineOptions(0, 0, true), null, Ticker.system())) {
            for (int i = 0; i < 50; i++) {
                Ask ask = Ask.tokens(5, i).max(2);
                engine.submit(List.of(ask.request()));
                assertThat(ask.answer.awaitEnd()).isTrue();
                assertThat(engine.awaitIdle(Duration.ofSeconds(30))).isTrue();
            }
            assertThat(engine.status().requests()).isEqualTo(50);
        }
    }

    @Test
    void sleepsWhereThereIsNothingToDo() throws Exception {
        try (Engine engine =
                Engine.start("idle engine", runner, new EngineOptions(0, 0, true), null, Ticker.system())) {
            Thread thread = Thread.getAllStackTraces().keySet().stream()
                    .filter(one -> one.getName().equals("idle engine"))
                    .findFirst()
                    .orElseThrow();
            assertThat(thread.isDaemon()).isTrue();
            while (thread.getState() != Thread.State.WAITING) {
                Thread.sleep(1);
            }
            assertThat(engine.awaitIdle(Duration.ZERO)).isTrue();
        }
    }

    @Test
    void drainLetsRunningAndWaitingOnesFinish() throws Exception {
        try (EngineBench bench = EngineBench.withSlots(1)) {
            Ask running = bench.submit(Ask.tokens(5, 1).max(5));
            Ask waiting = bench.submit(Ask.tokens(5, 2).max(5));
            bench.step();
            bench.engine.drain();

            assertShutDown(() -> bench.submit(Ask.tokens(5, 3)));
            assertShutDown(() -> bench.engine.checkRoom(1));
            assertThat(bench.engine.awaitIdle(Duration.ZERO)).isFalse();
            bench.run();
            running.answer.completion();
            waiting.answer.completion();
            assertThat(bench.engine.awaitIdle(Duration.ZERO)).isTrue();
        }
    }

    @Test
    void closeEndsEveryRequest() throws Exception {
        Engine engine = Engine.start("engine", runner, new EngineOptions(16, 0, true), null, Ticker.system());
        List<Ask> asks = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            asks.add(Ask.tokens(5, i).endless());
        }
        runner.halfWay = () -> pause(2);
        engine.submit(asks.stream().map(Ask::request).toList());
        while (engine.status().slotsInUse() == 0) {
            Thread.sleep(1);
        }

        engine.close();

        assertThat(asks).allSatisfy(ask -> {
            assertThat(ask.answer.failure().reason()).isEqualTo(EngineException.Reason.SHUTTING_DOWN);
            assertThat(ask.answer.failure().retryAfter()).isNotNull();
            assertThat(ask.sampler.timesClosed()).isEqualTo(1);
        });
        assertThat(runner.closed()).isTrue();
        assertShutDown(() -> engine.submit(List.of(Ask.tokens(5).request())));
    }

    @Test
    void closeTwiceIsOneClose() {
        Engine engine = Engine.start("engine", runner, new EngineOptions(16, 0, true), null, Ticker.system());
        engine.close();
        engine.close();

        assertThat(runner.closed()).isTrue();
    }

    @Test
    void closeInterruptsARunningDecode() throws Exception {
        AtomicBoolean interrupted = new AtomicBoolean();
        CountDownLatch inside = new CountDownLatch(1);
        ModelRunner slow =
                new Slow(runner, () -> {
                    inside.countDown();
                    for (int i = 0; i < 60_000 && !interrupted.get(); i++) {
                        pause(1);
                    }
                }) {
                    @Override
                    public void interrupt() {
                        super.interrupt();
                        interrupted.set(true);
                    }
                };
        Engine engine = Engine.start("engine", slow, new EngineOptions(16, 0, true), null, Ticker.system());
        Ask ask = Ask.tokens(5).endless();
        engine.submit(List.of(ask.request()));
        assertThat(inside.await(10, TimeUnit.SECONDS)).isTrue();
        long began = System.nanoTime();

        engine.close();

        assertThat(System.nanoTime() - began).isLessThan(TimeUnit.SECONDS.toNanos(30));
        assertThat(ask.answer.failure().reason()).isEqualTo(EngineException.Reason.SHUTTING_DOWN);
    }

    @Test
    void closeKeepsAThreadsInterrupt() {
        Engine engine = Engine.start("engine", runner, new EngineOptions(16, 0, true), null, Ticker.system());
        Thread.currentThread().interrupt();
        engine.close();

        assertThat(Thread.interrupted()).isTrue();
        assertThat(runner.closed()).isTrue();
    }

    @Test
    void anErrorThatNobodyExpectedEndsEveryRequest() throws Exception {
        ModelRunner broken = new Slow(runner, () -> {
            throw new StackOverflowError();
        });
        Engine engine = Engine.start("engine", broken, new EngineOptions(16, 0, true), null, Ticker.system());
        Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("engine"))
                .forEach(thread -> thread.setUncaughtExceptionHandler((t, e) -> {}));
        List<Ask> asks = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            asks.add(Ask.tokens(5, i));
        }
        engine.submit(asks.stream().map(Ask::request).toList());

        for (Ask ask : asks) {
            assertThat(ask.answer.awaitEnd()).isTrue();
            assertThat(ask.answer.failure().reason())
                    .isIn(EngineException.Reason.SHUTTING_DOWN, EngineException.Reason.INTERNAL);
        }
        engine.close();
        assertThat(runner.closed()).isTrue();
    }

    @RepeatedTest(100)
    void closeAmongSubmitsAndCancelsLosesNothing() throws Exception {
        Engine engine = Engine.start("engine", runner, new EngineOptions(40, 0, true), null, Ticker.system());
        ConcurrentLinkedQueue<Ask> accepted = new ConcurrentLinkedQueue<>();
        ConcurrentLinkedQueue<Ask> refused = new ConcurrentLinkedQueue<>();
        List<Thread> callers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            int seed = i;
            callers.add(new Thread(() -> call(engine, new Random(seed), accepted, refused)));
        }
        callers.forEach(Thread::start);
        Thread.sleep(5);
        engine.close();
        for (Thread caller : callers) {
            caller.join();
        }

        for (Ask ask : accepted) {
            assertThat(ask.answer.ended()).isTrue();
            ask.answer.checkSane();
            assertThat(ask.sampler.timesClosed()).isEqualTo(1);
        }
        for (Ask ask : refused) {
            assertThat(ask.answer.ended()).isFalse();
            assertThat(ask.sampler.timesClosed()).isZero();
        }
        assertThat(engine.status().queued()).isZero();
    }

    private static void call(
            Engine engine, Random random, ConcurrentLinkedQueue<Ask> accepted, ConcurrentLinkedQueue<Ask> refused) {
        List<Generation> running = new ArrayList<>();
        while (true) {
            Ask ask = Ask.tokens(1 + random.nextInt(40), random.nextInt(20)).max(1 + random.nextInt(20));
            try {
                running.addAll(engine.submit(List.of(ask.request())));
                accepted.add(ask);
            } catch (EngineException e) {
                refused.add(ask);
                if (e.reason() == EngineException.Reason.SHUTTING_DOWN) {
                    return;
                }
                Thread.yield();
            }
            if (!running.isEmpty() && random.nextInt(3) == 0) {
                running.remove(random.nextInt(running.size())).cancel();
            }
        }
    }

    private static void assertShutDown(Runnable call) {
        assertThatThrownBy(call::run)
                .asInstanceOf(InstanceOfAssertFactories.type(EngineException.class))
                .returns(EngineException.Reason.SHUTTING_DOWN, EngineException::reason);
    }

    private static void pause(int millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** A runner with something to do before each decode. */
    private static class Slow implements ModelRunner {
        private final ModelRunner inner;
        private final Runnable before;

        Slow(ModelRunner inner, Runnable before) {
            this.inner = inner;
            this.before = before;
        }

        @Override
        public int slots() {
            return inner.slots();
        }

        @Override
        public int contextTokens() {
            return inner.contextTokens();
        }

        @Override
        public long kvTokens() {
            return inner.kvTokens();
        }

        @Override
        public int batchTokens() {
            return inner.batchTokens();
        }

        @Override
        public int outputRows() {
            return inner.outputRows();
        }

        @Override
        public Outcome decode(Batch batch) {
            before.run();
            return inner.decode(batch);
        }

        @Override
        public void interrupt() {
            inner.interrupt();
        }

        @Override
        public void sample(int count, TokenSampler[] samplers, int[] rows, int[] tokens) {
            inner.sample(count, samplers, rows, tokens);
        }

        @Override
        public TokenLogprob logprob(int row, int token, int top) {
            return inner.logprob(row, token, top);
        }

        @Override
        public int truncate(int slot, int length) {
            return inner.truncate(slot, length);
        }

        @Override
        public boolean cutsTails() {
            return inner.cutsTails();
        }

        @Override
        public boolean gathers() {
            return inner.gathers();
        }

        @Override
        public void copy(int from, int to) {
            inner.copy(from, to);
        }

        @Override
        public @Nullable SavedSlot save(int slot, long mostBytes) {
            return inner.save(slot, mostBytes);
        }

        @Override
        public boolean restore(int slot, SavedSlot saved) {
            return inner.restore(slot, saved);
        }

        @Override
        public int length(int slot) {
            return inner.length(slot);
        }

        @Override
        public void close() {
            inner.close();
        }
    }
}
