package dev.chasqui.node.model;

import dev.chasqui.llama.ChatTemplate;
import dev.chasqui.llama.Llama;
import dev.chasqui.llama.LlamaContext;
import dev.chasqui.llama.LlamaException;
import dev.chasqui.llama.LlamaModel;
import dev.chasqui.llama.LoadListener;
import dev.chasqui.llama.ModelInfo;
import dev.chasqui.llama.Vocabulary;
import dev.chasqui.node.embedding.Embedder;
import dev.chasqui.node.engine.Engine;
import dev.chasqui.node.engine.EngineOptions;
import dev.chasqui.node.engine.Ticker;
import dev.chasqui.node.runner.LlamaDrafter;
import dev.chasqui.node.runner.LlamaRunner;
import dev.chasqui.node.store.CatalogueEntry;
import dev.chasqui.node.store.LoraFile;
import dev.chasqui.node.store.SamplingDefaults;
import dev.chasqui.node.store.StoreException;
import dev.chasqui.node.store.StoredModel;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A model in memory, with its engine where it generates text, and an embedder once somebody asked for one. It is closed only
 * while nobody holds a lease on it: a close in between waits for the last one to be given back.
 */
public final class LoadedModel {
    private static final long NEVER = Long.MAX_VALUE;

    /** A guess that the small model itself gives less than this is not worth a place in a step. */
    private static final double SURE = 0.5;

    /** What an embedder computes in, roughly. */
    private static final long EMBEDDER_BYTES = 128L << 20;

    private final ModelPlan plan;
    private final StoredModel stored;
    private final LlamaModel model;
    private final @Nullable Engine engine;
    private final ModelSettings settings;
    private final String fingerprint;
    private int leases;
    private boolean condemned;
    /** Condemned only to make room, which may be found elsewhere. */
    private boolean retired;

    private boolean closed;
    private volatile boolean freed;
    private long expiryNanos = NEVER;
    private volatile KeepAlive keepAlive;
    private volatile long lastUsedNanos = System.nanoTime();
    private volatile @Nullable Embedder embedder;

    private LoadedModel(ModelPlan plan, LlamaModel model, @Nullable Engine engine, ModelSettings settings) {
        this.plan = plan;
        this.stored = plan.stored();
        this.model = model;
        this.engine = engine;
        this.settings = settings;
        this.keepAlive = settings.keepAlive(stored);
        this.fingerprint = engine == null ? "" : Fingerprint.of(plan.file(), settings.adapters());
    }

    static LoadedModel load(Llama llama, ModelPlan plan, ModelSettings settings, LoadListener listener) {
        StoredModel stored = plan.stored();
        settings.adapters().forEach(adapter -> check(adapter, plan));
        LlamaModel model = llama.loadModel(plan.file(), plan.options(), listener);
        if (!model.info().generates() || model.info().ranks()) {
            return new LoadedModel(plan, model, null, settings);
        }
        LlamaDrafter drafter = null;
        try {
            drafter = plan.draft() == null ? null : drafter(llama, plan.draft(), model);
            LlamaContext context = model.newContext(plan.context());
            ModelPlan.CommonPlan common = plan.common(model.info(), settings.promptCacheBytes());
            long cacheBytes = settings.promptCacheBytes() - (common == null ? 0 : common.bytes());
            Engine engine = Engine.start(
                    "engine " + stored.name(),
                    new LlamaRunner(
                            context, model.info(), plan.contextTokens(), common == null ? null : common.options()),
                    new EngineOptions(settings.queueCapacity(), cacheBytes, settings.lookahead()),
                    drafter,
                    Ticker.system());
            return new LoadedModel(plan, model, engine, settings);
        } catch (RuntimeException e) {
            if (drafter != null) {
                drafter.close();
            }
            model.close();
            throw e;
        }
    }

    private static LlamaDrafter drafter(Llama llama, ModelPlan draft, LlamaModel target) {
        try {
            LlamaModel model = llama.loadModel(draft.file(), draft.options(), LoadListener.NONE);
            return LlamaDrafter.open(model, target, draft.context(), SURE);
        } catch (LlamaException e) {
            throw new LlamaException(e.reason(), "draft model " + draft.stored().name() + ": " + e.getMessage());
        }
    }

    private static void check(AdapterFile adapter, ModelPlan plan) {
        try {
            LoraFile.check(adapter.file(), plan.file());
        } catch (StoreException e) {
            throw new LlamaException(
                    LlamaException.Reason.LOAD_FAILED, "adapter " + adapter.name() + ": " + e.sentence());
        }
    }

    public String name() {
        return stored.name();
    }

    /** The same wherever the same weights and adapters are loaded; empty where it does not generate text. */
    public String fingerprint() {
        return fingerprint;
    }

    /** How it is run, and what it takes. */
    public ModelPlan plan() {
        return plan;
    }

    public StoredModel stored() {
        return stored;
    }

    public ModelInfo info() {
        return model.info();
    }

    public Vocabulary vocabulary() {
        return model.vocabulary();
    }

    public ChatTemplate chatTemplate() {
        return model.chatTemplate();
    }

    public LlamaModel llama() {
        return model;
    }

    /** The LoRA adapters that requests may name, in the order of the engine's numbers. */
    public List<AdapterFile> adapters() {
        return settings.adapters();
    }

    /** Whether it generates text; else it only embeds, or ranks. */
    public boolean generates() {
        return engine != null;
    }

    /** @throws LlamaException INVALID_REQUEST where it does not generate text */
    public Engine engine() {
        if (engine == null) {
            throw new LlamaException(
                    LlamaException.Reason.INVALID_REQUEST,
                    "model: " + name() + ", which " + (info().ranks() ? "only ranks" : "only embeds")
                            + " (expected: a model that generates text)");
        }
        return engine;
    }

    /** What computes vectors or scores; null until {@link Models#embedder} was asked for it. */
    @Nullable
    Embedder embedder() {
        return embedder;
    }

    /** Opens the embedder. By one thread at a time, which holds a lease. */
    Embedder openEmbedder() {
        Embedder opened = Embedder.start(
                model,
                contextTokens(),
                plan.context().threads(),
                () -> engine != null && engine.status().slotsInUse() > 0);
        embedder = opened;
        return opened;
    }

    /** Bytes that the embedder takes, roughly: its KV cache, or the states of a whole text, and what it computes in. */
    long embedderBytes() {
        ModelInfo info = info();
        long states = info.generates() ? info.kvBytesPerToken() : 64L * info.embeddingWidth();
        return contextTokens() * states + EMBEDDER_BYTES;
    }

    /** Sequences computed at once; 0 where it does not generate text. */
    public int slots() {
        return engine == null ? 0 : settings.slots();
    }

    /** Tokens that one text may have, prompt and answer together. */
    public int contextTokens() {
        return engine == null ? plan.contextTokens() : engine.contextTokens();
    }

    /** Memory that it holds: weights, KV cache and buffers. */
    public long memoryBytes() {
        return plan.totalBytes() + (embedder == null ? 0 : embedderBytes());
    }

    boolean usesGpu() {
        return plan.usesGpu();
    }

    /** What of it lies in the machine's own memory. */
    long hostBytes() {
        return plan.hostBytes() + (embedder == null ? 0 : embedderBytes());
    }

    /** How long it stays in memory when nobody uses it. */
    public KeepAlive keepAlive() {
        return keepAlive;
    }

    void keepAlive(KeepAlive wanted) {
        keepAlive = wanted;
    }

    /** When it goes if nobody asks for it before; null: it is in use, or stays. */
    public @Nullable Instant expiry() {
        Duration time = keepAlive.time();
        return time == null || inUse()
                ? null
                : Instant.now().plusNanos(time.toNanos() - (System.nanoTime() - lastUsedNanos));
    }

    /**
     * Nanoseconds until it may be time for it to go, where nobody looks before that; negative: nobody has to look.
     */
    synchronized long nextExpiryCheck() {
        Duration time = keepAlive.time();
        if (time == null || leases > 0 || condemned) {
            return -1;
        }
        long due = lastUsedNanos + time.toNanos();
        if (expiryNanos != NEVER && due - expiryNanos >= 0) {
            return -1;
        }
        expiryNanos = due;
        return Math.max(0, due - System.nanoTime());
    }

    /** Whether its time is up. Ends the wait that {@link #nextExpiryCheck} began. */
    synchronized boolean expired() {
        expiryNanos = NEVER;
        Duration time = keepAlive.time();
        return time != null && leases == 0 && System.nanoTime() - lastUsedNanos >= time.toNanos();
    }

    void drain() {
        if (engine != null) {
            engine.drain();
        }
        Embedder open = embedder;
        if (open != null) {
            open.drain();
        }
    }

    /** Waits until it computes for nobody. Returns whether that came within the time. */
    boolean awaitIdle(Duration most) throws InterruptedException {
        long end = System.nanoTime() + most.toNanos();
        if (engine != null && !engine.awaitIdle(most)) {
            return false;
        }
        Embedder open = embedder;
        return open == null || open.awaitIdle(Duration.ofNanos(Math.max(0, end - System.nanoTime())));
    }

    /** What the settings, or else the catalogue, say to sample with where a request does not. */
    public SamplingDefaults samplingDefaults() {
        CatalogueEntry entry = stored.entry();
        return settings.answers().sampling().over(entry == null ? SamplingDefaults.NONE : entry.defaults());
    }

    /** An answer that takes longer is worth a warning; zero: none is. */
    public Duration slowAfter() {
        return settings.answers().slowAfter();
    }

    /** Strings that end every answer of this model. */
    public List<String> stopSequences() {
        CatalogueEntry entry = stored.entry();
        return entry == null ? List.of() : entry.stopSequences();
    }

    long lastUsedNanos() {
        return lastUsedNanos;
    }

    /** Counts one more user; false where it is being closed, or its engine broke and it has to be loaded anew. */
    synchronized boolean retain() {
        if (!condemned && engine != null && engine.ended()) {
            condemned = true;
            if (leases == 0) {
                closeSoon();
            }
        }
        if (condemned) {
            return false;
        }
        leases++;
        lastUsedNanos = System.nanoTime();
        return true;
    }

    void release() {
        boolean last;
        synchronized (this) {
            leases--;
            lastUsedNanos = System.nanoTime();
            last = condemned && leases == 0;
        }
        if (last) {
            closeSoon();
        }
    }

    synchronized boolean inUse() {
        return leases > 0;
    }

    /** Whether it grants no leases any more. */
    synchronized boolean isCondemned() {
        return condemned;
    }

    /** Whether its memory is free again. */
    boolean isFreed() {
        return freed;
    }

    /** Grants no lease any more, so that it is closed when the last one comes back. */
    void retire() {
        boolean idle;
        synchronized (this) {
            retired = !condemned;
            condemned = true;
            idle = leases == 0;
        }
        if (idle) {
            closeNow();
        }
    }

    /** Grants leases again after {@link #retire}; false where it is too late for that. */
    synchronized boolean reinstate() {
        if (!retired || leases == 0) {
            return false;
        }
        retired = false;
        condemned = false;
        return true;
    }

    /** Closes it if nobody uses it; returns whether it is closed now. */
    boolean closeIfIdle() {
        synchronized (this) {
            if (leases > 0) {
                return false;
            }
            condemned = true;
        }
        closeNow();
        return true;
    }

    /** Ends its requests and closes it. */
    void closeWithRequests() {
        synchronized (this) {
            retired = false;
            condemned = true;
        }
        closeComputing();
        boolean idle;
        synchronized (this) {
            idle = leases == 0;
        }
        if (idle) {
            closeNow();
        }
    }

    /** On a thread of its own: freeing memory takes a while, and whoever gives the last lease back may have to go on. */
    private void closeSoon() {
        Thread closer = new Thread(this::closeNow, "closer " + name());
        closer.setDaemon(true);
        closer.start();
    }

    private void closeNow() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        closeComputing();
        model.close();
        freed = true;
    }

    private void closeComputing() {
        if (engine != null) {
            engine.close();
        }
        Embedder open = embedder;
        if (open != null) {
            open.close();
        }
    }
}
