package dev.chasqui.node.grpc;

import dev.chasqui.node.engine.Completion;
import dev.chasqui.node.engine.EngineException;
import dev.chasqui.node.engine.Generation;
import dev.chasqui.node.engine.TokenChunk;
import dev.chasqui.node.engine.TokenLogprob;
import dev.chasqui.node.engine.TokenSink;
import dev.chasqui.node.model.ModelLease;
import dev.chasqui.proto.v1.Admitted;
import dev.chasqui.proto.v1.Completed;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.Progress;
import dev.chasqui.proto.v1.Timings;
import dev.chasqui.proto.v1.Usage;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One call's way back: takes what the engine's thread drops and writes it out as fast as the caller reads. While the caller is
 * slow, text piles up in a {@link Backlog} a choice and leaves as few large deltas, so that memory is bounded by the answer itself.
 *
 * <p>The engine's thread writes into {@link Choice}s under their locks; everything else happens on the relay's thread.
 */
final class AnswerStream {
    private static final long PROGRESS_NANOS = 500_000_000;

    private static final Logger log = LoggerFactory.getLogger(AnswerStream.class);

    private final ServerCallStreamObserver<GenerationEvent> out;
    private final ScheduledExecutorService relay;
    private final ModelLease lease;
    private final List<Choice> choices = new ArrayList<>();
    private final AtomicBoolean scheduled = new AtomicBoolean();
    private volatile List<Generation> generations = List.of();
    private volatile boolean cancelled;
    private volatile boolean begun;

    private final long beganNanos = System.nanoTime();
    private @Nullable Admitted admitted;
    private boolean ended;
    private boolean answering;
    private boolean progressDue;
    private long progressSentNanos = System.nanoTime() - PROGRESS_NANOS;
    private Progress progressSent = Progress.getDefaultInstance();

    AnswerStream(ServerCallStreamObserver<GenerationEvent> out, ScheduledExecutorService relay, ModelLease lease) {
        this.out = out;
        this.relay = relay;
        this.lease = lease;
    }

    /** One more choice; its sink goes into an engine request. */
    TokenSink choice(DeltaEncoder encoder) {
        Choice choice = new Choice(encoder);
        choices.add(choice);
        return choice;
    }

    /** The engine has taken the requests over. */
    void began(List<Generation> running, Admitted event) {
        admitted = event;
        generations = running;
        begun = true;
        if (cancelled) {
            running.forEach(Generation::cancel);
        }
        schedule();
    }

    /** The engine did not take the requests. */
    void discard() {
        close();
    }

    /** The caller went away. */
    void cancel() {
        cancelled = true;
        generations.forEach(Generation::cancel);
        schedule();
    }

    /** The caller can take more. */
    void ready() {
        schedule();
    }

    private void schedule() {
        if (scheduled.compareAndSet(false, true)) {
            try {
                relay.execute(this::drain);
            } catch (RejectedExecutionException e) {
                // The server is closed: there is nobody to write to, and the engine's thread must not fail for it.
                scheduled.set(false);
            }
        }
    }

    private void drain() {
        scheduled.set(false);
        if (ended || !begun) {
            return;
        }
        try {
            write();
        } catch (RuntimeException | StackOverflowError e) {
            cancel();
            fail(e);
        }
    }

    private void write() {
        if (out.isCancelled()) {
            closeWhenOver();
            return;
        }
        EngineException failure = failure();
        if (failure != null) {
            cancel();
            fail(failure);
            return;
        }
        Admitted first = admitted;
        if (first != null && out.isReady()) {
            admitted = null;
            out.onNext(GenerationEvent.newBuilder().setAdmitted(first).build());
        }
        boolean done = true;
        for (Choice choice : choices) {
            if (!out.isReady()) {
                return;
            }
            done &= choice.write();
        }
        if (done && out.isReady()) {
            complete();
        } else {
            writeProgress();
        }
    }

    /** Nobody reads any more: what the engine still owes is awaited, so that the model is not given back too early. */
    private void closeWhenOver() {
        if (choices.stream().allMatch(Choice::over)) {
            ended = true;
            close();
        }
    }

    private void writeProgress() {
        Progress progress = choices.get(0).progress();
        if (answering || progress == null || progress.equals(progressSent)) {
            return;
        }
        long wait = PROGRESS_NANOS - (System.nanoTime() - progressSentNanos);
        if (wait <= 0) {
            progressSent = progress;
            progressSentNanos = System.nanoTime();
            out.onNext(GenerationEvent.newBuilder().setProgress(progress).build());
        } else if (!progressDue) {
            progressDue = true;
            relay.schedule(this::progressIsDue, wait, TimeUnit.NANOSECONDS);
        }
    }

    private void progressIsDue() {
        progressDue = false;
        drain();
    }

    private void complete() {
        ended = true;
        Usage.Builder usage = Usage.newBuilder();
        Timings.Builder timings = Timings.newBuilder();
        for (Choice choice : choices) {
            choice.addTo(usage, timings);
        }
        out.onNext(GenerationEvent.newBuilder()
                .setCompleted(Completed.newBuilder().setUsage(usage).setTimings(timings))
                .build());
        out.onCompleted();
        warnIfSlow(usage);
        close();
    }

    private void warnIfSlow(Usage.Builder usage) {
        Duration taken = Duration.ofNanos(System.nanoTime() - beganNanos);
        Duration limit = lease.model().slowAfter();
        if (!limit.isZero() && taken.compareTo(limit) > 0) {
            log.warn(
                    "an answer of {} took {} s (expected: at most {}): {} prompt tokens, {} completion tokens",
                    lease.model().name(),
                    taken.toSeconds(),
                    limit.toSeconds(),
                    usage.getPromptTokens(),
                    usage.getCompletionTokens());
        }
    }

    private void fail(Throwable failure) {
        ended = true;
        if (!out.isCancelled()) {
            out.onError(Failures.status(failure));
        }
        close();
    }

    private void close() {
        choices.forEach(choice -> choice.encoder.close());
        lease.close();
    }

    private @Nullable EngineException failure() {
        for (Choice choice : choices) {
            EngineException failure = choice.failure();
            if (failure != null) {
                return failure;
            }
        }
        return null;
    }

    /** One answer of the call. */
    private final class Choice implements TokenSink {
        final DeltaEncoder encoder;

        private final Backlog backlog = new Backlog();
        private List<TokenLogprob> ofPrompt = List.of();
        private int ahead;
        private int promptDone;
        private int promptTotal;
        private @Nullable Completion completion;
        private @Nullable EngineException failure;
        private boolean finished;

        Choice(DeltaEncoder encoder) {
            this.encoder = encoder;
        }

        @Override
        public void replayed(List<TokenChunk> chunks) {
            encoder.replay(chunks);
        }

        @Override
        public void queued(int requests) {
            synchronized (this) {
                ahead = requests;
            }
            schedule();
        }

        @Override
        public void prompt(int done, int total) {
            synchronized (this) {
                ahead = 0;
                promptDone = done;
                promptTotal = total;
            }
            if (done < total) {
                schedule();
            }
        }

        @Override
        public void promptLogprobs(List<TokenLogprob> tokens) {
            synchronized (this) {
                ofPrompt = tokens;
            }
            schedule();
        }

        @Override
        public void chunk(TokenChunk chunk) {
            synchronized (this) {
                backlog.add(chunk);
            }
            schedule();
        }

        @Override
        public void completed(TokenChunk rest, Completion end) {
            synchronized (this) {
                backlog.add(rest);
                completion = end;
            }
            schedule();
        }

        @Override
        public void failed(EngineException end) {
            synchronized (this) {
                failure = end;
            }
            schedule();
        }

        /** Whether the engine is done with it. */
        synchronized boolean over() {
            return completion != null || failure != null;
        }

        synchronized @Nullable EngineException failure() {
            return failure;
        }

        /** Where it stands while there is no text; null where there is nothing to say. */
        synchronized @Nullable Progress progress() {
            if (ahead == 0 && (promptTotal == 0 || promptDone >= promptTotal)) {
                return null;
            }
            return Progress.newBuilder()
                    .setQueuePosition(ahead)
                    .setPromptTokensDone(promptDone)
                    .setPromptTokens(promptTotal)
                    .build();
        }

        /** Writes what has come, as long as the caller takes it; returns whether this answer is complete. */
        boolean write() {
            writePrompt();
            while (!finished && out.isReady()) {
                Backlog.Portion portion;
                Completion end;
                synchronized (this) {
                    portion = backlog.poll();
                    end = backlog.isEmpty() ? completion : null;
                }
                if (portion == null) {
                    return false;
                }
                answering = true;
                encoder.encode(portion, end, out::onNext);
                finished = end != null;
            }
            return finished;
        }

        private void writePrompt() {
            List<TokenLogprob> rest;
            synchronized (this) {
                rest = ofPrompt;
            }
            while (!rest.isEmpty() && out.isReady()) {
                int count = Math.min(Backlog.MOST_LOGPROBS, rest.size());
                answering = true;
                encoder.encodePrompt(rest.subList(0, count), out::onNext);
                rest = rest.subList(count, rest.size());
            }
            synchronized (this) {
                ofPrompt = rest;
            }
        }

        void addTo(Usage.Builder usage, Timings.Builder timings) {
            Completion end = completion;
            if (end == null) {
                return;
            }
            usage.setPromptTokens(end.promptTokens())
                    .setCachedTokens(Math.max(usage.getCachedTokens(), end.cachedTokens()))
                    .setCompletionTokens(usage.getCompletionTokens() + end.completionTokens())
                    .setReasoningTokens(usage.getReasoningTokens() + encoder.reasoningTokens())
                    .setDraftedTokens(usage.getDraftedTokens() + end.draftedTokens())
                    .setAcceptedTokens(usage.getAcceptedTokens() + end.acceptedTokens());
            timings.setQueueMs(Math.max(timings.getQueueMs(), end.queueNanos() / 1e6))
                    .setPromptMs(Math.max(timings.getPromptMs(), end.promptNanos() / 1e6))
                    .setDecodeMs(Math.max(timings.getDecodeMs(), end.decodeNanos() / 1e6));
        }
    }
}
