package dev.chasqui.node.backend;

import dev.chasqui.llama.CudaDriver;
import dev.chasqui.llama.LlamaException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;

/** What a machine has for GPUs: drivers, devices and toolkits, as its files tell, and NVIDIA's driver itself. */
final class GpuMachine {
    static final String CUDA_DRIVER = "libcuda.so.1";
    static final String VULKAN_LOADER = "libvulkan.so.1";

    private static final List<String> FOLDERS = List.of(
            "usr/local/nvidia/lib64",
            "usr/lib/wsl/lib",
            "run/opengl-driver/lib",
            "usr/lib/x86_64-linux-gnu",
            "lib/x86_64-linux-gnu",
            "usr/lib64",
            "lib64",
            "usr/lib",
            "usr/local/lib",
            "usr/local/cuda/lib64",
            "opt/cuda/lib64");
    private static final Map<String, String> MAKERS = Map.of("0x1002", "AMD", "0x8086", "Intel", "0x10de", "NVIDIA");
    private static final List<String> VULKAN_DRIVERS = List.of("etc/vulkan/icd.d", "usr/share/vulkan/icd.d");

    private final Path root;
    private final Map<String, String> environment;
    private final String platform;
    private final Function<Path, CudaDriver> ask;

    /**
     * @param root {@code /}, or a folder that stands for it
     * @param platform such as {@code linux-x64}
     * @param ask asks NVIDIA's driver
     */
    GpuMachine(Path root, Map<String, String> environment, String platform, Function<Path, CudaDriver> ask) {
        this.root = root;
        this.environment = environment;
        this.platform = platform;
        this.ask = ask;
    }

    static GpuMachine here(String platform) {
        return new GpuMachine(Path.of("/"), System.getenv(), platform, CudaDriver::ask);
    }

    String platform() {
        return platform;
    }

    /** The library of this name that the system's loader would find, or that lies where toolkits usually put it. */
    Optional<Path> library(String name) {
        return folders().stream()
                .map(folder -> folder.resolve(name))
                .filter(Files::isRegularFile)
                .findFirst();
    }

    private Set<Path> folders() {
        Set<Path> folders = new LinkedHashSet<>();
        for (String folder : environment.getOrDefault("LD_LIBRARY_PATH", "").split(File.pathSeparator)) {
            if (folder.startsWith("/")) {
                folders.add(Path.of(folder));
            }
        }
        FOLDERS.forEach(folder -> folders.add(root.resolve(folder)));
        for (Path file : list(root.resolve("etc/ld.so.conf.d"))) {
            lines(file).stream()
                    .filter(line -> line.startsWith("/"))
                    .forEach(line -> folders.add(root.resolve(line.substring(1))));
        }
        return folders;
    }

    /**
     * NVIDIA's driver with its devices.
     *
     * @throws LlamaException with the reason why there is none
     */
    CudaDriver nvidia() {
        Optional<Path> driver = library(CUDA_DRIVER);
        if (driver.isEmpty()) {
            throw new LlamaException(
                    LlamaException.Reason.LOAD_FAILED,
                    renderers().contains("NVIDIA") || Files.exists(root.resolve("dev/nvidia0"))
                            ? "an NVIDIA GPU is here, but not its driver's " + CUDA_DRIVER
                                    + " (in a container: start it with the NVIDIA runtime and the capability compute)"
                            : "no NVIDIA driver (" + CUDA_DRIVER + ")");
        }
        return ask.apply(driver.get());
    }

    /** The makers of the GPUs that this process may draw with. */
    List<String> renderers() {
        List<String> makers = new ArrayList<>();
        for (Path device : list(root.resolve("dev/dri"))) {
            String name = device.getFileName().toString();
            if (name.startsWith("renderD")) {
                Path vendor = root.resolve("sys/class/drm").resolve(name).resolve("device/vendor");
                lines(vendor).stream()
                        .map(MAKERS::get)
                        .filter(maker -> maker != null)
                        .forEach(makers::add);
            }
        }
        return makers;
    }

    /** Whether some GPU's Vulkan driver is there, and not the loader alone. */
    boolean hasVulkanDriver() {
        return Stream.of("VK_DRIVER_FILES", "VK_ICD_FILENAMES")
                        .anyMatch(name -> !environment.getOrDefault(name, "").isBlank())
                || VULKAN_DRIVERS.stream()
                        .anyMatch(folder -> !list(root.resolve(folder)).isEmpty());
    }

    private static List<Path> list(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        } catch (IOException e) {
            return List.of();
        }
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file).stream().map(String::strip).toList();
        } catch (IOException e) {
            return List.of();
        }
    }
}
