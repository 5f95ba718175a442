package dev.chasqui.node.model;

import dev.chasqui.llama.FlashAttention;
import dev.chasqui.llama.GpuSplit;
import dev.chasqui.llama.KvType;
import dev.chasqui.node.store.CatalogueEntry;
import dev.chasqui.node.store.StoredModel;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How models are run.
 *
 * @param defaultModel what requests get that name none: a name, a place or a file; null: the first of the catalogue's defaults
 *     that is on disk or can be fetched
 * @param slots sequences computed at once, 1 to 256
 * @param contextTokens tokens of context a sequence may use; 0: as the catalogue says, else 4096, and never more than the model
 *     was trained for
 * @param kvTokens tokens that the KV cache holds for all sequences together; 0: so many that each can use its context. Fewer
 *     make a common cache, in which a sequence takes what it needs, and waits where there is no room
 * @param kvType how keys and values are kept; a quantised type takes a quarter to a half of F16's memory, needs flash attention,
 *     and is slower on a CPU
 * @param flashAttention whether attention is computed in one fused kernel
 * @param queueCapacity requests that may wait for a slot, 0 or more
 * @param threads threads that compute; 0: one for each physical core
 * @param gpuLayers layers on a GPU; -1: all that fit
 * @param promptCacheBytes most memory, for each model, for beginnings of conversations that left its KV cache; 0: none
 * @param lookahead whether an answer that runs alone may have likely next tokens computed ahead
 * @param adapters LoRA adapters of the default model, which has to be named then; at most 64, each name once
 * @param draftModel a smaller model of the same vocabulary that guesses for the default one, which has to be named then; a name or
 *     a file; null: none
 * @param memoryBytes most of the machine's memory that models may hold: weights, KV cache and compute buffers
 * @param keepAlive how long a model that nobody uses stays in memory, where neither its catalogue entry nor a request says
 * @param optimize whether a model that this processor computes slowly for many sequences is made faster before its first load
 * @param answers what answers have in common
 * @param split how several GPUs share a model
 */
public record ModelSettings(
        @Nullable String defaultModel,
        int slots,
        int contextTokens,
        int kvTokens,
        KvType kvType,
        FlashAttention flashAttention,
        int queueCapacity,
        int threads,
        int gpuLayers,
        long promptCacheBytes,
        boolean lookahead,
        List<AdapterFile> adapters,
        @Nullable String draftModel,
        long memoryBytes,
        KeepAlive keepAlive,
        boolean optimize,
        AnswerSettings answers,
        GpuSplit split) {
    private static final int MOST_ADAPTERS = 64;
    static final int USUAL_CONTEXT = 4096;

    /** Keys and values as is usual; models stay until their memory is needed, and answer as the catalogue says. */
    public ModelSettings(
            @Nullable String defaultModel,
            int slots,
            int contextTokens,
            int kvTokens,
            int queueCapacity,
            int threads,
            int gpuLayers,
            long promptCacheBytes,
            boolean lookahead,
            List<AdapterFile> adapters,
            @Nullable String draftModel,
            long memoryBytes) {
        this(
                defaultModel,
                slots,
                contextTokens,
                kvTokens,
                KvType.F16,
                FlashAttention.AUTO,
                queueCapacity,
                threads,
                gpuLayers,
                promptCacheBytes,
                lookahead,
                adapters,
                draftModel,
                memoryBytes,
                KeepAlive.FOREVER,
                false,
                AnswerSettings.USUAL,
                GpuSplit.AUTO);
    }

    public ModelSettings {
        require(slots >= 1 && slots <= 256, "parallel", slots, "1 to 256");
        require(contextTokens == 0 || contextTokens >= 64, "ctx", contextTokens, "64 or more, or 0 for automatic");
        require(kvTokens == 0 || kvTokens >= 64, "kv-tokens", kvTokens, "64 or more, or 0 for what all contexts need");
        require(
                !kvType.isQuantised() || flashAttention != FlashAttention.OFF,
                "kv-type",
                kvType.word(),
                "f32, f16 or bf16 where flash-attention is off");
        require(queueCapacity >= 0, "queue", queueCapacity, "0 or more");
        require(threads >= 0 && threads <= 512, "threads", threads, "1 to 512, or 0 for automatic");
        require(gpuLayers >= -1, "gpu-layers", gpuLayers, "0 or more, or -1 for all that fit");
        require(promptCacheBytes >= 0, "prompt-cache", promptCacheBytes, "0 or more bytes");
        require(memoryBytes > 0, "models-memory", memoryBytes, "more than 0 bytes");
        checkAdapters(defaultModel, adapters);
        require(
                draftModel == null || defaultModel != null,
                "draft-model",
                draftModel == null ? "" : draftModel,
                "the model too that it guesses for");
        adapters = List.copyOf(adapters);
    }

    private static void checkAdapters(@Nullable String defaultModel, List<AdapterFile> adapters) {
        require(adapters.size() <= MOST_ADAPTERS, "lora", adapters.size() + " adapters", "at most " + MOST_ADAPTERS);
        require(
                adapters.isEmpty() || defaultModel != null,
                "lora",
                "without a model",
                "the model too that the adapters are for");
        Set<String> names = new HashSet<>();
        for (AdapterFile adapter : adapters) {
            require(names.add(adapter.name()), "lora", adapter.name() + " twice", "each name once");
        }
    }

    /** The same for a model that has neither adapters nor a smaller one that guesses for it. */
    ModelSettings plain() {
        return new ModelSettings(
                defaultModel,
                slots,
                contextTokens,
                kvTokens,
                kvType,
                flashAttention,
                queueCapacity,
                threads,
                gpuLayers,
                promptCacheBytes,
                lookahead,
                List.of(),
                null,
                memoryBytes,
                keepAlive,
                optimize,
                answers,
                split);
    }

    KeepAlive keepAlive(StoredModel model) {
        CatalogueEntry entry = model.entry();
        return entry == null || entry.keepAliveSeconds() == null
                ? keepAlive
                : KeepAlive.ofSeconds(entry.keepAliveSeconds());
    }

    private static void require(boolean holds, String name, Object value, String expected) {
        if (!holds) {
            throw new IllegalArgumentException(name + ": " + value + " (expected: " + expected + ")");
        }
    }
}
