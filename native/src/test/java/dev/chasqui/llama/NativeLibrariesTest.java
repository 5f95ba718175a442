package dev.chasqui.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.chasqui.llama.LlamaException.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeLibrariesTest {
    @Test
    void extractsOnceAndRepairs(@TempDir Path dir) throws IOException {
        Path folder = NativeLibraries.extract(dir);
        Path library = folder.resolve("libchasqui-llama.so");
        Object key = Files.readAttributes(library, "unix:ino").get("ino");
        assertThat(NativeLibraries.extract(dir)).isEqualTo(folder);
        assertThat(Files.readAttributes(library, "unix:ino").get("ino")).isEqualTo(key);
        Files.writeString(library, "damaged");
        assertThat(NativeLibraries.extract(dir)).isEqualTo(folder);
        assertThat(Files.size(library)).isGreaterThan(10_000);
        try (Stream<Path> files = Files.list(dir)) {
            assertThat(files).containsExactly(folder);
        }
    }

    @Test
    void saysThatAPlatformIsMissing() {
        assertThatThrownBy(() -> NativeLibraries.platform("Plan 9", "amd64"))
                .isInstanceOfSatisfying(
                        LlamaException.class, e -> assertThat(e.reason()).isEqualTo(Reason.UNSUPPORTED_PLATFORM))
                .hasMessageContaining("Plan 9");
        assertThatThrownBy(() -> NativeLibraries.platform("Linux", "s390x")).hasMessageContaining("s390x");
    }

    @Test
    void saysThatAFolderCannotBeWritten(@TempDir Path dir) throws IOException {
        Path file = Files.writeString(dir.resolve("file"), "");
        assertThatThrownBy(() -> NativeLibraries.extract(file))
                .isInstanceOfSatisfying(
                        LlamaException.class, e -> assertThat(e.reason()).isEqualTo(Reason.LOAD_FAILED));
    }

    @Test
    void saysWhichLibraryIsDamaged(@TempDir Path dir) throws IOException {
        Path folder = NativeLibraries.extract(dir);
        Files.writeString(folder.resolve("libggml-base.so"), "damaged");
        assertThatThrownBy(() -> NativeLibraries.open(folder))
                .isInstanceOfSatisfying(
                        LlamaException.class, e -> assertThat(e.reason()).isEqualTo(Reason.LOAD_FAILED))
                .hasMessageContaining("libggml-base.so");
    }
}
