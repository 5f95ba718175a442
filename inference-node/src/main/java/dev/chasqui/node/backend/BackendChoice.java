package dev.chasqui.node.backend;

import dev.chasqui.llama.Backend;
import dev.chasqui.llama.CudaDriver;
import dev.chasqui.llama.LlamaException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What is to compute here, and why.
 *
 * @param library of a GPU; null: none, the processor computes
 * @param reason a sentence without its full stop
 */
public record BackendChoice(@Nullable GpuLibrary library, String reason) {
    private static final int CUDA_13 = 13_000;
    private static final int CUDA_12 = 12_000;
    private static final int CAPABILITY_13 = 75;
    private static final int CAPABILITY_12 = 50;

    public Backend backend() {
        return library == null ? Backend.CPU : library.backend();
    }

    /**
     * @param wanted by the operator; null: the best that can be
     * @throws IllegalArgumentException where what is wanted cannot be here
     */
    static BackendChoice of(@Nullable Backend wanted, GpuMachine machine) {
        if (wanted == Backend.CPU) {
            return new BackendChoice(null, "asked for");
        }
        if (!machine.platform().equals("linux-x64")) {
            return orRefuse(wanted, "no GPU library is prebuilt for " + machine.platform());
        }
        try {
            if (wanted == Backend.VULKAN) {
                return vulkan(machine, false);
            }
            return cuda(machine);
        } catch (LlamaException cuda) {
            if (wanted != null) {
                throw new IllegalArgumentException(
                        "backend: " + wanted.name().toLowerCase(Locale.ROOT) + ": " + cuda.getMessage(), cuda);
            }
            try {
                return vulkan(machine, true);
            } catch (LlamaException vulkan) {
                return new BackendChoice(null, cuda.getMessage() + "; " + vulkan.getMessage());
            }
        }
    }

    private static BackendChoice orRefuse(@Nullable Backend wanted, String reason) {
        if (wanted != null) {
            throw new IllegalArgumentException("backend: " + wanted.name().toLowerCase(Locale.ROOT) + ": " + reason);
        }
        return new BackendChoice(null, reason);
    }

    private static BackendChoice cuda(GpuMachine machine) {
        CudaDriver driver = machine.nvidia();
        int least = driver.devices().stream()
                .mapToInt(CudaDriver.Gpu::capability)
                .min()
                .orElse(0);
        Optional<GpuLibrary> library = driver.version() >= CUDA_13 && least >= CAPABILITY_13
                ? Optional.of(GpuLibrary.CUDA13)
                : driver.version() >= CUDA_12 && least >= CAPABILITY_12
                        ? Optional.of(GpuLibrary.CUDA12)
                        : Optional.empty();
        String found = driver.devices().stream()
                        .map(gpu -> gpu.name() + " (compute capability " + decimal(gpu.capability()) + ")")
                        .collect(Collectors.joining(", "))
                + ", driver for CUDA " + decimal(driver.version() / 1000 * 10 + driver.version() % 1000 / 10);
        return library.map(one -> new BackendChoice(one, found))
                .orElseThrow(() -> unusable(found + " (expected: compute capability 5.0 or more, CUDA 12.0 or more)"));
    }

    /** @param known only where a GPU is seen whose maker is known: a Vulkan driver may as well compute on the processor */
    private static BackendChoice vulkan(GpuMachine machine, boolean known) {
        if (machine.library(GpuMachine.VULKAN_LOADER).isEmpty()) {
            throw unusable("no Vulkan loader (" + GpuMachine.VULKAN_LOADER + ")");
        }
        List<String> makers = machine.renderers();
        if (known && makers.isEmpty()) {
            throw unusable("no GPU for Vulkan (/dev/dri)");
        }
        if (known && !machine.hasVulkanDriver()) {
            throw unusable("no Vulkan driver for the GPU of " + String.join(" and ", makers));
        }
        return new BackendChoice(
                GpuLibrary.VULKAN,
                makers.isEmpty() ? "a Vulkan loader is here" : "GPU of " + String.join(" and ", makers));
    }

    private static LlamaException unusable(String reason) {
        return new LlamaException(LlamaException.Reason.LOAD_FAILED, reason);
    }

    /** A number of tenths. */
    private static String decimal(int tenths) {
        return tenths / 10 + "." + tenths % 10;
    }
}
