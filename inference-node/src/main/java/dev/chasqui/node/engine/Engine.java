package dev.chasqui.node.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Generates many answers at once with one model.
 *
 * <p>{@link #step} is the whole algorithm: obey commands, give free slots to waiting sequences, fill one batch with what all
 * running sequences need next, compute it, choose a token for each sequence whose turn it was, and hand on the text. The
 * engine's thread does nothing else. {@link #submit} and {@link Generation#cancel} may be called by any thread and never wait.
 */
public final class Engine implements AutoCloseable {
    /** How long a step may take for all we know, while no step has been measured. */
    private static final long UNKNOWN_STEP_NANOS = 60_000_000_000L;

    /** Native grammars and parsers recurse: their depth is capped to what this much stack bears. */
    private static final long STACK_BYTES = 64L << 20;

    private final ModelRunner runner;
    private final Ticker ticker;
    private final int queueCapacity;
    private final Scheduler scheduler;
    private final StepTimes stepTimes = new StepTimes();
    private final Batch batch = new Batch();
    private final Sampling sampling;
    private final Comeback comeback;
    private final Thread thread;

    private final Queue<Sequence> arrivals = new ConcurrentLinkedQueue<>();
    private final AtomicInteger outstanding = new AtomicInteger();
    private final AtomicLong rejected = new AtomicLong();
    private volatile boolean draining;
    private volatile boolean closing;
    private volatile boolean attention;
    private volatile boolean ended;

    /** When the running step should be over; 0 while none runs or it must not be interrupted. */
    private volatile long stepEndsNanos;

    /** The last step was cut short; the next one is short by itself and is not cut, so that there is progress whoever leaves. */
    private boolean interruptedLast;

    private volatile EngineStatus status;
    private final EngineCounters counters = new EngineCounters();

    /**
     * An engine whose thread is running.
     *
     * @param name of its thread
     * @param runner closed with the engine
     * @param drafter guesses next tokens, closed with the engine; null: none
     */
    public static Engine start(
            String name, ModelRunner runner, EngineOptions options, @Nullable Drafter drafter, Ticker ticker) {
        Engine engine = new Engine(name, runner, options, Beginnings.WORTHWHILE, drafter, ticker);
        engine.thread.start();
        return engine;
    }

    /** @param worthwhile the least tokens of a beginning that are shared */
    Engine(
            String name,
            ModelRunner runner,
            EngineOptions options,
            int worthwhile,
            @Nullable Drafter drafter,
            Ticker ticker) {
        this.runner = runner;
        this.ticker = ticker;
        this.queueCapacity = options.queueCapacity();
        this.comeback = new Comeback(runner.slots());
        this.scheduler = new Scheduler(
                runner,
                stepTimes,
                new PromptCache(options.promptCacheBytes()),
                worthwhile,
                new Drafts(
                        runner,
                        stepTimes,
                        options.lookahead(),
                        drafter == null ? null : new DraftModel(drafter, stepTimes, ticker)));
        this.sampling = new Sampling(runner.slots());
        this.status = snapshot();
        this.thread = new Thread(null, this::run, name, STACK_BYTES);
        this.thread.setDaemon(true);
    }

    /** Tokens that one sequence may have, prompt and answer together. */
    public int contextTokens() {
        return runner.contextTokens();
    }

    /** How the engine is; at most one step old. */
    public EngineStatus status() {
        EngineStatus last = status;
        int accepted = outstanding.get();
        int queued = Math.max(accepted - last.slots(), Math.min(accepted, last.queued()));
        return last.at(Math.max(0, queued), rejected.get(), accepted == 0 ? 0 : last.tokensPerSecond());
    }

    /** Throws {@link EngineException} as {@link #submit} would for so many requests, before anything is prepared for them. */
    public void checkRoom(int requests) {
        checkOpen();
        if (outstanding.get() + requests > runner.slots() + queueCapacity) {
            throw full(requests);
        }
    }

    /** Throws CONTEXT_LENGTH_EXCEEDED where a prompt of at least so many tokens cannot be taken, before its tokens are known. */
    public void checkAtLeast(int promptTokens) {
        if (promptTokens >= runner.contextTokens()) {
            throw new EngineException(promptTokens, true, runner.contextTokens());
        }
    }

    /**
     * Accepts requests, all or none; their sinks hear of them from the engine's thread.
     *
     * @return one handle for each
     * @throws EngineException QUEUE_FULL, CONTEXT_LENGTH_EXCEEDED or SHUTTING_DOWN; then nothing was accepted and the samplers
     *     still belong to the caller
     */
    public List<Generation> submit(List<GenerationRequest> requests) {
        checkOpen();
        for (GenerationRequest request : requests) {
            checkLength(request.prompt().length);
            checkLength(request.prompt().length + request.begun().tokens().length - 1);
        }
        long now = ticker.nanos();
        List<Sequence> sequences =
                requests.stream().map(request -> new Sequence(request, now)).toList();
        reserve(requests.size());
        List<Generation> handles = new ArrayList<>(requests.size());
        for (Sequence sequence : sequences) {
            arrivals.add(sequence);
            handles.add(() -> cancel(sequence));
        }
        wake();
        if (ended) {
            failArrivals();
        }
        return handles;
    }

    /** Whether it runs no more, closed or broken: it will never take a request again. */
    public boolean ended() {
        return ended;
    }

    /** Takes no more requests; those accepted go on. */
    public void drain() {
        draining = true;
        wake();
    }

    /** Waits until nothing runs any more after {@link #drain}. Returns whether that came within the time. */
    public boolean awaitIdle(Duration most) throws InterruptedException {
        long end = System.nanoTime() + most.toNanos();
        while (outstanding.get() > 0 && !ended) {
            if (System.nanoTime() - end > 0) {
                return false;
            }
            Thread.sleep(10);
        }
        return true;
    }

    /** Ends every request with SHUTTING_DOWN, frees the runner, and returns when that is done. */
    @Override
    public void close() {
        draining = true;
        closing = true;
        runner.interrupt();
        wake();
        if (thread.getState() == Thread.State.NEW && !ended) {
            shutDown();
        }
        awaitEnd();
    }

    private void awaitEnd() {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join(1000);
            } catch (InterruptedException e) {
                interrupted = true;
            }
            // Where a decode did not heed it, or it came before the decode began: say it again.
            runner.interrupt();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try {
            while (!closing) {
                if (!step()) {
                    checkIntegrity();
                    await();
                }
            }
        } finally {
            shutDown();
        }
    }

    /** One turn of the engine; returns whether there was anything to compute. */
    boolean step() {
        boolean moved = obey();
        if (moved) {
            status = snapshot();
        }
        if (scheduler.admit(ticker.nanos()) || moved) {
            scheduler.reportQueue();
        }
        scheduler.schedule(batch, ticker.nanos());
        if (batch.size() == 0) {
            status = snapshot();
            return false;
        }
        List<Sequence> sequences = scheduler.runningSequences();
        try {
            compute(sequences);
        } catch (RuntimeException e) {
            failRunning(sequences, e);
        }
        status = snapshot();
        return true;
    }

    /** Throws where the engine's books and the KV cache disagree. Only between steps, by the thread that calls {@link #step}. */
    void checkIntegrity() {
        scheduler.checkIntegrity();
    }

    /** Takes in what other threads want. Returns whether somebody who waits has another place now. */
    private boolean obey() {
        boolean overtook = false;
        for (Sequence arrival = arrivals.poll(); arrival != null; arrival = arrivals.poll()) {
            counters.requests++;
            Completion.Reason over = arrival.end(runner.contextTokens());
            if (over != null) {
                end(arrival, ticker.nanos());
                arrival.complete(over);
                continue;
            }
            int place = scheduler.enqueue(arrival);
            overtook |= place < scheduler.waiting();
            arrival.request.sink().queued(Math.max(0, scheduler.running() + place - runner.slots()));
        }
        long now = ticker.nanos();
        List<Sequence> removed = scheduler.remove(s -> s.cancelled || s.request.deadlineNanos() <= now, now);
        for (Sequence gone : removed) {
            counters.cancelled += gone.cancelled ? 1 : 0;
            end(gone, now);
            gone.fail(
                    gone.cancelled
                            ? new EngineException(EngineException.Reason.CANCELLED, "the request was cancelled")
                            : new EngineException(
                                    EngineException.Reason.DEADLINE_EXCEEDED, "the request's deadline passed"));
        }
        return overtook || !removed.isEmpty();
    }

    private void compute(List<Sequence> sequences) {
        long began = begin(sequences);
        // Who left a moment ago found no step to cut short.
        boolean left = isToBeCut() && sequences.stream().anyMatch(sequence -> sequence.cancelled);
        boolean ordinary = !left && scheduler.onlyComputes();
        ModelRunner.Outcome outcome = left ? ModelRunner.Outcome.INTERRUPTED : runner.decode(batch);
        over(sequences);
        long now = ticker.nanos();
        interruptedLast = outcome == ModelRunner.Outcome.INTERRUPTED;
        switch (outcome) {
            case DONE -> {
                if (ordinary) {
                    stepTimes.record(batch.stepSize(), now - began);
                }
                counters.steps++;
                advance(sequences, now);
            }
            case INTERRUPTED -> {
                cutBack(sequences);
                scheduler.scheduleBriefly();
            }
            case NO_SPACE -> makeRoom(sequences, now);
        }
    }

    /** From now on whoever leaves may cut the step short. */
    private long begin(List<Sequence> sequences) {
        long began = ticker.nanos();
        long estimate = stepTimes.estimate(batch.stepSize());
        mark(sequences, true);
        stepEndsNanos = interruptedLast ? 0 : began + (estimate == 0 ? UNKNOWN_STEP_NANOS : estimate);
        return began;
    }

    private void over(List<Sequence> sequences) {
        stepEndsNanos = 0;
        mark(sequences, false);
    }

    /** Books what the step computed, and chooses the next token of every sequence whose last known token was in it. */
    private void advance(List<Sequence> sequences, long now) {
        sampling.clear();
        int row = 0;
        for (Sequence sequence : sequences) {
            int rows = 0;
            while (row + rows < batch.size() && batch.slot(row + rows) == sequence.slot()) {
                rows++;
            }
            if (rows == 0) {
                continue;
            }
            sequence.learnPrompt(runner::logprob, row, rows);
            sequence.computed(rows - sequence.drafted());
            sequence.computedAhead();
            counters.drafted += sequence.drafted();
            row += rows;
            if (sequence.remaining() == 0 && sequence.request.maxTokens() == 0) {
                endWithPrompt(sequence, now);
                continue;
            }
            if (sequence.remaining() == 0) {
                sampling.add(sequence, row - 1 - sequence.drafted());
            }
            if (sequence.inPrompt()) {
                sequence.request.sink().prompt(sequence.computed(), sequence.given());
            }
        }
        while (sampling.count > 0) {
            sampling.run(runner);
            int count = sampling.count;
            sampling.clear();
            for (int i = 0; i < count; i++) {
                if (deliver(sampling.sequences[i], sampling.rows[i], sampling.tokens[i], now)) {
                    sampling.add(sampling.sequences[i], sampling.rows[i] + 1);
                }
            }
        }
    }

    private void endWithPrompt(Sequence sequence, long now) {
        countPrompt(sequence);
        scheduler.release(sequence, now);
        end(sequence, now);
        sequence.completePrompt(now);
    }

    private void countPrompt(Sequence sequence) {
        counters.promptTokens += sequence.given();
        counters.cachedTokens += sequence.cached();
    }

    /** Returns whether the token is as drafted, so that the next row of the same step tells the next token. */
    private boolean deliver(Sequence sequence, int row, int token, long now) {
        boolean ahead = sequence.drafted() > 0;
        if (token < 0) {
            cutDraft(sequence, ahead);
            fail(sequence, noToken(sequence.request.sampler()), now);
            return false;
        }
        if (sequence.inPrompt()) {
            countPrompt(sequence);
        }
        scheduler.came(sequence, token);
        boolean confirmed = sequence.confirms(token);
        sequence.append(token, runner::logprob, row, now);
        counters.generated(now);
        Completion.Reason reason = sequence.end(runner.contextTokens());
        if (reason != null) {
            cutDraft(sequence, ahead);
            scheduler.release(sequence, now);
            end(sequence, now);
            sequence.complete(reason);
            return false;
        }
        sequence.tell();
        if (confirmed) {
            counters.accepted++;
            sequence.accepted();
            return true;
        }
        cutDraft(sequence, ahead);
        return false;
    }

    /** What was computed ahead and did not come true leaves the KV cache. */
    private void cutDraft(Sequence sequence, boolean ahead) {
        if (ahead) {
            sequence.cutBack(runner.truncate(sequence.slot(), sequence.computed()));
        }
    }

    private static EngineException noToken(TokenSampler sampler) {
        String deadEnd = sampler.deadEnd();
        return deadEnd == null
                ? new EngineException(EngineException.Reason.INTERNAL, "the sampler could not choose a token")
                : new EngineException(EngineException.Reason.DEAD_END, deadEnd);
    }

    /** After an interrupted step any part of it may be in the KV cache: go back to what was there before. */
    private void cutBack(List<Sequence> sequences) {
        for (Sequence sequence : sequences) {
            sequence.cutBack(runner.truncate(sequence.slot(), sequence.computed()));
        }
    }

    /** The KV cache is full: what is kept for reuse goes first, then the least urgent sequence waits until there is room. */
    private void makeRoom(List<Sequence> sequences, long now) {
        boolean drafted = sequences.stream().anyMatch(sequence -> sequence.drafted() > 0);
        cutBack(sequences);
        if (drafted) {
            scheduler.scheduleNoDrafts();
            return;
        }
        if (scheduler.putIdleAway()) {
            return;
        }
        Sequence last = sequences.get(0);
        for (Sequence sequence : sequences) {
            last = sequence.rankNanos > last.rankNanos ? sequence : last;
        }
        if (sequences.size() > 1) {
            scheduler.preempt(last, now);
            return;
        }
        String what = "the KV cache has no room for this sequence";
        fail(last, new EngineException(EngineException.Reason.INTERNAL, what), now);
    }

    private void failRunning(List<Sequence> sequences, RuntimeException cause) {
        long now = ticker.nanos();
        over(sequences);
        for (Sequence sequence : sequences) {
            if (!sequence.ended()) {
                String what = "computing failed: " + cause.getMessage();
                fail(sequence, new EngineException(EngineException.Reason.INTERNAL, what, null, cause), now);
            }
        }
        scheduler.forgetAll();
    }

    /** Ends a running sequence without its answer. */
    private void fail(Sequence sequence, EngineException failure, long now) {
        scheduler.release(sequence, now);
        end(sequence, now);
        sequence.fail(failure);
    }

    private void end(Sequence sequence, long now) {
        if (sequence.started()) {
            comeback.served(now - sequence.startedNanos());
        }
        if (outstanding.decrementAndGet() == 0) {
            comeback.idle();
            // Before the end is told, so that whoever tells it on has the cores.
            runner.rest();
        }
    }

    private void cancel(Sequence sequence) {
        sequence.cancelled = true;
        if (sequence.inStep && isToBeCut()) {
            runner.interrupt();
        } else {
            ticker.after(Scheduler.BRIEF_NANOS, () -> cutOverdue(sequence));
        }
        wake();
    }

    /** The step should have been over long ago. */
    private void cutOverdue(Sequence sequence) {
        if (sequence.inStep && stepEndsNanos != 0) {
            runner.interrupt();
        }
    }

    /** Whether the step would keep somebody waiting for long who leaves now. */
    private boolean isToBeCut() {
        long ends = stepEndsNanos;
        return ends != 0 && ends - ticker.nanos() > Scheduler.BRIEF_NANOS;
    }

    private void checkOpen() {
        if (draining) {
            throw shuttingDown("the model is being shut down");
        }
    }

    private void checkLength(int promptTokens) {
        if (promptTokens >= runner.contextTokens()) {
            throw new EngineException(promptTokens, false, runner.contextTokens());
        }
    }

    private void reserve(int requests) {
        int most = runner.slots() + queueCapacity;
        int before = outstanding.getAndUpdate(n -> n + requests > most ? n : n + requests);
        if (before + requests > most) {
            throw full(requests);
        }
    }

    private EngineException full(int requests) {
        rejected.addAndGet(requests);
        return new EngineException(
                EngineException.Reason.QUEUE_FULL,
                "the queue is full: " + queueCapacity + " requests wait for " + runner.slots() + " slots",
                comeback.after(requests, ticker.nanos()),
                null);
    }

    private void wake() {
        attention = true;
        LockSupport.unpark(thread);
    }

    private void await() {
        while (!attention) {
            LockSupport.park(this);
        }
        attention = false;
    }

    private void shutDown() {
        draining = true;
        long now = ticker.nanos();
        for (Sequence sequence : scheduler.remove(s -> true, now)) {
            end(sequence, now);
            sequence.fail(shuttingDown("the model was shut down"));
        }
        scheduler.close();
        runner.close();
        ended = true;
        failArrivals();
    }

    private void failArrivals() {
        for (Sequence arrival = arrivals.poll(); arrival != null; arrival = arrivals.poll()) {
            outstanding.decrementAndGet();
            arrival.fail(shuttingDown("the model was shut down"));
        }
    }

    private static EngineException shuttingDown(String message) {
        return new EngineException(EngineException.Reason.SHUTTING_DOWN, message, Comeback.SHORTEST, null);
    }

    private static void mark(List<Sequence> sequences, boolean inStep) {
        for (Sequence sequence : sequences) {
            sequence.inStep = inStep;
        }
    }

    private EngineStatus snapshot() {
        return counters.status(runner, scheduler, queueCapacity, rejected.get());
    }
}
