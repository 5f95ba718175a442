package dev.chasqui.node.store;

import dev.chasqui.node.store.PullProgress.State;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * One caller's share in a download. Several callers may share one; it stops when the last of them cancels. Safe for use
 * by any thread.
 */
public final class Pull {
    private final String model;
    private final PullListener listener;
    private final Supplier<PullProgress> progress;
    private final CompletableFuture<StoredModel> future = new CompletableFuture<>();

    Pull(String model, PullListener listener, Supplier<PullProgress> progress) {
        this.model = model;
        this.listener = listener;
        this.progress = progress;
    }

    /** For what needs no download. */
    static Pull done(StoredModel model, PullListener listener) {
        String source = model.source() == null ? "" : model.source();
        PullProgress progress =
                new PullProgress(State.DONE, model.name(), source, model.sizeBytes(), model.sizeBytes(), 0);
        Pull pull = new Pull(model.name(), listener, () -> progress);
        listener.progress(progress);
        pull.future.complete(model);
        return pull;
    }

    /**
     * The model once it is in the models folder and checked, or a {@link StoreException}. It is completed on the
     * download's thread.
     */
    public CompletableFuture<StoredModel> future() {
        return future;
    }

    /** Ends this share with CANCELLED; what was fetched so far is kept for the next pull. */
    public void cancel() {
        future.completeExceptionally(Download.cancelled(model));
    }

    public PullProgress progress() {
        return progress.get();
    }

    PullListener listener() {
        return listener;
    }
}
