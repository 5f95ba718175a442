package dev.chasqui.node.model;

import dev.chasqui.llama.ChatTemplate;
import dev.chasqui.llama.ContextOptions;
import dev.chasqui.llama.FlashAttention;
import dev.chasqui.llama.KvType;
import dev.chasqui.llama.Llama;
import dev.chasqui.llama.LlamaContext;
import dev.chasqui.llama.LlamaModel;
import dev.chasqui.llama.LoadListener;
import dev.chasqui.llama.ModelInfo;
import dev.chasqui.llama.ModelOptions;
import dev.chasqui.llama.Vocabulary;
import dev.chasqui.node.engine.Engine;
import dev.chasqui.node.engine.Ticker;
import dev.chasqui.node.runner.LlamaRunner;
import dev.chasqui.node.store.CatalogueEntry;
import dev.chasqui.node.store.GgufSummary;
import dev.chasqui.node.store.SamplingDefaults;
import dev.chasqui.node.store.StoredModel;
import java.util.List;

/**
 * A model in memory with its engine. It is closed only while nobody holds a lease on it: a close in between waits for the last
 * one to be given back.
 */
public final class LoadedModel {
    /** Tokens of one prompt batch: enough to use the kernels fully, few enough to keep compute buffers small. */
    private static final int BATCH_TOKENS = 512;

    /** Compute buffers and tables beside weights and KV cache, roughly. */
    private static final long OVERHEAD_BYTES = 64L << 20;

    private final StoredModel stored;
    private final LlamaModel model;
    private final Engine engine;
    private final int slots;
    private final long memoryBytes;
    private int leases;
    private boolean condemned;
    private boolean closed;
    private volatile long lastUsedNanos = System.nanoTime();

    private LoadedModel(StoredModel stored, LlamaModel model, Engine engine, int slots, long memoryBytes) {
        this.stored = stored;
        this.model = model;
        this.engine = engine;
        this.slots = slots;
        this.memoryBytes = memoryBytes;
    }

    static LoadedModel load(Llama llama, StoredModel stored, ModelSettings settings, LoadListener listener) {
        LlamaModel model = llama.loadModel(
                stored.file(), new ModelOptions(gpuLayers(stored, settings), true, chatTemplate(stored)), listener);
        try {
            LlamaContext context = model.newContext(contextOptions(stored, model.info(), settings));
            LlamaRunner runner = new LlamaRunner(context, model.info());
            Engine engine = Engine.start(
                    "engine " + stored.name(),
                    runner,
                    settings.queueCapacity(),
                    settings.promptCacheBytes(),
                    Ticker.system());
            return new LoadedModel(stored, model, engine, settings.slots(), estimateBytes(stored, settings));
        } catch (RuntimeException e) {
            model.close();
            throw e;
        }
    }

    /** Bytes that a model will take: weights, KV cache in F16, and buffers. */
    static long estimateBytes(StoredModel stored, ModelSettings settings) {
        GgufSummary summary = stored.summary();
        long cellBytes =
                2 * summary.blockCount() * summary.headCountKv() * (summary.keyLength() + summary.valueLength());
        long cells = (long) settings.slots() * contextTokens(stored, (int) summary.contextLength(), settings);
        return summary.tensorBytes() + cells * cellBytes + OVERHEAD_BYTES;
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

    public Engine engine() {
        return engine;
    }

    /** Sequences computed at once. */
    public int slots() {
        return slots;
    }

    /** Memory that it holds: weights, KV cache and buffers. */
    public long memoryBytes() {
        return memoryBytes;
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
        if (!condemned && engine.ended()) {
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
        engine.close();
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
        engine.close();
        model.close();
    }

    private static int gpuLayers(StoredModel stored, ModelSettings settings) {
        CatalogueEntry entry = stored.entry();
        return settings.gpuLayers() >= 0 || entry == null ? settings.gpuLayers() : entry.gpuLayers();
    }

    private static String chatTemplate(StoredModel stored) {
        CatalogueEntry entry = stored.entry();
        return entry == null || entry.template() == null ? "" : entry.template();
    }

    private static ContextOptions contextOptions(StoredModel stored, ModelInfo info, ModelSettings settings) {
        int threads = settings.threads() > 0 ? settings.threads() : Hardware.physicalCores();
        int batch = Math.max(BATCH_TOKENS, settings.slots());
        return new ContextOptions(
                contextTokens(stored, info.trainedContext(), settings),
                settings.slots(),
                batch,
                batch,
                threads,
                threads,
                FlashAttention.AUTO,
                KvType.F16,
                KvType.F16,
                false);
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
