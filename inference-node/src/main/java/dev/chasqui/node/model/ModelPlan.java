package dev.chasqui.node.model;

import dev.chasqui.llama.ContextOptions;
import dev.chasqui.llama.Device;
import dev.chasqui.llama.FlashAttention;
import dev.chasqui.llama.GpuSplit;
import dev.chasqui.llama.KvType;
import dev.chasqui.llama.Llama;
import dev.chasqui.llama.MemoryEstimate;
import dev.chasqui.llama.ModelHead;
import dev.chasqui.llama.ModelInfo;
import dev.chasqui.llama.ModelOptions;
import dev.chasqui.node.store.CatalogueEntry;
import dev.chasqui.node.store.StoredModel;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a model is run on this machine, and what it takes: found before it is loaded.
 *
 * @param stored the model
 * @param file what is loaded: the model's own file, or a faster one that was made of it
 * @param options how to load it
 * @param context the context to make where it generates text
 * @param contextTokens that one sequence may have
 * @param memory what both take
 * @param draft of the model that guesses for it; null: none
 * @param adapterBytes what LoRA adapters take beside it
 * @param shortOfGpu fewer layers are on GPUs than was asked for, since their free memory does not hold all
 * @param batched whether the processor has a kernel for the weights' type that computes many tokens at once
 */
public record ModelPlan(
        StoredModel stored,
        Path file,
        ModelOptions options,
        ContextOptions context,
        int contextTokens,
        MemoryEstimate memory,
        @Nullable ModelPlan draft,
        long adapterBytes,
        boolean shortOfGpu,
        boolean batched) {
    /** Tokens of one prompt batch: enough to use the kernels fully, few enough to keep compute buffers small. */
    private static final int BATCH_TOKENS = 512;

    /** What a model that guesses takes in between two steps. */
    private static final int DRAFT_BATCH_TOKENS = 64;

    /** What a GPU keeps free, for its driver and for others. */
    private static final long GPU_MARGIN_BYTES = 512L << 20;

    private static final int LEAST_CONTEXT = 256;

    /** Of one context. */
    private static final int MOST_SEQUENCES = 256;

    /**
     * @param file what to load
     * @param draft the model that guesses for it; null: none
     * @throws dev.chasqui.llama.LlamaException where the file is no model that can be run
     */
    public static ModelPlan of(
            Llama llama, StoredModel stored, Path file, @Nullable StoredModel draft, ModelSettings settings) {
        int tokens = contextTokens(stored, settings);
        ContextOptions context = contextOptions(tokens, settings);
        Placement placed = place(llama, stored, file, context, settings);
        long adapterBytes = settings.adapters().stream()
                .mapToLong(adapter -> adapter.file().toFile().length())
                .sum();
        ModelPlan draftPlan = draft == null ? null : draft(llama, draft, settings);
        ModelOptions options = options(stored, placed.layers(), settings);
        return new ModelPlan(
                stored,
                file,
                options,
                context,
                tokens,
                placed.memory(),
                draftPlan,
                adapterBytes,
                placed.isShort(),
                llama.batches(stored.summary().quantization()));
    }

    private static ModelPlan draft(Llama llama, StoredModel stored, ModelSettings settings) {
        int threads = threads(settings);
        int tokens = contextTokens(stored, settings);
        ContextOptions context = new ContextOptions(
                tokens,
                1,
                DRAFT_BATCH_TOKENS,
                DRAFT_BATCH_TOKENS,
                threads,
                threads,
                FlashAttention.AUTO,
                KvType.F16,
                KvType.F16,
                false);
        int layers = gpuLayers(stored, settings);
        GpuSplit split = settings.split();
        MemoryEstimate memory = llama.estimate(stored.file(), head(stored), layers, split, context);
        ModelOptions options = new ModelOptions(layers, true, "", List.of(), split);
        return new ModelPlan(stored, stored.file(), options, context, tokens, memory, null, 0, false, true);
    }

    /** How many layers go on GPUs, and what it takes then. */
    private record Placement(int layers, MemoryEstimate memory, boolean isShort) {}

    private static Placement place(
            Llama llama, StoredModel stored, Path file, ContextOptions context, ModelSettings settings) {
        int wanted = gpuLayers(stored, settings);
        GpuSplit split = settings.split();
        MemoryEstimate memory = llama.estimate(file, head(stored), wanted, split, context);
        List<Device> devices = llama.devices();
        if (wanted >= 0 || fits(memory, devices)) {
            return new Placement(wanted, memory, false);
        }
        int most = 0;
        int tooMany = memory.layers() + 1;
        MemoryEstimate best = llama.estimate(file, head(stored), 0, split, context);
        while (tooMany - most > 1) {
            int layers = (most + tooMany) / 2;
            MemoryEstimate estimate = llama.estimate(file, head(stored), layers, split, context);
            if (fits(estimate, devices)) {
                most = layers;
                best = estimate;
            } else {
                tooMany = layers;
            }
        }
        return new Placement(most, best, true);
    }

    private static ModelHead head(StoredModel stored) {
        return new ModelHead(stored.summary().architecture(), stored.summary().vocabularySize());
    }

    private static boolean fits(MemoryEstimate memory, List<Device> devices) {
        return memory.parts().stream()
                .filter(part -> part.kind() == Device.Kind.GPU)
                .allMatch(part -> devices.stream()
                        .filter(device -> device.name().equals(part.device()))
                        .anyMatch(device -> part.totalBytes() + GPU_MARGIN_BYTES <= device.freeBytes()));
    }

    /** How many layers lie on GPUs. */
    public int layersOnGpu() {
        int asked = options.gpuLayers() < 0 ? memory.layers() : Math.min(options.gpuLayers(), memory.layers());
        return usesGpu() ? asked : 0;
    }

    /** Whether a part of it lies in a GPU's own memory. */
    boolean usesGpu() {
        return memory.totalBytes() > memory.hostBytes();
    }

    /**
     * Whether its weights' type has no kernel on this processor that computes many sequences at once: each is then computed almost
     * by itself.
     */
    public boolean slowWithMany() {
        boolean arranged = memory.arrangedBytes() > memory.weightsBytes() / 2;
        boolean own = file.equals(stored.file());
        return own && !usesGpu() && !arranged && !batched;
    }

    /**
     * A second context, with one KV cache for all sequences, in which prompts that begin alike are computed as one piece: for
     * what llama.cpp's attention on CPUs works on in tiles. It counts as a part of the prompt cache.
     */
    public @Nullable CommonPlan common(ModelInfo info, long promptCacheBytes) {
        boolean tiles = context.k() == KvType.F16 && context.flash() != FlashAttention.OFF && !usesGpu();
        boolean plain = info.swaWindow() == 0 && !info.recurrent() && !info.hybrid();
        if (!tiles || !plain || context.unifiedKv() || context.maxSequences() == 1) {
            return null;
        }
        int cells = contextTokens + context.batchTokens();
        int sequences = Math.min(context.maxSequences() + 1, MOST_SEQUENCES);
        int batch = Math.max(context.batchTokens(), sequences);
        double cellBytes = memory.kvBytes() / ((double) contextTokens * context.maxSequences());
        // Beside its cells there is a copy of one sequence on its way.
        long bytes = memory.computeBytes() + (long) (cellBytes * (cells + contextTokens));
        ContextOptions options = new ContextOptions(
                cells,
                sequences,
                batch,
                batch,
                context.threads(),
                context.batchThreads(),
                context.flash(),
                context.k(),
                context.v(),
                true);
        return bytes <= promptCacheBytes / 2 ? new CommonPlan(options, bytes) : null;
    }

    /**
     * A context for prompts that begin alike.
     *
     * @param options of it
     * @param bytes that it takes at most
     */
    public record CommonPlan(ContextOptions options, long bytes) {}

    /** All that it takes, wherever that lies. */
    public long totalBytes() {
        return memory.totalBytes() + adapterBytes + (draft == null ? 0 : draft.totalBytes());
    }

    /** What of it lies in the machine's own memory. */
    public long hostBytes() {
        return memory.hostBytes() + adapterBytes + (draft == null ? 0 : draft.hostBytes());
    }

    /** What it takes, in words: "about 512 MB: 98 MB of weights, ...". */
    public String needs() {
        StringBuilder text =
                new StringBuilder("about ").append(megabytes(totalBytes())).append(" of memory: ");
        text.append(megabytes(memory.weightsBytes())).append(" of weights");
        if (memory.generates()) {
            text.append(", ").append(megabytes(memory.kvBytes())).append(" of KV cache for ");
            text.append(context.maxSequences())
                    .append(" sequences of ")
                    .append(contextTokens)
                    .append(" tokens");
            text.append(context.unifiedKv() ? " in a common cache of " + context.contextPerSequence() : "");
            text.append(", ").append(megabytes(memory.computeBytes())).append(" to compute in");
        }
        if (adapterBytes > 0) {
            text.append(", ").append(megabytes(adapterBytes)).append(" of adapters");
        }
        if (draft != null) {
            text.append(", ").append(megabytes(draft.totalBytes())).append(" of the draft model");
        }
        return text.toString();
    }

    /** What to change so that it fits so many bytes of host memory. */
    String suggestion(long bytes) {
        long room = bytes - (hostBytes() - memory.kvBytes());
        long cells = context.unifiedKv()
                ? context.contextPerSequence()
                : (long) context.maxSequences() * Math.max(1, contextTokens);
        long tokens = memory.kvBytes() == 0 ? 0 : (long) (room / ((double) memory.kvBytes() / cells));
        if (tokens < LEAST_CONTEXT) {
            return "it takes a smaller model or quantization, or a larger --models-memory";
        }
        if (context.unifiedKv()) {
            return "--kv-tokens " + tokens / LEAST_CONTEXT * LEAST_CONTEXT + " fits";
        }
        return tokens >= contextTokens
                ? "--parallel " + tokens / contextTokens + " fits"
                : "--parallel 1 --ctx " + tokens / LEAST_CONTEXT * LEAST_CONTEXT + " fits";
    }

    static String megabytes(long bytes) {
        return Math.round(bytes / 1e6) + " MB";
    }

    private static ModelOptions options(StoredModel stored, int gpuLayers, ModelSettings settings) {
        CatalogueEntry entry = stored.entry();
        String template = entry == null || entry.template() == null ? "" : entry.template();
        List<Path> adapters =
                settings.adapters().stream().map(AdapterFile::file).toList();
        return new ModelOptions(gpuLayers, true, template, adapters, settings.split());
    }

    private static int gpuLayers(StoredModel stored, ModelSettings settings) {
        CatalogueEntry entry = stored.entry();
        return settings.gpuLayers() >= 0 || entry == null ? settings.gpuLayers() : entry.gpuLayers();
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
                settings.flashAttention(),
                settings.kvType(),
                settings.kvType(),
                common);
    }

    /** Whether all sequences have one KV cache, which holds less than all their contexts. */
    private static boolean sharesCache(int context, ModelSettings settings) {
        return settings.kvTokens() > 0 && settings.kvTokens() < (long) settings.slots() * context;
    }

    private static int threads(ModelSettings settings) {
        return settings.threads() > 0 ? settings.threads() : Hardware.physicalCores();
    }

    private static int contextTokens(StoredModel stored, ModelSettings settings) {
        CatalogueEntry entry = stored.entry();
        long trained = stored.summary().contextLength();
        int wanted = settings.contextTokens() > 0
                ? settings.contextTokens()
                : entry != null && entry.contextWindow() > 0
                        ? Math.min(entry.contextWindow(), ModelSettings.USUAL_CONTEXT)
                        : ModelSettings.USUAL_CONTEXT;
        return trained > 0 ? (int) Math.min(wanted, trained) : wanted;
    }
}
