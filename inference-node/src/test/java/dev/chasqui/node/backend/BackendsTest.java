package dev.chasqui.node.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.chasqui.llama.CudaDriver;
import dev.chasqui.llama.Device;
import dev.chasqui.llama.LlamaException;
import dev.chasqui.node.runner.TestLlama;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Libraries fetched by scripts that stand for npm and pip. */
@Timeout(600)
class BackendsTest {
    private static final BackendChoice CUDA = new BackendChoice(GpuLibrary.CUDA13, "a GPU");

    @TempDir
    Path folder;

    private Path root;
    private Path cache;
    private final List<String> told = new ArrayList<>();

    @BeforeEach
    void machine() throws IOException {
        root = Files.createDirectory(folder.resolve("root"));
        cache = folder.resolve("cache");
    }

    @Test
    void aLibraryIsFetchedOnceByTheMachinesNpm() throws Exception {
        toolkit(13);
        Backends backends = backends(npm("echo run >> " + folder + "/runs"), List.of());
        assertThat(backends.missingMegabytes(GpuLibrary.CUDA13)).isEqualTo(143);

        backends.fetch(GpuLibrary.CUDA13, told::add);
        backends(npm("exit 9"), List.of()).fetch(GpuLibrary.CUDA13, told::add);

        assertThat(backends.missingMegabytes(GpuLibrary.CUDA13)).isZero();
        assertThat(folder.resolve("runs")).hasContent("run\n");
        // The lock file that npm holds what it fetches against is the one in this build.
        assertThat(folder.resolve("lock")).hasBinaryContent(Pins.bytes(GpuLibrary.CUDA13, Pins.PACKAGES));
        try (Stream<Path> left = Files.list(cache)) {
            assertThat(left.map(file -> file.getFileName().toString()))
                    .as("nothing but the library and a lock")
                    .allMatch(name -> name.startsWith("gpu-cuda13-") || name.equals(".gpu.lock"));
        }
    }

    @Test
    void whatIsMissingOfTheToolkitComesByPip() throws Exception {
        Backends backends = backends(npm(""), pip("cp requirements.txt " + folder + "/wanted"));
        assertThat(backends.missingMegabytes(GpuLibrary.CUDA12)).isEqualTo(177 + 585);

        backends.fetch(GpuLibrary.CUDA12, told::add);

        assertThat(backends.missingMegabytes(GpuLibrary.CUDA12)).isZero();
        assertThat(folder.resolve("wanted")).content().contains("nvidia-cublas-cu12==", "--hash=sha256:");
        assertThat(told).anyMatch(line -> line.matches("fetching the library cuda12: \\d+ of 177 MB"));
    }

    @Test
    void whatWasPreparedIsNotFetched() throws Exception {
        toolkit(13);
        Path prepared = folder.resolve("prepared");
        new Backends(here(), prepared, null, new LibraryFetch(prepared, npm(""), List.of()))
                .fetch(GpuLibrary.CUDA13, told::add);

        Backends backends = new Backends(here(), cache, prepared, new LibraryFetch(cache, npm("exit 9"), List.of()));
        assertThat(backends.missingMegabytes(GpuLibrary.CUDA13)).isZero();
        backends.fetch(GpuLibrary.CUDA13, told::add);
        assertThat(cache).doesNotExist();
    }

    @Test
    void whyAFetchFailsIsTold() throws Exception {
        toolkit(13);
        assertThatThrownBy(() ->
                        backends(List.of(List.of("no-such-npm")), List.of()).fetch(GpuLibrary.CUDA13, told::add))
                .isInstanceOf(LlamaException.class)
                .hasMessage("cannot be fetched: this machine has no npm (expected: Node.js 20 or newer)");
        assertThatThrownBy(() -> backends(npm("echo 'npm error code EINTEGRITY' >&2; exit 1"), List.of())
                        .fetch(GpuLibrary.CUDA13, told::add))
                .hasMessage("cannot be fetched: npm failed: code EINTEGRITY");
        try (Stream<Path> left = Files.list(cache)) {
            assertThat(left.filter(Files::isDirectory)).isEmpty();
        }
    }

    @Test
    void theProcessorComputesWhereALibraryCannotBeUsed() throws Exception {
        toolkit(13);
        Backends backends = backends(npm(""), List.of());

        backends.prepare(TestLlama.load(), CUDA, told::add);

        assertThat(told).hasSize(2);
        assertThat(told.get(0)).isEqualTo("fetching the library for a GPU: cuda13, 143 MB, once");
        assertThat(told.get(1))
                .startsWith("the processor computes, as cuda13 cannot be used: ")
                .contains("libcudart.so.13");
        assertThat(TestLlama.load().devices()).allMatch(device -> device.kind() == Device.Kind.CPU);
    }

    @Test
    void nothingIsFetchedForTheProcessor() throws Exception {
        backends(npm("exit 9"), List.of()).prepare(TestLlama.load(), new BackendChoice(null, "asked for"), told::add);

        assertThat(told).isEmpty();
        assertThat(cache).doesNotExist();
    }

    @ParameterizedTest
    @EnumSource
    void librariesAreOfThePinnedRelease(GpuLibrary library) throws IOException {
        JsonMapper json = JsonMapper.builder().build();
        JsonNode main = json.readTree(
                Path.of("../native/src/main/llama.cpp/package.json").toFile());
        String release = main.path("dependencies").path("node-llama-cpp").asString();
        String name = library.entry().replaceFirst("^(@[^/]+/[^/]+)/.*", "$1");

        JsonNode locked = json.readTree(Pins.bytes(library, Pins.PACKAGES))
                .path("packages")
                .path("node_modules/" + name);

        assertThat(locked.path("version").asString()).isEqualTo(release);
        assertThat(locked.path("integrity").asString()).startsWith("sha512-");
        if (!library.toolkit().isEmpty()) {
            assertThat(new String(Pins.bytes(library, Pins.WHEELS)).lines())
                    .allMatch(line -> line.matches("[a-z0-9-]+==[0-9.]+ --hash=sha256:[0-9a-f]{64}"));
        }
    }

    private GpuMachine here() {
        return new GpuMachine(root, Map.of(), "linux-x64", library -> new CudaDriver(13_000, List.of()));
    }

    private Backends backends(List<List<String>> npm, List<List<String>> pip) {
        return new Backends(here(), cache, null, new LibraryFetch(cache, npm, pip));
    }

    /** The system's own toolkit; what is in it is no library. */
    private void toolkit(int version) throws IOException {
        Path libraries = Files.createDirectories(root.resolve("usr/local/cuda/lib64"));
        for (String name : List.of("libcudart.so.", "libcublasLt.so.", "libcublas.so.")) {
            Files.writeString(libraries.resolve(name + version), "no library");
        }
    }

    /** Does this first, and then what npm would do. */
    private List<List<String>> npm(String first) throws IOException {
        StringBuilder script = new StringBuilder("[ \"$1\" = --version ] && exit 0\n");
        script.append(first).append("\ncp package-lock.json ").append(folder).append("/lock\n");
        for (GpuLibrary library : GpuLibrary.values()) {
            script.append("mkdir -p $(dirname node_modules/").append(library.entry());
            script.append("); echo 'no library' > node_modules/")
                    .append(library.entry())
                    .append('\n');
        }
        return script("npm", script.toString());
    }

    private List<List<String>> pip(String first) throws IOException {
        return script("pip", "[ \"$1\" = --version ] && exit 0\n" + first + """

                mkdir -p nvidia/lib
                for name in libcudart libcublasLt libcublas libother; do echo x > nvidia/lib/$name.so.12; done
                python3 -m zipfile -c toolkit-1-py3-none-any.whl nvidia
                """);
    }

    private List<List<String>> script(String name, String text) throws IOException {
        Path script = Files.createTempFile(folder, name, ".sh");
        Files.writeString(script, text);
        return List.of(List.of("sh", script.toString()));
    }
}
