package dev.chasqui.cli;

import dev.chasqui.llama.Backend;
import dev.chasqui.llama.GpuSplit;
import dev.chasqui.llama.LlamaException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What a node's devices can be told. */
final class DeviceOptions {
    /** What {@code --backend} takes. */
    enum Wanted {
        AUTO,
        CPU,
        CUDA,
        VULKAN;

        /** As it is written, and as shells complete it. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    @Option(
            names = "--backend",
            paramLabel = "NAME",
            description =
                    "What computes: auto, cpu, cuda or vulkan. A GPU's library is fetched when it is first needed. Default: auto,"
                            + " the best that the machine has.")
    @Nullable
    private Wanted backend;

    @Option(names = "--gpu-layers", paramLabel = "N", description = "Layers on a GPU. -1, the default: all that fit.")
    @Nullable
    private Integer gpuLayers;

    @Option(
            names = "--split-mode",
            paramLabel = "MODE",
            description =
                    "What each of several GPUs gets: layer, row (of each large matrix; takes a quick link) or none (one GPU"
                            + " alone). Default: layer.")
    private GpuSplit.@Nullable Mode splitMode;

    @Option(
            names = "--tensor-split",
            paramLabel = "N",
            split = ",",
            description =
                    "How much of a model each of several GPUs gets, in proportion, such as 3,1. Default: by their free memory.")
    private List<Float> tensorSplit = List.of();

    @Option(
            names = "--main-gpu",
            paramLabel = "N",
            description =
                    "The GPU, from 0, that holds what is not shared; with --split-mode none the only one. Default: 0.")
    @Nullable
    private Integer mainGpu;

    /** Null: the best that the machine has. */
    @Nullable
    Backend backend() {
        return backend == null || backend == Wanted.AUTO ? null : Backend.valueOf(backend.name());
    }

    int gpuLayers() {
        return gpuLayers == null ? -1 : gpuLayers;
    }

    /** @throws IllegalArgumentException where a value is out of range */
    GpuSplit split() {
        try {
            return new GpuSplit(
                    splitMode == null ? GpuSplit.Mode.LAYER : splitMode, mainGpu == null ? 0 : mainGpu, tensorSplit);
        } catch (LlamaException outOfRange) {
            throw new IllegalArgumentException(outOfRange.getMessage(), outOfRange);
        }
    }

    /** The same options for another process; those not given are left out. */
    List<String> arguments() {
        List<String> arguments = new ArrayList<>();
        add(arguments, "--backend", backend);
        add(arguments, "--gpu-layers", gpuLayers);
        add(arguments, "--split-mode", splitMode);
        if (!tensorSplit.isEmpty()) {
            add(
                    arguments,
                    "--tensor-split",
                    tensorSplit.stream().map(String::valueOf).collect(Collectors.joining(",")));
        }
        add(arguments, "--main-gpu", mainGpu);
        return arguments;
    }

    private static void add(List<String> arguments, String option, @Nullable Object value) {
        if (value != null) {
            arguments.add(option);
            arguments.add(value.toString());
        }
    }
}
