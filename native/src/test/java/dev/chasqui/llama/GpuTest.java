package dev.chasqui.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What can be seen of GPUs without one: a driver made here, and libraries that cannot be used. */
class GpuTest {
    @TempDir
    Path folder;

    @Test
    void aDriverTellsItsVersionAndItsDevices() throws Exception {
        CudaDriver driver = CudaDriver.ask(driver("""
                int cuInit(unsigned) { return 0; }
                int cuDriverGetVersion(int * v) { *v = 12040; return 0; }
                int cuDeviceGetCount(int * n) { *n = 2; return 0; }
                int cuDeviceGet(int * d, int i) { *d = 7 + i; return 0; }
                int cuDeviceGetName(char * s, int n, int d) { s[0] = d == 7 ? 'a' : 'b'; s[1] = 0; return n > 1 ? 0 : 1; }
                int cuDeviceGetAttribute(int * v, int a, int d) { *v = a == 75 ? d : 6; return a == 75 || a == 76 ? 0 : 1; }
                """));

        assertThat(driver)
                .isEqualTo(new CudaDriver(12040, List.of(new CudaDriver.Gpu("a", 76), new CudaDriver.Gpu("b", 86))));
    }

    @Test
    void aDriverWithoutADeviceOrWithTroubleIsASentence() throws Exception {
        assertThatThrownBy(() -> CudaDriver.ask(driver("int cuInit(unsigned) { return 100; }")))
                .isInstanceOf(LlamaException.class)
                .hasMessage("NVIDIA's driver has no device");
        assertThatThrownBy(() -> CudaDriver.ask(driver("int cuInit(unsigned) { return 999; }")))
                .hasMessage("NVIDIA's driver refuses cuInit with error 999");
        assertThatThrownBy(() -> CudaDriver.ask(driver("int nothing() { return 0; }")))
                .isInstanceOf(LlamaException.class)
                .hasMessageStartingWith("NVIDIA's driver cannot be opened: ");
        Path text = Files.writeString(folder.resolve("text"), "no library");
        assertThatThrownBy(() -> CudaDriver.ask(text))
                .isInstanceOf(LlamaException.class)
                .hasMessageStartingWith("NVIDIA's driver cannot be opened: ");
    }

    @Test
    void aBackendThatCannotBeUsedLeavesTheProcessor() throws Exception {
        Path text = Files.writeString(folder.resolve("libggml-none.so"), "no library");
        assertThatThrownBy(() -> Tiny.LLAMA.addBackend(text, List.of()))
                .isInstanceOfSatisfying(
                        LlamaException.class, e -> assertThat(e.reason()).isEqualTo(LlamaException.Reason.LOAD_FAILED))
                .hasMessageContaining("libggml-none.so");
        Path empty = driver("int nothing() { return 0; }");
        assertThatThrownBy(() -> Tiny.LLAMA.addBackend(empty, List.of())).hasMessageStartingWith("it found no device");
        assertThatThrownBy(() -> Tiny.LLAMA.addBackend(empty, List.of(text)))
                .hasMessageStartingWith("cannot open libggml-none.so: ");

        assertThat(Tiny.LLAMA.devices()).isNotEmpty().allMatch(device -> device.kind() == Device.Kind.CPU);
    }

    @Test
    void aSplitOverGpusThatAreNotThereIsRefused() {
        ContextOptions context = Tiny.contextOptions(1);
        Path model = Tiny.write(TinyGguf.Options.DEFAULT);
        GpuSplit second = new GpuSplit(GpuSplit.Mode.NONE, 1, List.of());
        assertThatThrownBy(() -> Tiny.LLAMA.estimate(model, ModelHead.UNKNOWN, -1, second, context))
                .hasMessage("main-gpu: 1 (expected: less than 1, the number of GPUs)");
        assertThatThrownBy(() -> new GpuSplit(GpuSplit.Mode.ROW, 0, List.of(1f, -1f)))
                .hasMessage(
                        "tensor-split: [1.0, -1.0] (expected: at most 16 numbers of 0 or more, one of them above 0)");
        assertThatThrownBy(() -> new GpuSplit(GpuSplit.Mode.ROW, 0, List.of(0f)))
                .hasMessageStartingWith("tensor-split");

        // Shares of GPUs that are not there harm nothing.
        GpuSplit shares = new GpuSplit(GpuSplit.Mode.LAYER, 0, List.of(3f, 1f));
        assertThat(Tiny.LLAMA.estimate(model, ModelHead.UNKNOWN, -1, shares, context))
                .isEqualTo(Tiny.LLAMA.estimate(model, ModelHead.UNKNOWN, -1, GpuSplit.AUTO, context));
    }

    private Path driver(String functions) throws IOException, InterruptedException {
        Path source = Files.writeString(
                Files.createTempFile(folder, "driver", ".cpp"), "extern \"C\" {\n" + functions + "\n}\n");
        Path library = Files.createTempFile(folder, "libdriver", ".so");
        Process compiler = new ProcessBuilder(
                        System.getenv().getOrDefault("CXX", "c++"),
                        "-shared",
                        "-fPIC",
                        "-o",
                        library.toString(),
                        source.toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(compiler.waitFor()).as(said).isZero();
        return library;
    }
}
