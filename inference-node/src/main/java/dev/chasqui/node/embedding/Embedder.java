package dev.chasqui.node.embedding;

import dev.chasqui.llama.EmbeddingContext;
import dev.chasqui.llama.LlamaModel;
import dev.chasqui.llama.Pooling;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Computes vectors of texts for one model, or scores of pairs where the model is a reranker, on a thread and in a context of
 * its own. Calls take turns, a portion of texts each, so that a large one does not hold up the others. While the model's
 * engine generates, fewer threads compute, at a lower priority.
 */
public final class Embedder implements AutoCloseable {
    private static final int MOST_CALLS = 64;
    private static final int PORTION_TEXTS = 64;
    private static final int PORTION_TOKENS = 2048;
    private static final int SHARE_WHILE_GENERATING = 4;

    private final ExecutorService thread;
    private final EmbeddingContext context;
    private final int threads;
    private final BooleanSupplier generating;
    private final Object lock = new Object();
    private final List<Call> calls = new ArrayList<>();
    private @Nullable Call running;
    private boolean draining;
    private boolean closed;

    private Embedder(ExecutorService thread, EmbeddingContext context, int threads, BooleanSupplier generating) {
        this.thread = thread;
        this.context = context;
        this.threads = threads;
        this.generating = generating;
    }

    /**
     * Opens one.
     *
     * @param contextTokens tokens of the longest text
     * @param generating whether the model's engine is at work
     * @throws dev.chasqui.llama.LlamaException OUT_OF_MEMORY or INVALID_REQUEST
     */
    public static Embedder start(LlamaModel model, int contextTokens, int threads, BooleanSupplier generating) {
        ExecutorService thread = Executors.newSingleThreadExecutor(task -> {
            Thread daemon = new Thread(task, "embedder " + model.info().name());
            daemon.setDaemon(true);
            return daemon;
        });
        try {
            EmbeddingContext context = CompletableFuture.supplyAsync(
                            () -> model.newEmbeddingContext(
                                    contextTokens, threads, model.info().ranks()),
                            thread)
                    .join();
            return new Embedder(thread, context, threads, generating);
        } catch (CompletionException e) {
            thread.shutdown();
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }

    /** Most tokens of one text. */
    public int mostTokens() {
        return context.mostTokens();
    }

    /**
     * Computes a vector for each text, or its score. Cancelling the result ends the computing.
     *
     * @param texts gives the texts, each of 1 to {@link #mostTokens} tokens, on this embedder's thread; what it throws ends the
     *     call
     * @throws EmbeddingException FULL or CLOSED
     */
    public CompletableFuture<Computed> compute(Supplier<List<int[]>> texts, Pooling pooling) {
        Call call = new Call(texts, pooling);
        synchronized (lock) {
            if (draining || closed) {
                throw closed();
            }
            if (calls.size() >= MOST_CALLS) {
                throw new EmbeddingException(
                        EmbeddingException.Reason.FULL,
                        "too many embedding calls wait (expected: at most " + MOST_CALLS + ")");
            }
            calls.add(call);
            thread.execute(() -> step(call));
        }
        call.result.whenComplete((computed, failure) -> ended(call));
        return call.result;
    }

    /**
     * What a call gave.
     *
     * @param texts its texts as tokens
     * @param vectors one for each; of a reranker its score alone
     */
    public record Computed(List<int[]> texts, float[][] vectors) {}

    /** Takes no more calls. */
    public void drain() {
        synchronized (lock) {
            draining = true;
        }
    }

    /** Waits until no call is left. Returns whether that came within the time. */
    public boolean awaitIdle(Duration most) throws InterruptedException {
        long end = System.nanoTime() + most.toNanos();
        synchronized (lock) {
            while (!calls.isEmpty()) {
                long left = end - System.nanoTime();
                if (left <= 0) {
                    return false;
                }
                TimeUnit.NANOSECONDS.timedWait(lock, left);
            }
        }
        return true;
    }

    /** Ends its calls and frees its memory; does nothing the second time. */
    @Override
    public void close() {
        List<Call> left;
        synchronized (lock) {
            closed = true;
            left = List.copyOf(calls);
        }
        left.forEach(call -> call.result.completeExceptionally(closed()));
        synchronized (lock) {
            if (!thread.isShutdown()) {
                thread.execute(context::close);
                thread.shutdown();
            }
        }
        awaitThread();
    }

    /** A call is done, failed or cancelled. */
    private void ended(Call call) {
        synchronized (lock) {
            calls.remove(call);
            if (running == call) {
                context.abort();
            }
            lock.notifyAll();
        }
    }

    /** The next portion of a call; what is left of it queues up again behind the others. */
    private void step(Call call) {
        synchronized (lock) {
            if (call.result.isDone()) {
                return;
            }
            running = call;
            context.clearAbort();
        }
        boolean more;
        try {
            more = call.advance(context, threadsNow());
        } catch (RuntimeException e) {
            released();
            call.result.completeExceptionally(e);
            return;
        }
        released();
        synchronized (lock) {
            if (more && !closed) {
                thread.execute(() -> step(call));
            }
        }
    }

    private void released() {
        synchronized (lock) {
            running = null;
        }
    }

    private int threadsNow() {
        return generating.getAsBoolean() ? Math.max(1, threads / SHARE_WHILE_GENERATING) : threads;
    }

    private void awaitThread() {
        boolean interrupted = false;
        while (true) {
            try {
                if (thread.awaitTermination(1, TimeUnit.MINUTES)) {
                    break;
                }
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static EmbeddingException closed() {
        return new EmbeddingException(EmbeddingException.Reason.CLOSED, "the node shuts down");
    }

    /** Texts that somebody asked for together. Its own state belongs to the embedder's thread. */
    private static final class Call {
        final CompletableFuture<Computed> result = new CompletableFuture<>();
        private final Supplier<List<int[]>> source;
        private final Pooling pooling;
        private @Nullable List<int[]> texts;
        private float[][] vectors = new float[0][];
        private int done;

        Call(Supplier<List<int[]>> source, Pooling pooling) {
            this.source = source;
            this.pooling = pooling;
        }

        /** Computes the next portion; returns whether there is more. */
        boolean advance(EmbeddingContext context, int threads) {
            List<int[]> all = texts();
            float @Nullable [][] portion = context.embed(all.subList(done, portionEnd(all)), pooling, threads);
            if (portion == null) {
                return false;
            }
            System.arraycopy(portion, 0, vectors, done, portion.length);
            done += portion.length;
            if (done == all.size()) {
                result.complete(new Computed(all, vectors));
                return false;
            }
            return true;
        }

        private List<int[]> texts() {
            List<int[]> all = texts;
            if (all == null) {
                all = source.get();
                texts = all;
                vectors = new float[all.size()][];
            }
            return all;
        }

        private int portionEnd(List<int[]> all) {
            int end = done;
            int tokens = 0;
            while (end < all.size() && end - done < PORTION_TEXTS && tokens < PORTION_TOKENS) {
                tokens += all.get(end++).length;
            }
            return end;
        }
    }
}
