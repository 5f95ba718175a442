package dev.chasqui.node.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class AdapterFileTest {
    @Test
    void readsNameFileAndScale() {
        assertThat(AdapterFile.parse("poet=/a/b.gguf")).isEqualTo(new AdapterFile("poet", Path.of("/a/b.gguf"), 1));
        assertThat(AdapterFile.parse("poet=/a/b.gguf:0.5"))
                .isEqualTo(new AdapterFile("poet", Path.of("/a/b.gguf"), 0.5f));
        assertThat(AdapterFile.parse("poet=/a/b=c:d.gguf:-2"))
                .isEqualTo(new AdapterFile("poet", Path.of("/a/b=c:d.gguf"), -2));
        assertThat(AdapterFile.parse("poet=b.gguf").file()).isAbsolute();
    }

    @Test
    void isWrittenAsItIsRead() {
        AdapterFile adapter = new AdapterFile("poet", Path.of("/a/b.gguf"), 0.25f);

        assertThat(AdapterFile.parse(adapter.toString())).isEqualTo(adapter);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "poet", "=b.gguf", "poet=", "a poet=b.gguf", "poet=b.gguf:101", "po/et=b.gguf"})
    void refusesWhatMakesNoSense(String text) {
        assertThatThrownBy(() -> AdapterFile.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("lora: ");
    }

    @Test
    void adaptersNeedAModelAndNamesOfTheirOwn() {
        AdapterFile poet = AdapterFile.parse("poet=/a.gguf");

        assertThatThrownBy(() -> new ModelSettings(null, 1, 0, 0, 1, 0, 0, 0, true, List.of(poet), null, 1))
                .hasMessage("lora: without a model (expected: the model too that the adapters are for)");
        assertThatThrownBy(() -> new ModelSettings("m", 1, 0, 0, 1, 0, 0, 0, true, List.of(poet, poet), null, 1))
                .hasMessage("lora: poet twice (expected: each name once)");
    }
}
