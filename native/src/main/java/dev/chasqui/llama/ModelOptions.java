package dev.chasqui.llama;

import java.nio.file.Path;
import java.util.List;

/**
 * How to load a model.
 *
 * @param gpuLayers layers to place on GPUs; 0: none, -1: all
 * @param memoryMap map the file into memory (pages shared and loaded lazily) instead of reading it
 * @param chatTemplate a Jinja template to use instead of the model's own; empty: the model's own
 * @param adapters LoRA files, by whose place in this list {@link LlamaContext#setAdapters} knows them. llama.cpp trusts them:
 *     shapes and types have to be checked against the model's before
 * @param split how several GPUs share it
 */
public record ModelOptions(int gpuLayers, boolean memoryMap, String chatTemplate, List<Path> adapters, GpuSplit split) {
    /** All layers on GPUs where there are any, file mapped. */
    public static final ModelOptions DEFAULT = new ModelOptions(-1, true);

    /** With the model's own chat template. */
    public ModelOptions(int gpuLayers, boolean memoryMap) {
        this(gpuLayers, memoryMap, "");
    }

    /** Without adapters. */
    public ModelOptions(int gpuLayers, boolean memoryMap, String chatTemplate) {
        this(gpuLayers, memoryMap, chatTemplate, List.of(), GpuSplit.AUTO);
    }

    public ModelOptions {
        Check.range("gpuLayers", gpuLayers, -1, 100_000);
        adapters = List.copyOf(adapters);
    }
}
