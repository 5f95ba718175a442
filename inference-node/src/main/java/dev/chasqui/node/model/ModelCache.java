package dev.chasqui.node.model;

import com.github.benmanes.caffeine.cache.AsyncCache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.time.Duration;
import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The models in memory, bounded by bytes.
 *
 * <p>Caffeine makes each load happen once, however many ask. What goes out is decided here and not by Caffeine's policy, which
 * weighs frequency and knows nothing of use: the model whose last use is longest ago, and never one that is leased. Where all
 * are in use a load waits for one to become free.
 */
final class ModelCache {
    private static final Duration MEMORY_PATIENCE = Duration.ofSeconds(60);
    private static final Duration RETRY = Duration.ofSeconds(5);

    private final AsyncCache<String, LoadedModel> cache = Caffeine.newBuilder().buildAsync();
    private final long memoryBytes;
    private final Executor loader;

    /** How many leases came back; its monitor tells of each. */
    private final AtomicLong releases = new AtomicLong();

    /** @param loader one thread, so that memory is promised to one model at a time */
    ModelCache(long memoryBytes, Executor loader) {
        this.memoryBytes = memoryBytes;
        this.loader = loader;
    }

    /**
     * A lease on a model, loaded first if it is not in memory. The loads wait in line; a failed one is forgotten, so that the
     * next request tries again.
     *
     * @param bytes how much memory the model will need
     */
    CompletableFuture<ModelLease> lease(String name, LongSupplier bytes, Supplier<LoadedModel> load) {
        CompletableFuture<LoadedModel> loaded = cache.get(
                name,
                (key, executor) -> CompletableFuture.supplyAsync(
                        () -> {
                            makeRoom(name, bytes.getAsLong());
                            return load.get();
                        },
                        loader));
        return loaded.whenComplete((model, failure) -> {
                    if (failure != null) {
                        // Caffeine forgets it too, but only after callers have heard of it.
                        cache.asMap().remove(name, loaded);
                    }
                })
                .thenCompose(model -> {
                    if (model.retain()) {
                        return CompletableFuture.completedFuture(new ModelLease(model, this::released));
                    }
                    // It went out between the look-up and now.
                    forget(name, model);
                    return lease(name, bytes, load);
                });
    }

    Collection<LoadedModel> loaded() {
        return cache.asMap().values().stream()
                .filter(ModelCache::isLoaded)
                .map(CompletableFuture::join)
                .toList();
    }

    Optional<LoadedModel> find(String name) {
        @Nullable CompletableFuture<LoadedModel> found = cache.getIfPresent(name);
        return found != null && isLoaded(found) ? Optional.of(found.join()) : Optional.empty();
    }

    /** Takes a model out of memory; false where it is in use. */
    boolean unload(LoadedModel model) {
        if (!model.closeIfIdle()) {
            return false;
        }
        forget(model.name(), model);
        return true;
    }

    /** Closes all models, ending their requests. */
    void close() {
        for (LoadedModel model : loaded()) {
            model.closeWithRequests();
        }
        cache.asMap().clear();
    }

    private static boolean isLoaded(CompletableFuture<LoadedModel> future) {
        return future.isDone() && !future.isCompletedExceptionally();
    }

    /**
     * Takes a closed model's entry out, unless a new load has taken its place. The map's synchronous view would wait for that
     * load, which may stand in line behind the very thread that waits.
     */
    private void forget(String name, LoadedModel model) {
        CompletableFuture<LoadedModel> found = cache.getIfPresent(name);
        if (found != null && isLoaded(found) && found.join() == model) {
            cache.asMap().remove(name, found);
        }
    }

    /** Frees memory for more than a leased model holds already. On the loader's thread. */
    void makeRoomBeside(LoadedModel model, long needed) {
        long own = model.memoryBytes();
        if (own + needed > memoryBytes) {
            throw new ModelException(
                    ModelException.Reason.UNUSABLE,
                    "model " + model.name() + " needs about " + megabytes(needed)
                            + " of memory for embeddings beside the "
                            + megabytes(own) + " that it holds (expected: at most " + megabytes(memoryBytes)
                            + " in all); a smaller --ctx needs less");
        }
        makeRoom(model.name(), needed);
    }

    private void makeRoom(String name, long needed) {
        if (needed > memoryBytes) {
            throw new ModelException(
                    ModelException.Reason.UNUSABLE,
                    "model " + name + " needs about " + megabytes(needed) + " of memory (expected: at most "
                            + megabytes(memoryBytes) + "); a smaller --ctx or --parallel needs less");
        }
        long deadline = System.nanoTime() + MEMORY_PATIENCE.toNanos();
        while (held() + needed > memoryBytes) {
            long seen = releases.get();
            Optional<LoadedModel> victim = loaded().stream()
                    .filter(model -> !model.inUse())
                    .min(Comparator.comparingLong(LoadedModel::lastUsedNanos));
            if (victim.isPresent()) {
                unload(victim.get());
            } else {
                awaitRelease(name, needed, seen, deadline);
            }
        }
    }

    private long held() {
        return loaded().stream().mapToLong(LoadedModel::memoryBytes).sum();
    }

    /** Waits until a lease has come back since {@code seen}, or a while. */
    private void awaitRelease(String name, long needed, long seen, long deadline) {
        long left = deadline - System.nanoTime();
        if (left <= 0) {
            throw new ModelException(
                    ModelException.Reason.NOT_READY,
                    "model " + name + " needs about " + megabytes(needed)
                            + " of memory, and the models that hold it are in use",
                    RETRY,
                    null);
        }
        synchronized (releases) {
            try {
                if (releases.get() == seen) {
                    TimeUnit.NANOSECONDS.timedWait(releases, Math.min(left, TimeUnit.SECONDS.toNanos(1)));
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new ModelException(ModelException.Reason.NOT_READY, "the node shuts down", RETRY, e);
            }
        }
    }

    private void released() {
        synchronized (releases) {
            releases.incrementAndGet();
            releases.notifyAll();
        }
    }

    private static String megabytes(long bytes) {
        return Math.round(bytes / 1e6) + " MB";
    }
}
