package dev.chasqui.node.engine;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What a step costs beside the model, with 64 slots; {@code bench/run scheduler} runs it. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(
        value = 1,
        jvmArgs = {"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"})
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class SchedulerBenchmark {
    private static final int SLOTS = 64;
    private static final int PROMPT = 1500;

    /** What the slots do: all answer; half of them are in their prompts; all answer and as many wait. */
    @Param({"answering", "prompts", "queue"})
    public String load = "";

    private final Batch batch = new Batch();
    private Scheduler scheduler = scheduler();
    private Engine engine = engine();

    @Setup(Level.Iteration)
    public void fill() {
        scheduler = scheduler();
        for (int i = 0; i < SLOTS; i++) {
            scheduler.enqueue(new Sequence(request(i, PROMPT), System.nanoTime()));
        }
        scheduler.admit(System.nanoTime());
        List<Sequence> running = scheduler.runningSequences();
        int answering = load.equals("prompts") ? SLOTS / 2 : SLOTS;
        running.subList(0, answering).forEach(sequence -> sequence.computed(sequence.remaining() - 1));
        engine = engine();
        submit(0, load.equals("prompts") ? 8 : 1);
        for (int i = 0; i < 10; i++) {
            engine.step();
        }
        if (load.equals("queue")) {
            for (int i = 0; i < SLOTS; i++) {
                scheduler.enqueue(new Sequence(request(SLOTS + i, PROMPT), System.nanoTime()));
            }
            submit(SLOTS, 1);
        }
    }

    /** What the scheduler does in each step. */
    @Benchmark
    public int schedule() {
        long now = System.nanoTime();
        scheduler.admit(now);
        scheduler.schedule(batch, now);
        return batch.size();
    }

    /** A whole step, with a model that takes no time: its books, samplers, texts and status too. */
    @Benchmark
    public boolean step() {
        return engine.step();
    }

    private void submit(int from, int length) {
        for (int i = from; i < from + SLOTS; i++) {
            engine.submit(List.of(request(i, length)));
        }
    }

    private static Scheduler scheduler() {
        ModelRunner runner = new Instant();
        StepTimes times = new StepTimes();
        Drafts drafts = new Drafts(runner, times, true, null);
        return new Scheduler(runner, times, new PromptCache(0), Beginnings.WORTHWHILE, drafts);
    }

    private static Engine engine() {
        EngineOptions options = new EngineOptions(SLOTS, 0, true);
        return new Engine("benchmark", new Instant(), options, Beginnings.WORTHWHILE, null, Ticker.system());
    }

    private static GenerationRequest request(int number, int length) {
        int[] prompt = new int[length];
        Arrays.setAll(prompt, i -> (number * 31 + i * 7) % 256);
        return new GenerationRequest(
                prompt,
                Begun.NOTHING,
                Integer.MAX_VALUE,
                List.of(),
                new Words(),
                () -> {},
                -1,
                -1,
                0,
                AdapterSet.NONE,
                GenerationRequest.NO_DEADLINE,
                new Nobody());
    }

    /** Computes nothing, at once. */
    private static final class Instant implements ModelRunner {
        private final int[] lengths = new int[SLOTS];

        @Override
        public int slots() {
            return SLOTS;
        }

        @Override
        public int contextTokens() {
            return Integer.MAX_VALUE / SLOTS;
        }

        @Override
        public long kvTokens() {
            return (long) SLOTS * contextTokens();
        }

        @Override
        public int batchTokens() {
            return 512;
        }

        @Override
        public int outputRows() {
            return 512;
        }

        @Override
        public Outcome decode(Batch batch) {
            for (int row = 0; row < batch.size(); row++) {
                lengths[batch.slot(row)]++;
            }
            return Outcome.DONE;
        }

        @Override
        public void interrupt() {}

        @Override
        public void sample(int count, TokenSampler[] samplers, int[] rows, int[] tokens) {
            for (int i = 0; i < count; i++) {
                tokens[i] = (rows[i] * 31 + 'a') % 256;
            }
        }

        @Override
        public TokenLogprob logprob(int row, int token, int top) {
            return new TokenLogprob(token, 0, List.of());
        }

        @Override
        public int truncate(int slot, int length) {
            lengths[slot] = Math.min(lengths[slot], length);
            return lengths[slot];
        }

        @Override
        public int length(int slot) {
            return lengths[slot];
        }

        @Override
        public boolean cutsTails() {
            return true;
        }

        @Override
        public boolean gathers() {
            return false;
        }

        @Override
        public void copy(int from, int to) {
            lengths[to] = lengths[from];
        }

        @Override
        public @Nullable SavedSlot save(int slot, long mostBytes) {
            return null;
        }

        @Override
        public boolean restore(int slot, SavedSlot saved) {
            return false;
        }

        @Override
        public void close() {}
    }

    /** Takes every text. */
    private static final class Nobody implements TokenSink {
        @Override
        public void queued(int ahead) {}

        @Override
        public void prompt(int done, int total) {}

        @Override
        public void chunk(TokenChunk chunk) {}

        @Override
        public void completed(TokenChunk rest, Completion completion) {}

        @Override
        public void failed(EngineException failure) {
            throw new IllegalStateException(failure);
        }
    }
}
