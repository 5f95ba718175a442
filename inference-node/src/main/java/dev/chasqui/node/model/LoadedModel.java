package dev.chasqui.node.model;

import dev.chasqui.llama.ChatTemplate;
import dev.chasqui.llama.ContextOptions;
import dev.chasqui.llama.FlashAttention;
import dev.chasqui.llama.KvType;
import dev.chasqui.llama.Llama;
import dev.chasqui.llama.LlamaException;
import dev.chasqui.llama.LlamaModel;
import dev.chasqui.llama.LoadListener;
import dev.chasqui.llama.ModelInfo;
import dev.chasqui.llama.ModelOptions;
import dev.chasqui.llama.Vocabulary;
import dev.chasqui.node.embedding.Embedder;
import dev.chasqui.node.engine.Engine;
import dev.chasqui.node.engine.EngineOptions;
import dev.chasqui.node.engine.Ticker;
import dev.chasqui.node.runner.LlamaDrafter;
import dev.chasqui.node.runner.LlamaRunner;
import dev.chasqui.node.store.CatalogueEntry;
import dev.chasqui.node.store.GgufSummary;
import dev.chasqui.node.store.LoraFile;
import dev.chasqui.node.store.SamplingDefaults;
import dev.chasqui.node.store.StoreException;
import dev.chasqui.node.store.StoredModel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A model in memory, with its engine where it generates text, and an embedder once somebody asked for one. It is closed only while nobody holds a lease on it: a close in between waits for the last
 * one to be given back.
 */
public final class LoadedModel {
    /** Tokens of one prompt batch: enough to use the kernels fully, few enough to keep compute buffers small. */
    private static final int BATCH_TOKENS = 512;

    /** What a model that guesses takes in between two steps. */
    private static final int DRAFT_BATCH_TOKENS = 64;

    /** A guess that the small model itself gives less than this is not worth a place in a step. */
    private static final double SURE = 0.5;

    /** Compute buffers and tables beside weights and KV cache, roughly. */
    private static final long OVERHEAD_BYTES = 64L << 20;

    private final StoredModel stored;
    private final LlamaModel model;
    private final @Nullable Engine engine;
    private final ModelSettings settings;
    private final long memoryBytes;
    private int leases;
    private boolean condemned;
    private boolean closed;
    private volatile long lastUsedNanos = System.nanoTime();
    private volatile @Nullable Embedder embedder;

    private LoadedModel(
            StoredModel stored, LlamaModel model, @Nullable Engine engine, ModelSettings settings, long memoryBytes) {
        this.stored = stored;
        this.model = model;
        this.engine = engine;
        this.settings = settings;
        this.memoryBytes = memoryBytes;
    }

    /** @param draft the model that guesses for it; null: none */
    static LoadedModel load(
            Llama llama,
            StoredModel stored,
            @Nullable StoredModel draft,
            ModelSettings settings,
            LoadListener listener) {
        settings.adapters().forEach(adapter -> check(adapter, stored));
        List<Path> adapters =
                settings.adapters().stream().map(AdapterFile::file).toList();
        ModelOptions options = new ModelOptions(gpuLayers(stored, settings), true, chatTemplate(stored), adapters);
        LlamaModel model = llama.loadModel(stored.file(), options, listener);
        if (!model.info().generates() || model.info().ranks()) {
            return new LoadedModel(
                    stored, model, null, settings, stored.summary().tensorBytes() + OVERHEAD_BYTES);
        }
        LlamaDrafter drafter = null;
        try {
            drafter = draft == null ? null : drafter(llama, draft, model, settings);
            Engine engine = Engine.start(
                    "engine " + stored.name(),
                    runner(stored, model, settings),
                    new EngineOptions(settings.queueCapacity(), settings.promptCacheBytes(), settings.lookahead()),
                    drafter,
                    Ticker.system());
            long draftBytes = draft == null ? 0 : draftBytes(draft, stored, settings);
            return new LoadedModel(stored, model, engine, settings, estimateBytes(stored, settings) + draftBytes);
        } catch (RuntimeException e) {
            if (drafter != null) {
                drafter.close();
            }
            model.close();
            throw e;
        }
    }

    private static LlamaDrafter drafter(Llama llama, StoredModel draft, LlamaModel target, ModelSettings settings) {
        try {
            LlamaModel model = llama.loadModel(
                    draft.file(), new ModelOptions(gpuLayers(draft, settings), true), LoadListener.NONE);
            int threads = threads(settings);
            return LlamaDrafter.open(
                    model,
                    target,
                    new ContextOptions(
                            contextTokens(draft, model.info().trainedContext(), settings),
                            1,
                            DRAFT_BATCH_TOKENS,
                            DRAFT_BATCH_TOKENS,
                            threads,
                            threads,
                            FlashAttention.AUTO,
                            KvType.F16,
                            KvType.F16,
                            false),
                    SURE);
        } catch (LlamaException e) {
            throw new LlamaException(e.reason(), "draft model " + draft.name() + ": " + e.getMessage());
        }
    }

    /** Bytes that a model takes that guesses for another one. */
    static long draftBytes(StoredModel draft, StoredModel target, ModelSettings settings) {
        int tokens = contextTokens(target, (int) target.summary().contextLength(), settings);
        return draft.summary().tensorBytes() + tokens * cellBytes(draft.summary()) + OVERHEAD_BYTES;
    }

    private static long cellBytes(GgufSummary summary) {
        return 2 * summary.blockCount() * summary.headCountKv() * (summary.keyLength() + summary.valueLength());
    }

    private static void check(AdapterFile adapter, StoredModel stored) {
        try {
            LoraFile.check(adapter.file(), stored.file());
        } catch (StoreException e) {
            throw new LlamaException(
                    LlamaException.Reason.LOAD_FAILED, "adapter " + adapter.name() + ": " + e.sentence());
        }
    }

    /** Bytes that a model will take: weights, KV cache in F16, and buffers. */
    static long estimateBytes(StoredModel stored, ModelSettings settings) {
        GgufSummary summary = stored.summary();
        int context = contextTokens(stored, (int) summary.contextLength(), settings);
        long cells = sharesCache(context, settings) ? settings.kvTokens() : (long) settings.slots() * context;
        long adapterBytes = settings.adapters().stream()
                .mapToLong(adapter -> adapter.file().toFile().length())
                .sum();
        return summary.tensorBytes() + adapterBytes + cells * cellBytes(summary) + OVERHEAD_BYTES;
    }

    public String name() {
        return stored.name();
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
                threads(settings),
                () -> engine != null && engine.status().slotsInUse() > 0);
        embedder = opened;
        return opened;
    }

    /** Bytes that the embedder takes, roughly: its KV cache, or the states of a whole text, and what it computes in. */
    long embedderBytes() {
        ModelInfo info = info();
        long states = info.generates() ? info.kvBytesPerToken() : 64L * info.embeddingWidth();
        return contextTokens() * states + 2 * OVERHEAD_BYTES;
    }

    /** Sequences computed at once; 0 where it does not generate text. */
    public int slots() {
        return engine == null ? 0 : settings.slots();
    }

    /** Tokens that one text may have, prompt and answer together. */
    public int contextTokens() {
        return engine == null ? contextTokens(stored, info().trainedContext(), settings) : engine.contextTokens();
    }

    /** Memory that it holds: weights, KV cache and buffers. */
    public long memoryBytes() {
        return memoryBytes + (embedder == null ? 0 : embedderBytes());
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

    /** What the catalogue says to sample with where a request does not. */
    public SamplingDefaults samplingDefaults() {
        CatalogueEntry entry = stored.entry();
        return entry == null ? SamplingDefaults.NONE : entry.defaults();
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

    private static int gpuLayers(StoredModel stored, ModelSettings settings) {
        CatalogueEntry entry = stored.entry();
        return settings.gpuLayers() >= 0 || entry == null ? settings.gpuLayers() : entry.gpuLayers();
    }

    private static String chatTemplate(StoredModel stored) {
        CatalogueEntry entry = stored.entry();
        return entry == null || entry.template() == null ? "" : entry.template();
    }

    private static LlamaRunner runner(StoredModel stored, LlamaModel model, ModelSettings settings) {
        int context = contextTokens(stored, model.info().trainedContext(), settings);
        return new LlamaRunner(model.newContext(contextOptions(context, settings)), model.info(), context);
    }

    private static ContextOptions contextOptions(int context, ModelSettings settings) {
        boolean common = sharesCache(context, settings);
        int threads = threads(settings);
        int batch = Math.max(BATCH_TOKENS, settings.slots());
        return new ContextOptions(
                common ? settings.kvTokens() : context,
                settings.slots(),
                batch,
                batch,
                threads,
                threads,
                FlashAttention.AUTO,
                KvType.F16,
                KvType.F16,
                common);
    }

    /** Whether all sequences have one KV cache, which holds less than all their contexts. */
    private static boolean sharesCache(int context, ModelSettings settings) {
        return settings.kvTokens() > 0 && settings.kvTokens() < (long) settings.slots() * context;
    }

    private static int threads(ModelSettings settings) {
        return settings.threads() > 0 ? settings.threads() : Hardware.physicalCores();
    }

    private static int contextTokens(StoredModel stored, int trained, ModelSettings settings) {
        CatalogueEntry entry = stored.entry();
        int wanted = settings.contextTokens() > 0
                ? settings.contextTokens()
                : entry != null && entry.contextWindow() > 0
                        ? Math.min(entry.contextWindow(), ModelSettings.USUAL_CONTEXT)
                        : ModelSettings.USUAL_CONTEXT;
        return trained > 0 ? Math.min(wanted, trained) : wanted;
    }
}
