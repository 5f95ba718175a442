package dev.chasqui.node.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A runner without llama.cpp: keeps real books of what is in each slot, refuses every batch that llama.cpp would refuse, and
 * computes of each row a state that depends on the tokens of its own slot up to there and on nothing else. Time passes on a
 * {@link ManualTicker}. Trouble comes when it is asked for.
 */
final class ScriptedRunner implements ModelRunner {
    private static final int MOST_OUTPUTS = 16;

    private final int slots;
    private final int contextTokens;
    private final int batchTokens;
    private final int vocabulary;
    private final int[][] tokens;
    private final long[][] states;
    private final int[] lengths;
    private final Random random = new Random(7);
    private long[] rowStates = new long[0];
    private boolean[] rowOutputs = new boolean[0];
    private int rows;
    private int held;

    private volatile boolean interrupted;
    private volatile boolean closed;

    /** Tokens that all slots together may hold. */
    int kvCapacity = Integer.MAX_VALUE;

    /** What it says that all slots together may hold, if that is less than all they can. */
    long saidKvTokens = Long.MAX_VALUE;

    /** Whether a tail of a slot can be forgotten; if not, only all of it. */
    boolean cutsTails = true;

    /** Whether it takes batches of slots that hold the same. */
    boolean gathers = true;

    /** Batches of slots that held the same. */
    int gathered;

    /** What a decode does to the clock. */
    StepCost cost = (batch, ticker) -> {};

    /** Runs while a decode is half done. */
    Runnable halfWay = () -> {};

    /** What the next decode throws after it has spoiled some of the cache. */
    @Nullable
    RuntimeException failure;

    /** What the next truncate throws. */
    @Nullable
    RuntimeException truncateFailure;

    /** Whether nothing can be saved or restored just now. */
    boolean busy;

    /** Saved slots that were not closed. */
    int saved;

    /** Runs when it is told to rest. */
    Runnable atRest = () -> {};

    int copies;
    int restores;
    int decodes;
    int interruptions;
    int mostRows;

    private final ManualTicker ticker;

    ScriptedRunner(int slots, int contextTokens, int batchTokens, int vocabulary, ManualTicker ticker) {
        this.slots = slots;
        this.contextTokens = contextTokens;
        this.batchTokens = batchTokens;
        this.vocabulary = vocabulary;
        this.ticker = ticker;
        this.tokens = new int[slots][contextTokens];
        this.states = new long[slots][contextTokens];
        this.lengths = new int[slots];
    }

    /** The state behind a whole sequence of tokens, as a row at its end has it. */
    static long state(int[] sequence, int length, AdapterSet adapters) {
        long state = 0;
        for (int i = 0; i < length; i++) {
            state = next(state, sequence[i], adapters);
        }
        return state;
    }

    /** Each token's state depends on what it was computed with. */
    static long next(long state, int token, AdapterSet adapters) {
        return mix(state, token + 1L + 1000L * adapters.uses().hashCode());
    }

    static long mix(long a, long b) {
        long z = a * 0x9E3779B97F4A7C15L + b + 0x632BE59BD9B4E019L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    @Override
    public void rest() {
        atRest.run();
    }

    @Override
    public int slots() {
        return slots;
    }

    @Override
    public int contextTokens() {
        return contextTokens;
    }

    @Override
    public long kvTokens() {
        return Math.min(saidKvTokens, (long) slots * contextTokens);
    }

    @Override
    public int batchTokens() {
        return batchTokens;
    }

    @Override
    public int outputRows() {
        return Math.min(batchTokens, Math.max(slots, MOST_OUTPUTS));
    }

    @Override
    public Outcome decode(Batch batch) {
        checkOpen();
        checkBatch(batch);
        decodes++;
        gathered += batch.alike() > 0 ? 1 : 0;
        mostRows = Math.max(mostRows, batch.size());
        rows = 0;
        if (held + batch.size() > kvCapacity) {
            return Outcome.NO_SPACE;
        }
        int half = batch.size() / 2;
        compute(batch, 0, half);
        halfWay.run();
        RuntimeException thrown = failure;
        if (thrown != null) {
            failure = null;
            compute(batch, half, half + random.nextInt(batch.size() - half + 1));
            throw thrown;
        }
        if (interrupted) {
            interrupted = false;
            interruptions++;
            return Outcome.INTERRUPTED;
        }
        compute(batch, half, batch.size());
        cost.pass(batch, ticker);
        rows = batch.size();
        return Outcome.DONE;
    }

    /** As with llama.cpp, an interrupt that comes between two decodes ends the next one. */
    @Override
    public void interrupt() {
        interrupted = true;
    }

    @Override
    public void sample(int count, TokenSampler[] samplers, int[] sampledRows, int[] chosen) {
        checkOpen();
        for (int i = 0; i < count; i++) {
            checkRow(sampledRows[i]);
            chosen[i] = ((ScriptedSampler) samplers[i]).choose(rowStates[sampledRows[i]], vocabulary);
        }
    }

    @Override
    public TokenLogprob logprob(int row, int token, int top) {
        checkOpen();
        checkRow(row);
        return logprob(rowStates[row], token, top, vocabulary);
    }

    /** What it tells of a token behind a state. */
    static TokenLogprob logprob(long state, int token, int top, int vocabulary) {
        List<TokenLogprob.Candidate> candidates = new ArrayList<>(IntStream.range(0, vocabulary)
                .mapToObj(other -> new TokenLogprob.Candidate(other, logprob(state, other, vocabulary)))
                .sorted(Comparator.comparingDouble(candidate -> -candidate.logprob()))
                .limit(top)
                .toList());
        return new TokenLogprob(token, logprob(state, token, vocabulary), candidates);
    }

    /** The token that a seeded sampler with seed 0 takes is the likeliest. */
    static float logprob(long state, int token, int vocabulary) {
        return token == ScriptedSampler.token(state, 0, vocabulary)
                ? -0.125f
                : -1 - Math.floorMod(mix(state, ~token), 1000) / 100f;
    }

    @Override
    public int truncate(int slot, int length) {
        checkOpen();
        RuntimeException thrown = truncateFailure;
        if (thrown != null) {
            truncateFailure = null;
            throw thrown;
        }
        if (lengths[slot] > length) {
            int left = cutsTails ? length : 0;
            held -= lengths[slot] - left;
            lengths[slot] = left;
        }
        return lengths[slot];
    }

    @Override
    public boolean cutsTails() {
        return cutsTails;
    }

    @Override
    public boolean gathers() {
        return gathers && cutsTails;
    }

    @Override
    public void copy(int from, int to) {
        checkOpen();
        require(from != to && lengths[from] > 0, "a copy of slot " + from + " to " + to);
        held += lengths[from] - lengths[to];
        lengths[to] = lengths[from];
        tokens[to] = tokens[from].clone();
        states[to] = states[from].clone();
        copies++;
    }

    @Override
    public @Nullable SavedSlot save(int slot, long mostBytes) {
        checkOpen();
        return busy || lengths[slot] > mostBytes
                ? null
                : new Saved(lengths[slot], tokens[slot].clone(), states[slot].clone());
    }

    @Override
    public boolean restore(int slot, SavedSlot saved) {
        checkOpen();
        Saved from = (Saved) saved;
        require(!from.closed, "a saved slot after its close");
        held -= lengths[slot];
        lengths[slot] = busy ? 0 : from.length;
        held += lengths[slot];
        tokens[slot] = from.tokens.clone();
        states[slot] = from.states.clone();
        restores += busy ? 0 : 1;
        return !busy;
    }

    @Override
    public int length(int slot) {
        return lengths[slot];
    }

    /** The tokens in a slot. */
    int[] held(int slot) {
        return Arrays.copyOf(tokens[slot], lengths[slot]);
    }

    boolean closed() {
        return closed;
    }

    @Override
    public void close() {
        checkOpen();
        closed = true;
    }

    private void compute(Batch batch, int from, int to) {
        if (rowStates.length < batch.size()) {
            rowStates = new long[batch.size()];
            rowOutputs = new boolean[batch.size()];
        }
        for (int row = from; row < to; row++) {
            int slot = batch.slot(row);
            int position = lengths[slot]++;
            held++;
            tokens[slot][position] = batch.token(row);
            states[slot][position] =
                    next(position == 0 ? 0 : states[slot][position - 1], batch.token(row), batch.adapters());
            rowStates[row] = states[slot][position];
            rowOutputs[row] = batch.output(row);
        }
    }

    private void checkBatch(Batch batch) {
        require(batch.size() > 0 && batch.size() <= batchTokens, "a batch of " + batch.size() + " rows");
        long outputs = IntStream.range(0, batch.size()).filter(batch::output).count();
        require(outputs <= outputRows(), outputs + " outputs of a batch");
        for (int row = 0; row < batch.size(); row++) {
            int slot = batch.slot(row);
            require(slot >= 0 && slot < slots, "slot " + slot);
            require(batch.token(row) >= 0 && batch.token(row) < vocabulary, "token " + batch.token(row));
            boolean first = row == 0 || batch.slot(row - 1) != slot;
            require(row == 0 || batch.slot(row - 1) <= slot, "slots that fall");
            int expected = first ? lengths[slot] : batch.position(row - 1) + 1;
            require(batch.position(row) == expected, "position " + batch.position(row) + " after " + (expected - 1));
            require(batch.position(row) < contextTokens, "position " + batch.position(row) + " beyond the context");
            require(batch.alike() == 0 || !first || holds(batch, slot), "slots as alike that are not");
        }
    }

    private boolean holds(Batch batch, int slot) {
        return lengths[slot] == batch.alike() && batch.beginsWith(held(slot));
    }

    private void checkRow(int row) {
        require(row >= 0 && row < rows && rowOutputs[row], "row " + row + ", which has no output");
    }

    private void checkOpen() {
        require(!closed, "a runner after its close");
    }

    static void require(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError("the engine used " + what);
        }
    }

    private final class Saved implements SavedSlot {
        private final int length;
        private final int[] tokens;
        private final long[] states;
        private boolean closed;

        Saved(int length, int[] tokens, long[] states) {
            this.length = length;
            this.tokens = tokens;
            this.states = states;
            saved++;
        }

        @Override
        public long bytes() {
            return length;
        }

        @Override
        public void close() {
            require(!closed, "a saved slot after its close");
            closed = true;
            saved--;
        }
    }

    /** What a decode costs. */
    @FunctionalInterface
    interface StepCost {
        void pass(Batch batch, ManualTicker ticker);

        /** So much for a step, and so much for each of its tokens. */
        static StepCost linear(long stepNanos, long tokenNanos) {
            return (batch, ticker) -> ticker.advance(stepNanos + tokenNanos * batch.size());
        }
    }
}
