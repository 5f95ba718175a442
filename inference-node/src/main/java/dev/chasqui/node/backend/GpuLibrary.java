package dev.chasqui.node.backend;

import dev.chasqui.llama.Backend;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * A GPU's library of the pinned llama.cpp release. Each lies in an npm package, pinned by the lock file among this package's
 * resources; what a CUDA library needs of NVIDIA's toolkit lies in Python wheels, pinned by hashes beside it.
 */
public enum GpuLibrary {
    /** For drivers from CUDA 13 on, and GPUs from compute capability 7.5 on. */
    CUDA13(
            Backend.CUDA,
            "@node-llama-cpp/linux-x64-cuda/bins/linux-x64-cuda/libggml-cuda.so",
            List.of("libcudart.so.13", "libcublasLt.so.13", "libcublas.so.13"),
            143,
            404),
    /** For drivers from CUDA 12 on, and GPUs from compute capability 5.0 on. */
    CUDA12(
            Backend.CUDA,
            "@node-llama-cpp/linux-x64-cuda-ext/bins/linux-x64-cuda/fallback/libggml-cuda.so",
            List.of("libcudart.so.12", "libcublasLt.so.12", "libcublas.so.12"),
            177,
            585),
    /** For any GPU with a Vulkan driver. */
    VULKAN(
            Backend.VULKAN,
            "@node-llama-cpp/linux-x64-vulkan/bins/linux-x64-vulkan/libggml-vulkan.so",
            List.of(),
            24,
            0);

    private final Backend backend;
    private final String entry;
    private final List<String> toolkit;
    private final int megabytes;
    private final int toolkitMegabytes;

    GpuLibrary(Backend backend, String entry, List<String> toolkit, int megabytes, int toolkitMegabytes) {
        this.backend = backend;
        this.entry = entry;
        this.toolkit = toolkit;
        this.megabytes = megabytes;
        this.toolkitMegabytes = toolkitMegabytes;
    }

    /** @throws IllegalArgumentException for a name that none has */
    public static GpuLibrary parse(String name) {
        return Stream.of(values())
                .filter(library -> library.label().equals(name.toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() ->
                        new IllegalArgumentException("library: " + name + " (expected: cuda13, cuda12 or vulkan)"));
    }

    public Backend backend() {
        return backend;
    }

    /** As people write it: {@code cuda13}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Where the library lies below npm's {@code node_modules}. */
    String entry() {
        return entry;
    }

    String fileName() {
        return entry.substring(entry.lastIndexOf('/') + 1);
    }

    /** What it needs of NVIDIA's toolkit, each after those that it needs itself. */
    List<String> toolkit() {
        return toolkit;
    }

    /** To fetch: packed, in millions of bytes. */
    int megabytes() {
        return megabytes;
    }

    /** The same of {@link #toolkit}. */
    int toolkitMegabytes() {
        return toolkitMegabytes;
    }

    /** The driver's own library. */
    String driver() {
        return backend == Backend.CUDA ? GpuMachine.CUDA_DRIVER : GpuMachine.VULKAN_LOADER;
    }
}
