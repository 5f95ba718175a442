package dev.chasqui.node.model;

import dev.chasqui.llama.Llama;
import dev.chasqui.llama.LlamaException;
import dev.chasqui.node.embedding.Embedder;
import dev.chasqui.node.store.BadModelFile;
import dev.chasqui.node.store.CatalogueEntry;
import dev.chasqui.node.store.ModelReference;
import dev.chasqui.node.store.ModelStore;
import dev.chasqui.node.store.Pull;
import dev.chasqui.node.store.PullProgress;
import dev.chasqui.node.store.StoreException;
import dev.chasqui.node.store.StoredModel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The node's models: what there is on disk and in the catalogue, what is in memory, and the default one.
 *
 * <p>{@link #start} chooses, fetches and loads the default model in the background. Every other model is loaded by the first
 * request that names it.
 */
public final class Models implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Models.class);
    private static final Duration SOON = Duration.ofSeconds(2);
    private static final long STARTUP_RETRY_SECONDS = 30;
    private static final double WARM_FRACTION = 0.9;
    private static final long HEAT_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final Llama llama;
    private final ModelStore store;
    private final ModelSettings settings;
    private final ModelCache cache;
    private final ExecutorService loader;
    private final ExecutorService starter;
    private final ScheduledExecutorService timer;
    private final Map<String, SeenHeat> heats = new ConcurrentHashMap<>();
    private final Map<String, ModelActivity> activities = new ConcurrentHashMap<>();
    private final List<String> notices = new CopyOnWriteArrayList<>();
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
    private volatile String defaultName;
    private volatile boolean serving;

    public Models(Llama llama, ModelStore store, ModelSettings settings) {
        this.llama = llama;
        this.store = store;
        this.settings = settings;
        this.loader = Executors.newSingleThreadExecutor(task -> daemon(task, "model loader"));
        this.starter = Executors.newSingleThreadExecutor(task -> daemon(task, "model starter"));
        this.timer = Executors.newSingleThreadScheduledExecutor(task -> daemon(task, "model timer"));
        this.cache = new ModelCache(settings.memoryBytes(), loader, timer, this::changed);
        String wanted = settings.defaultModel();
        this.defaultName = wanted == null ? firstDefault() : nameOf(ModelReference.parse(wanted));
    }

    /**
     * Chooses the default model, fetches it if need be, and loads it, all in the background; tries again until it has one.
     *
     * @param first runs before any model is loaded, on the thread that loads
     */
    public void start(Runnable first) {
        loader.execute(first);
        starter.execute(this::startDefault);
    }

    /** Runs whenever a model's state changes; must be quick. */
    public void onChange(Runnable listener) {
        listeners.add(listener);
    }

    public String defaultName() {
        return defaultName;
    }

    /** What happened that an operator should know, oldest first. */
    public List<String> notices() {
        return List.copyOf(notices);
    }

    /** Every model on disk and in the catalogue, the default first, then by name. */
    public List<ModelDescription> list() {
        Map<String, StoredModel> onDisk = new TreeMap<>();
        ModelStore.Contents contents = store.look();
        for (StoredModel stored : contents.usable()) {
            onDisk.put(stored.name(), stored);
        }
        Map<String, CatalogueEntry> entries = new TreeMap<>();
        for (CatalogueEntry entry : store.catalogue().entries()) {
            entries.put(entry.id(), entry);
        }
        List<String> names = new ArrayList<>(entries.keySet());
        onDisk.keySet().stream().filter(name -> !entries.containsKey(name)).forEach(names::add);
        Map<String, ModelActivity> remains = remains(contents);
        Stream.concat(activities.keySet().stream(), remains.keySet().stream())
                .distinct()
                .filter(name -> !names.contains(name))
                .forEach(names::add);
        names.sort(
                Comparator.comparing((String name) -> !name.equals(defaultName)).thenComparing(name -> name));
        List<ModelDescription> all = new ArrayList<>(names.size());
        for (String name : names) {
            all.add(withRemains(describe(name, onDisk.get(name), entries.get(name)), remains.get(name)));
        }
        return all;
    }

    /** What lies in the folder and is no usable model, by name: files that were fetched in part, and damaged ones. */
    private Map<String, ModelActivity> remains(ModelStore.Contents contents) {
        Map<String, ModelActivity> remains = new TreeMap<>();
        store.partials().forEach(partial -> remains.put(partial.name(), ModelActivity.partial(partial.bytes())));
        contents.damaged().forEach(damaged -> remains.put(damaged.name(), ModelActivity.failed(damaged.reason())));
        return remains;
    }

    /** Where nothing else is known of a model, what lies in the folder says how it stands. */
    private static ModelDescription withRemains(ModelDescription model, @Nullable ModelActivity remains) {
        return remains == null || model.activity().state() != ModelActivity.State.ABSENT
                ? model
                : new ModelDescription(
                        model.name(), remains, model.heat(), model.isDefault(), model.entry(), null, null);
    }

    /** Models that are being fetched or loaded, are in memory, or failed; the default among them in any case. */
    public List<ModelDescription> active() {
        List<String> names = new ArrayList<>(activities.keySet());
        if (!names.contains(defaultName)) {
            names.add(defaultName);
        }
        names.sort(
                Comparator.comparing((String name) -> !name.equals(defaultName)).thenComparing(name -> name));
        return names.stream().map(this::describe).toList();
    }

    /** Names of the models on disk. */
    public List<String> stored() {
        return store.list().stream().map(StoredModel::name).toList();
    }

    /** @throws StoreException NOT_FOUND */
    public ModelDescription show(String name) {
        ModelReference reference = reference(name);
        ModelDescription description = describe(nameOf(reference));
        description = withRemains(description, remains(store.look()).get(description.name()));
        boolean known = description.entry() != null || description.stored() != null;
        if (!known && description.activity().equals(ModelActivity.of(ModelActivity.State.ABSENT))) {
            throw store.unknown(description.name());
        }
        return description;
    }

    /**
     * The right to use a model, once it is in memory. An empty name means the default model.
     *
     * @return fails with {@link ModelException}, or {@link StoreException} for a name or a file that makes no sense
     */
    public CompletableFuture<ModelLease> lease(String name) {
        try {
            // Mostly it is the name that it has in memory, and what else that could mean need not be found out.
            Optional<LoadedModel> hot =
                    cache.find(name.isEmpty() ? defaultName : name).or(() -> cache.find(nameOf(reference(name))));
            StoredModel stored = hot.isPresent() ? hot.get().stored() : onDisk(reference(name));
            CompletableFuture<ModelLease> lease = cache.lease(stored.name(), () -> plan(stored), this::load);
            // A model that was just loaded is seen in the cache from here on, not before.
            return hot.isPresent() ? lease : lease.whenComplete((granted, failure) -> leased(stored.name(), failure));
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /**
     * The same for a caller who wants to hear how far the model is where it has to be loaded.
     *
     * @param progress hears the model's name and 0 to 1; must be quick
     */
    public CompletableFuture<ModelLease> lease(String name, LoadProgress progress) {
        CompletableFuture<ModelLease> lease = lease(name);
        if (lease.isDone()) {
            return lease;
        }
        String key = nameOf(reference(name));
        Runnable watch = () -> {
            ModelActivity activity = activities.get(key);
            if (activity != null && activity.state() == ModelActivity.State.LOADING) {
                progress.at(key, activity.progress());
            }
        };
        listeners.add(watch);
        watch.run();
        return lease.whenComplete((granted, failure) -> listeners.remove(watch));
    }

    /** Hears how far a load is. */
    @FunctionalInterface
    public interface LoadProgress {
        void at(String model, double progress);
    }

    /** Whether the default model has been in memory; from then on requests for it wait where it has to be loaded anew. */
    public boolean isServing() {
        return serving;
    }

    /**
     * What computes vectors, or a reranker's scores, for a leased model; opened by the first call, and closed with the model.
     *
     * @return fails with {@link ModelException} or {@link LlamaException}
     */
    public CompletableFuture<Embedder> embedder(ModelLease lease) {
        LoadedModel model = lease.model();
        Embedder open = model.embedder();
        if (open != null) {
            return CompletableFuture.completedFuture(open);
        }
        return CompletableFuture.supplyAsync(() -> openEmbedder(model), loader);
    }

    /** On the loader's thread, so that it happens once. */
    private Embedder openEmbedder(LoadedModel model) {
        Embedder open = model.embedder();
        if (open == null) {
            cache.makeRoomBeside(model, model.embedderBytes());
            open = model.openEmbedder();
            changed();
        }
        return open;
    }

    /**
     * Brings a model into memory, fetching it first if need be.
     *
     * @param keepAlive how long it stays when nobody uses it; null: as it is set up
     * @param progress hears where it stands
     */
    public CompletableFuture<Void> load(String name, @Nullable KeepAlive keepAlive, Consumer<ModelActivity> progress) {
        try {
            ModelReference reference = reference(name);
            String key = nameOf(reference);
            Runnable watch = () -> Optional.ofNullable(activities.get(key)).ifPresent(progress);
            listeners.add(watch);
            CompletableFuture<StoredModel> stored = store.find(reference)
                    .map(CompletableFuture::completedFuture)
                    .orElseGet(() -> fetch(reference, false));
            return stored.thenCompose(found -> lease(found.name()))
                    .thenAccept(lease -> {
                        try (lease) {
                            if (keepAlive != null) {
                                lease.keep(keepAlive);
                            }
                        }
                    })
                    .whenComplete((done, failure) -> listeners.remove(watch));
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /**
     * How a model on disk would be run here, and what it would take.
     *
     * @throws ModelException NOT_FOUND, UNUSABLE
     * @throws StoreException NOT_FOUND
     */
    public ModelPlan planOf(String name) {
        StoredModel stored = onDisk(reference(name));
        return cache.find(stored.name()).map(LoadedModel::plan).orElseGet(() -> {
            try {
                return planNow(stored);
            } catch (LlamaException e) {
                throw unusable(stored.name(), e);
            }
        });
    }

    /** @throws ModelException NOT_FOUND where it is not in memory, IN_USE */
    public void unload(String name) {
        String key = nameOf(reference(name));
        LoadedModel model = cache.find(key)
                .orElseThrow(() ->
                        new ModelException(ModelException.Reason.NOT_FOUND, "model " + key + " is not in memory"));
        if (!cache.unload(model)) {
            throw inUse(key);
        }
        activities.remove(key);
        changed();
    }

    /** Fetches a model to disk; several calls for one model share one download. */
    public CompletableFuture<Void> pull(String name, boolean force, Consumer<ModelActivity> progress) {
        try {
            ModelReference reference = reference(name);
            String key = nameOf(reference);
            Runnable watch = () -> Optional.ofNullable(activities.get(key)).ifPresent(progress);
            listeners.add(watch);
            return fetch(reference, force)
                    .<Void>thenApply(stored -> null)
                    .whenComplete((done, failure) -> listeners.remove(watch));
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /**
     * Ends a download for all who wait for it, and keeps what has arrived.
     *
     * @throws ModelException NOT_FOUND where the model is not being fetched
     */
    public void cancelPull(String name) {
        String key = nameOf(reference(name));
        if (!store.cancel(key)) {
            throw new ModelException(ModelException.Reason.NOT_FOUND, "model " + key + " is not being fetched");
        }
    }

    /**
     * Removes a model's file and what was fetched of it, takes it out of memory, and forgets that fetching it failed.
     *
     * @throws ModelException IN_USE while it serves requests
     * @throws StoreException NOT_FOUND where there is nothing of it
     */
    public void delete(String name) {
        ModelReference reference = reference(name);
        String key = nameOf(reference);
        for (LoadedModel model : cache.loaded()) {
            if (model.name().equals(key) && !cache.unload(model)) {
                throw inUse(key);
            }
        }
        ModelActivity activity = activities.get(key);
        boolean failed = activity != null && activity.state() == ModelActivity.State.FAILED;
        try {
            store.delete(reference);
        } catch (StoreException e) {
            if (!failed || e.reason() != StoreException.Reason.NOT_FOUND) {
                throw e;
            }
        }
        activities.remove(key);
        changed();
    }

    public Collection<LoadedModel> loaded() {
        return cache.loaded();
    }

    /** Lets running answers go on, but starts none. */
    public void drain() {
        starter.shutdownNow();
        cache.loaded().forEach(LoadedModel::drain);
    }

    /** Waits until no model answers any more. Returns whether that came within the time. */
    public boolean awaitIdle(Duration most) throws InterruptedException {
        long end = System.nanoTime() + most.toNanos();
        for (LoadedModel model : cache.loaded()) {
            if (!model.awaitIdle(Duration.ofNanos(Math.max(0, end - System.nanoTime())))) {
                return false;
            }
        }
        return true;
    }

    @Override
    public void close() {
        starter.shutdownNow();
        loader.shutdownNow();
        timer.shutdownNow();
        cache.close();
    }

    private void startDefault() {
        while (!Thread.currentThread().isInterrupted()) {
            for (ModelReference candidate : candidates()) {
                if (startDefault(candidate)) {
                    return;
                }
            }
            try {
                TimeUnit.SECONDS.sleep(STARTUP_RETRY_SECONDS);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private boolean startDefault(ModelReference candidate) {
        String name = nameOf(candidate);
        defaultName = name;
        try {
            if (stored(candidate).isEmpty()) {
                fetch(candidate, false).join();
            }
            lease("").join().close();
            serving = true;
            changed();
            return true;
        } catch (RuntimeException e) {
            String reason = message(e);
            activities.put(name, ModelActivity.failed(reason));
            notice("model " + name + " cannot be used: " + reason);
            changed();
            return false;
        }
    }

    /** A damaged file counts as none where it can be fetched anew. */
    private Optional<StoredModel> stored(ModelReference reference) {
        try {
            return store.find(reference);
        } catch (BadModelFile e) {
            boolean elsewhere = reference instanceof ModelReference.At
                    ? !reference.isLocalFile()
                    : store.catalogue().entry(nameOf(reference)).isPresent();
            if (!elsewhere) {
                throw e;
            }
            notice("model " + nameOf(reference) + " is damaged and fetched anew: " + message(e));
            return Optional.empty();
        }
    }

    private List<ModelReference> candidates() {
        if (settings.defaultModel() != null) {
            return List.of(ModelReference.parse(settings.defaultModel()));
        }
        List<ModelReference> all =
                store.defaults().stream().map(ModelReference::parse).toList();
        List<ModelReference> here =
                all.stream().filter(one -> stored(one).isPresent()).toList();
        return here.isEmpty() ? all : here;
    }

    private String firstDefault() {
        return candidates().stream().map(this::nameOf).findFirst().orElse("");
    }

    private CompletableFuture<StoredModel> fetch(ModelReference reference, boolean force) {
        String name = nameOf(reference);
        Pull pull = store.pull(reference, force, progress -> downloading(name, progress));
        return pull.future().whenComplete((stored, failure) -> {
            if (failure instanceof StoreException refused && refused.reason() == StoreException.Reason.CANCELLED) {
                activities.remove(name);
            } else if (failure == null) {
                activities.remove(name);
                notice("fetched " + name + ", " + Math.round(stored.sizeBytes() / 1e6) + " MB");
            } else {
                activities.put(name, ModelActivity.failed(message(failure)));
            }
            changed();
        });
    }

    private void downloading(String name, PullProgress progress) {
        if (progress.state() == PullProgress.State.DONE || progress.state() == PullProgress.State.FAILED) {
            return;
        }
        activities.put(
                name,
                new ModelActivity(
                        ModelActivity.State.DOWNLOADING,
                        progress.fraction(),
                        progress.bytesDone(),
                        progress.bytesTotal(),
                        progress.bytesPerSecond(),
                        progress.source(),
                        ""));
        changed();
    }

    private void leased(String name, @Nullable Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof ModelException refused) {
            boolean unusable = refused.reason() == ModelException.Reason.UNUSABLE;
            activities.put(
                    name,
                    unusable ? ModelActivity.failed(message(refused)) : ModelActivity.of(ModelActivity.State.ON_DISK));
        }
        changed();
    }

    /** How a model will be run with what memory is free now; the first thing that is done for its load. */
    private ModelPlan plan(StoredModel stored) {
        activities.put(stored.name(), ModelActivity.loading(0));
        changed();
        try {
            ModelPlan plan = planNow(stored);
            if (settings.optimize() && plan.slowWithMany()) {
                optimize(stored, plan);
                plan = planNow(stored);
            }
            return plan;
        } catch (LlamaException e) {
            throw unusable(stored.name(), e);
        }
    }

    private ModelPlan planNow(StoredModel stored) {
        return ModelPlan.of(llama, stored, store.loadFile(stored), draftFor(stored), settingsFor(stored));
    }

    /** A model that cannot be made faster runs as it is. */
    private void optimize(StoredModel stored, ModelPlan plan) {
        try {
            Path made = Optimization.make(llama, store, stored, plan.context().threads());
            notice("made a faster file of " + stored.name() + ", "
                    + Math.round(made.toFile().length() / 1e6) + " MB");
        } catch (ModelException | StoreException | LlamaException e) {
            notice("model " + stored.name() + " runs as it is: " + e.getMessage());
        }
    }

    private LoadedModel load(ModelPlan plan) {
        String name = plan.stored().name();
        long began = System.nanoTime();
        try {
            LoadedModel model = LoadedModel.load(llama, plan, settingsFor(plan.stored()), progress -> {
                activities.put(name, ModelActivity.loading(progress));
                changed();
                return !Thread.currentThread().isInterrupted();
            });
            activities.put(name, ModelActivity.of(ModelActivity.State.READY));
            log.info(
                    "model {} is ready after {} ms: {} slots of {} tokens, {}",
                    name,
                    TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began),
                    model.slots(),
                    model.contextTokens(),
                    plan.needs());
            if (settings.contextTokens() > plan.contextTokens()) {
                notice("model " + name + " runs with " + plan.contextTokens()
                        + " tokens of context, as many as it was trained for, and not with "
                        + settings.contextTokens());
            }
            changed();
            return model;
        } catch (LlamaException e) {
            throw unusable(name, e);
        }
    }

    /** Adapters and the model that guesses are the default model's. */
    private ModelSettings settingsFor(StoredModel stored) {
        return stored.name().equals(defaultName) ? settings : settings.plain();
    }

    /** The model that guesses for this one; null: none. */
    private @Nullable StoredModel draftFor(StoredModel stored) {
        String wanted = settingsFor(stored).draftModel();
        if (wanted == null) {
            return null;
        }
        try {
            return store.find(ModelReference.parse(wanted))
                    .orElseThrow(() -> new LlamaException(
                            LlamaException.Reason.LOAD_FAILED, "draft model " + wanted + ": not on disk"));
        } catch (StoreException e) {
            throw new LlamaException(LlamaException.Reason.LOAD_FAILED, "draft model " + wanted + ": " + e.sentence());
        }
    }

    private static ModelException unusable(String name, LlamaException e) {
        return new ModelException(
                ModelException.Reason.UNUSABLE, "model " + name + " cannot be loaded: " + e.getMessage(), null, e);
    }

    private StoredModel onDisk(ModelReference reference) {
        String name = nameOf(reference);
        Optional<StoredModel> stored = store.find(reference);
        if (stored.isPresent()) {
            return stored.get();
        }
        ModelActivity activity = activities.get(name);
        if (activity != null && activity.state() == ModelActivity.State.DOWNLOADING) {
            throw new ModelException(
                    ModelException.Reason.NOT_READY,
                    "model " + name + " is being downloaded: " + Math.round(activity.progress() * 100) + " %",
                    SOON,
                    null);
        }
        if (name.equals(defaultName)) {
            String why = activity == null ? "it is not here yet" : activity.reason();
            throw new ModelException(
                    ModelException.Reason.NOT_READY, "the default model " + name + " is not ready: " + why, SOON, null);
        }
        if (store.catalogue().entry(name).isPresent()) {
            throw new ModelException(
                    ModelException.Reason.NOT_FOUND,
                    "model " + name + " is not on disk (expected: one that was pulled)");
        }
        throw store.unknown(name);
    }

    private ModelDescription describe(String name) {
        CatalogueEntry entry = store.catalogue().entry(name).orElse(null);
        try {
            StoredModel stored = cache.find(name)
                    .map(LoadedModel::stored)
                    .or(() -> store.find(reference(name)))
                    .orElse(null);
            return describe(name, stored, entry);
        } catch (BadModelFile e) {
            ModelActivity activity = activities.getOrDefault(name, ModelActivity.failed(message(e)));
            return new ModelDescription(name, activity, Heat.COLD, name.equals(defaultName), entry, null, null);
        }
    }

    private ModelDescription describe(String name, @Nullable StoredModel stored, @Nullable CatalogueEntry entry) {
        LoadedModel loaded = cache.find(name).orElse(null);
        ModelActivity activity = loaded != null ? ModelActivity.of(ModelActivity.State.READY) : activities.get(name);
        if (activity == null || (loaded == null && activity.state() == ModelActivity.State.READY)) {
            activity = ModelActivity.of(stored == null ? ModelActivity.State.ABSENT : ModelActivity.State.ON_DISK);
        }
        Heat heat = loaded != null ? Heat.HOT : stored == null ? Heat.COLD : heatOf(stored);
        return new ModelDescription(name, activity, heat, name.equals(defaultName), entry, stored, loaded);
    }

    /** Of a model on disk; asked of the system now and then only. */
    private Heat heatOf(StoredModel stored) {
        SeenHeat seen = heats.get(stored.name());
        long now = System.nanoTime();
        if (seen == null || now - seen.nanos() > HEAT_NANOS) {
            seen = new SeenHeat(look(stored), now);
            heats.put(stored.name(), seen);
        }
        return seen.heat();
    }

    private Heat look(StoredModel stored) {
        try {
            return llama.cachedFraction(stored.file()) >= WARM_FRACTION ? Heat.WARM : Heat.COLD;
        } catch (LlamaException e) {
            return Heat.COLD;
        }
    }

    private record SeenHeat(Heat heat, long nanos) {}

    /**
     * A name from a request. The default model may be a place, which requests name by its short name; other places on this
     * machine are not theirs to name.
     */
    private ModelReference reference(String name) {
        String wanted = settings.defaultModel();
        if (name.isEmpty() || name.equals(defaultName)) {
            return ModelReference.parse(wanted == null ? defaultName : wanted);
        }
        ModelReference reference = ModelReference.parse(name);
        if (reference.isLocalFile()) {
            throw new ModelException(
                    ModelException.Reason.NOT_FOUND,
                    "model: a file (expected: a name, hf:owner/repo/file.gguf, https: or pip:package==1.0#entry.gguf)");
        }
        return reference;
    }

    private String nameOf(ModelReference reference) {
        return store.nameOf(reference);
    }

    private void changed() {
        listeners.forEach(Runnable::run);
    }

    /** Keeps what an operator should know, and logs it. */
    public void notice(String text) {
        if (!notices.isEmpty() && notices.get(notices.size() - 1).equals(text)) {
            return;
        }
        notices.add(text);
        if (notices.size() > 20) {
            notices.remove(0);
        }
        log.info(text);
    }

    private static ModelException inUse(String name) {
        return new ModelException(ModelException.Reason.IN_USE, "model " + name + " is in use");
    }

    private static String message(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        return String.valueOf(cause.getMessage());
    }

    private static Thread daemon(Runnable task, String name) {
        Thread thread = new Thread(null, task, name, Llama.STACK_BYTES);
        thread.setDaemon(true);
        return thread;
    }
}
