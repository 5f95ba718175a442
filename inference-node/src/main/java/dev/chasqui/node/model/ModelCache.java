package dev.chasqui.node.model;

import com.github.benmanes.caffeine.cache.AsyncCache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The models in memory, bounded by bytes.
 *
 * <p>Caffeine makes each load happen once, however many ask. What goes out is decided here and not by Caffeine's policy, which
 * weighs frequency and knows nothing of use: the model whose last use is longest ago, and never one that is leased. Where all
 * are in use a load waits for one to become free; after a while the one longest unused is given to nobody any more, so that
 * models which are always busy do not keep the others out.
 */
final class ModelCache {
    private static final Duration MEMORY_PATIENCE = Duration.ofSeconds(60);
    private static final Duration RETRY = Duration.ofSeconds(5);
    private static final long BUSY_PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long LOOK_AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final AsyncCache<String, LoadedModel> cache = Caffeine.newBuilder().buildAsync();
    private final long memoryBytes;
    private final Executor loader;
    private final ScheduledExecutorService timer;
    private final Runnable onUnload;

    /** No longer found by name, but still used by those who have it. */
    private final CopyOnWriteArrayList<LoadedModel> leaving = new CopyOnWriteArrayList<>();

    /** How many leases came back; its monitor tells of each. */
    private final AtomicLong releases = new AtomicLong();

    /**
     * @param loader one thread, so that memory is promised to one model at a time
     * @param timer unloads models whose time is up
     * @param onUnload runs after a model has left
     */
    ModelCache(long memoryBytes, Executor loader, ScheduledExecutorService timer, Runnable onUnload) {
        this.memoryBytes = memoryBytes;
        this.loader = loader;
        this.timer = timer;
        this.onUnload = onUnload;
    }

    /**
     * A lease on a model, loaded first if it is not in memory. The loads wait in line; a failed one is forgotten, so that the
     * next request tries again.
     *
     * @param plan how the model will be run with what memory is free now
     */
    CompletableFuture<ModelLease> lease(String name, Supplier<ModelPlan> plan, Function<ModelPlan, LoadedModel> load) {
        CompletableFuture<LoadedModel> loaded = cache.get(
                name, (key, executor) -> CompletableFuture.supplyAsync(() -> load.apply(makeRoom(name, plan)), loader));
        return loaded.whenComplete((model, failure) -> {
                    if (failure != null) {
                        // Caffeine forgets it too, but only after callers have heard of it.
                        cache.asMap().remove(name, loaded);
                    }
                })
                .thenCompose(model -> {
                    if (model.retain()) {
                        return CompletableFuture.completedFuture(new ModelLease(model, () -> released(model)));
                    }
                    // It went out between the look-up and now, or broke; those who have it may still hold its memory.
                    synchronized (model) {
                        if (model.isCondemned()) {
                            if (!model.isFreed()) {
                                leaving.addIfAbsent(model);
                            }
                            forget(name, model);
                        }
                    }
                    return lease(name, plan, load);
                });
    }

    /** Every model in memory, those included that are found by nobody any more but still in use. */
    Collection<LoadedModel> loaded() {
        List<LoadedModel> all = new ArrayList<>();
        cache.asMap().values().stream()
                .filter(ModelCache::isLoaded)
                .map(CompletableFuture::join)
                .forEach(all::add);
        leaving.removeIf(LoadedModel::isFreed);
        all.addAll(leaving);
        return all;
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
        onUnload.run();
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
        long own = model.hostBytes();
        if (own + needed > memoryBytes) {
            throw new ModelException(
                    ModelException.Reason.UNUSABLE,
                    "model " + model.name() + " needs about " + ModelPlan.megabytes(needed)
                            + " of memory for embeddings beside the "
                            + ModelPlan.megabytes(own) + " that it holds (expected: at most "
                            + ModelPlan.megabytes(memoryBytes) + " in all); a smaller --ctx needs less");
        }
        makeRoom(model.name(), needed);
    }

    private ModelPlan makeRoom(String name, Supplier<ModelPlan> plans) {
        ModelPlan plan = plans.get();
        // A GPU's memory is better spent on who is asked for.
        while (plan.shortOfGpu() && unloadIdle(LoadedModel::usesGpu)) {
            plan = plans.get();
        }
        long needed = plan.hostBytes();
        if (needed > memoryBytes) {
            throw new ModelException(
                    ModelException.Reason.UNUSABLE,
                    "model " + name + " needs " + plan.needs() + " (expected: at most "
                            + ModelPlan.megabytes(memoryBytes) + "); " + plan.suggestion(memoryBytes));
        }
        makeRoom(name, needed);
        return plan;
    }

    private void makeRoom(String name, long needed) {
        long began = System.nanoTime();
        boolean asked = false;
        List<LoadedModel> retired = List.of();
        try {
            while (held() + needed > memoryBytes) {
                long seen = releases.get();
                if (unloadIdle(model -> true)) {
                    continue;
                }
                long waited = System.nanoTime() - began;
                if (!asked && waited >= BUSY_PATIENCE_NANOS) {
                    asked = true;
                    retired = retireForRoom(name, needed);
                } else {
                    awaitRelease(name, needed, seen, MEMORY_PATIENCE.toNanos() - waited);
                }
            }
        } finally {
            // Those that are in use still were not what made room, if any did.
            retired.forEach(this::reinstate);
        }
    }

    private void reinstate(LoadedModel model) {
        // Nobody closes it or forgets it meanwhile.
        synchronized (model) {
            if (!model.reinstate()) {
                return;
            }
            if (cache.asMap().putIfAbsent(model.name(), CompletableFuture.completedFuture(model)) == null) {
                leaving.remove(model);
            } else {
                // Somebody has asked for it meanwhile, and waits until it is loaded anew.
                model.retire();
            }
        }
    }

    /** Unloads the one of these whose last use is longest ago; false where all are in use. */
    private boolean unloadIdle(Predicate<LoadedModel> which) {
        Optional<LoadedModel> victim = loaded().stream()
                .filter(model -> which.test(model) && !model.inUse() && !leaving.contains(model))
                .min(Comparator.comparingLong(LoadedModel::lastUsedNanos));
        victim.ifPresent(this::unload);
        return victim.isPresent();
    }

    /** From now on those longest unused answer only whom they answer already, until that makes room enough. Returns them. */
    private List<LoadedModel> retireForRoom(String name, long needed) {
        List<LoadedModel> longestUnusedFirst = loaded().stream()
                .filter(model -> !leaving.contains(model) && !model.name().equals(name))
                .sorted(Comparator.comparingLong(LoadedModel::lastUsedNanos))
                .toList();
        long held = held() - leaving.stream().mapToLong(LoadedModel::hostBytes).sum();
        List<LoadedModel> retired = new ArrayList<>();
        for (LoadedModel model : longestUnusedFirst) {
            if (held + needed <= memoryBytes) {
                break;
            }
            held -= model.hostBytes();
            leaving.addIfAbsent(model);
            forget(model.name(), model);
            model.retire();
            retired.add(model);
        }
        return retired;
    }

    private long held() {
        return loaded().stream().mapToLong(LoadedModel::hostBytes).sum();
    }

    /** Waits until a lease has come back since {@code seen}, or a while. */
    private void awaitRelease(String name, long needed, long seen, long left) {
        if (left <= 0) {
            throw new ModelException(
                    ModelException.Reason.NOT_READY,
                    "model " + name + " needs about " + ModelPlan.megabytes(needed)
                            + " of memory, and the models that hold it are in use",
                    RETRY,
                    null);
        }
        synchronized (releases) {
            try {
                if (releases.get() == seen) {
                    TimeUnit.NANOSECONDS.timedWait(releases, Math.min(left, LOOK_AGAIN_NANOS));
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new ModelException(ModelException.Reason.NOT_READY, "the node shuts down", RETRY, e);
            }
        }
    }

    private void released(LoadedModel model) {
        synchronized (releases) {
            releases.incrementAndGet();
            releases.notifyAll();
        }
        unloadInTime(model);
    }

    /** Sees to it that a model goes when it was unused for as long as it may be. */
    private void unloadInTime(LoadedModel model) {
        long nanos = model.nextExpiryCheck();
        if (nanos < 0 || timer.isShutdown()) {
            return;
        }
        timer.schedule(
                () -> {
                    if (!model.expired()) {
                        unloadInTime(model);
                    } else {
                        unload(model);
                    }
                },
                nanos,
                TimeUnit.NANOSECONDS);
    }
}
