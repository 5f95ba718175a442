package dev.chasqui.node.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.chasqui.llama.Backend;
import dev.chasqui.llama.CudaDriver;
import dev.chasqui.llama.LlamaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is chosen for machines of all kinds, each of them a folder that stands for its root. */
class BackendChoiceTest {
    @TempDir
    Path root;

    @Test
    void aMachineWithoutAGpuComputesOnItsProcessorAndSaysWhatIsMissing() {
        BackendChoice choice = choose(null, 13_000, 90);

        assertThat(choice.backend()).isEqualTo(Backend.CPU);
        assertThat(choice.library()).isNull();
        assertThat(choice.reason()).isEqualTo("no NVIDIA driver (libcuda.so.1); no Vulkan loader (libvulkan.so.1)");
    }

    @ParameterizedTest
    @CsvSource({
        "13000, 90, CUDA13, 13.0",
        "13010, 75, CUDA13, 13.1",
        "13000, 61, CUDA12, 13.0",
        "12040, 90, CUDA12, 12.4",
        "12000, 50, CUDA12, 12.0",
    })
    void theCudaLibraryFitsDriverAndGpu(int driver, int capability, GpuLibrary library, String shown)
            throws IOException {
        file("usr/lib/x86_64-linux-gnu/libcuda.so.1", "");

        BackendChoice choice = choose(null, driver, capability);

        assertThat(choice.library()).isEqualTo(library);
        assertThat(choice.reason())
                .isEqualTo("GPU 0 (compute capability " + capability / 10 + "." + capability % 10
                        + "), driver for CUDA " + shown);
    }

    @Test
    void theOldestOfSeveralGpusCounts() throws IOException {
        file("usr/local/nvidia/lib64/libcuda.so.1", "");

        assertThat(choose(null, 13_000, 90, 61).library()).isEqualTo(GpuLibrary.CUDA12);
    }

    @ParameterizedTest
    @CsvSource({"11080, 86", "13000, 35"})
    void whatIsTooOldForCudaComputesOtherwise(int driver, int capability) throws IOException {
        file("usr/lib64/libcuda.so.1", "");
        assertThat(choose(null, driver, capability).reason())
                .contains("(expected: compute capability 5.0 or more, CUDA 12.0 or more); no Vulkan loader");

        renderer("renderD128", "0x10de");
        vulkan();
        assertThat(choose(null, driver, capability).library()).isEqualTo(GpuLibrary.VULKAN);
    }

    @Test
    void aGpuWithoutItsDriverIsTold() throws IOException {
        file("dev/nvidia0", "");

        assertThat(choose(null, 0).reason())
                .startsWith("an NVIDIA GPU is here, but not its driver's libcuda.so.1 (in a container: ");
    }

    @ParameterizedTest
    @CsvSource({"0x1002, AMD", "0x8086, Intel"})
    void othersGpusComputeByVulkan(String vendor, String maker) throws IOException {
        renderer("renderD128", vendor);
        assertThat(choose(null, 0).reason()).endsWith("no Vulkan loader (libvulkan.so.1)");

        file("opt/strange/libvulkan.so.1", "");
        assertThat(choose(null, 0).library()).isNull();
        file("etc/ld.so.conf.d/strange.conf", "# ours\n/opt/strange\n");
        assertThat(choose(null, 0).reason()).endsWith("no Vulkan driver for the GPU of " + maker);

        file("usr/share/vulkan/icd.d/some.json", "{}");
        assertThat(choose(null, 0)).isEqualTo(new BackendChoice(GpuLibrary.VULKAN, "GPU of " + maker));
    }

    @Test
    void aVirtualMachinesScreenIsNoGpu() throws IOException {
        renderer("renderD128", "0x1af4");
        vulkan();

        assertThat(choose(null, 0).reason()).endsWith("no GPU for Vulkan (/dev/dri)");
        assertThat(choose(Backend.VULKAN, 0).library()).isEqualTo(GpuLibrary.VULKAN);
    }

    @Test
    void whatIsAskedForIsTakenOrRefused() throws IOException {
        assertThatThrownBy(() -> choose(Backend.CUDA, 13_000, 90))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("backend: cuda: no NVIDIA driver (libcuda.so.1)");
        assertThatThrownBy(() -> choose(Backend.VULKAN, 13_000, 90))
                .hasMessage("backend: vulkan: no Vulkan loader (libvulkan.so.1)");

        file("usr/lib/x86_64-linux-gnu/libcuda.so.1", "");
        assertThat(choose(Backend.CPU, 13_000, 90)).isEqualTo(new BackendChoice(null, "asked for"));
        assertThatThrownBy(() -> choose(Backend.CUDA, 13_000))
                .hasMessage("backend: cuda: NVIDIA's driver has no device");
    }

    @Test
    void otherPlatformsHaveTheirProcessor() {
        GpuMachine arm = new GpuMachine(root, Map.of(), "linux-arm64", library -> driver(13_000, 90));

        assertThat(BackendChoice.of(null, arm).reason()).isEqualTo("no GPU library is prebuilt for linux-arm64");
        assertThatThrownBy(() -> BackendChoice.of(Backend.CUDA, arm))
                .hasMessage("backend: cuda: no GPU library is prebuilt for linux-arm64");
    }

    private BackendChoice choose(@Nullable Backend wanted, int driver, int... capabilities) {
        return BackendChoice.of(
                wanted, new GpuMachine(root, Map.of(), "linux-x64", library -> driver(driver, capabilities)));
    }

    private static CudaDriver driver(int version, int... capabilities) {
        if (capabilities.length == 0) {
            throw new LlamaException(LlamaException.Reason.LOAD_FAILED, "NVIDIA's driver has no device");
        }
        List<CudaDriver.Gpu> gpus = IntStream.range(0, capabilities.length)
                .mapToObj(i -> new CudaDriver.Gpu("GPU " + i, capabilities[i]))
                .toList();
        return new CudaDriver(version, gpus);
    }

    private void renderer(String name, String vendor) throws IOException {
        file("dev/dri/" + name, "");
        file("sys/class/drm/" + name + "/device/vendor", vendor + "\n");
    }

    private void vulkan() throws IOException {
        file("usr/lib/x86_64-linux-gnu/libvulkan.so.1", "");
        file("usr/share/vulkan/icd.d/some.json", "{}");
    }

    private void file(String path, String text) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }
}
