package dev.chasqui.node.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.chasqui.llama.TinyGguf;
import dev.chasqui.node.runner.TestLlama;
import dev.chasqui.node.store.Catalogue;
import dev.chasqui.node.store.ModelReference;
import dev.chasqui.node.store.ModelStore;
import dev.chasqui.node.store.StoreException;
import dev.chasqui.node.store.StoreSettings;
import dev.chasqui.node.store.StoredModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class OptimizationTest {
    @TempDir
    Path folder;

    private ModelStore store;

    @BeforeEach
    void writeModel() {
        TinyGguf.write(folder.resolve("a.gguf"), TinyGguf.Options.DEFAULT);
        store = new ModelStore(folder, Catalogue.builtIn(), StoreSettings.DEFAULTS);
    }

    @AfterEach
    void stop() {
        store.close();
    }

    @Test
    void neverTakesATypeThatWouldLose() {
        assertThatThrownBy(() -> Optimization.make(TestLlama.load(), store, model(), 1))
                .isInstanceOf(ModelException.class)
                .hasMessage(
                        "model a is of type F32 (expected: a type of fewer bits than Q8_0, so that nothing is lost)");
        assertThat(made()).isEmpty();
    }

    @Test
    void convertsWithLlamaCppsOwnQuantiser() {
        Path converted = folder.resolve(".converted");
        TestLlama.load().convertToQ8(folder.resolve("a.gguf"), converted, 1);

        assertThat(converted.toFile().length()).isPositive();
        assertThatThrownBy(() -> TestLlama.load().convertToQ8(folder.resolve("nonesuch"), converted, 1))
                .hasMessageContaining("expected: a readable file");
    }

    @Test
    void theFileThatWasMadeIsLoadedUntilTheModelsOwnChanges() throws IOException {
        Path made = store.makeFaster(model(), OptimizationTest::copy);

        assertThat(store.loadFile(model())).isEqualTo(made).exists();
        assertThat(store.list()).as("it is no model of its own").hasSize(1);
        ModelPlan plan = ModelPlan.of(
                TestLlama.load(),
                model(),
                store.loadFile(model()),
                null,
                new ModelSettings(null, 1, 64, 0, 4, 1, 0, 0, true, List.of(), null, 1L << 40));
        assertThat(plan.file()).isEqualTo(made);
        assertThat(plan.slowWithMany()).isFalse();

        Files.setLastModifiedTime(folder.resolve("a.gguf"), FileTime.fromMillis(1_000_000));
        assertThat(store.loadFile(model())).isEqualTo(folder.resolve("a.gguf"));
        store.makeFaster(model(), OptimizationTest::copy);
        assertThat(made()).as("the old one is gone").hasSize(1);

        store.delete(ModelReference.parse("a"));
        assertThat(made()).isEmpty();
    }

    @Test
    void whatIsNoModelIsNotKept() {
        assertThatThrownBy(() -> store.makeFaster(model(), (from, to) -> write(to, "garbage")))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("not a GGUF file");
        assertThat(made()).isEmpty();
        assertThat(store.loadFile(model())).isEqualTo(folder.resolve("a.gguf"));
    }

    @Test
    void aFileElsewhereIsLeftAlone() throws IOException {
        Path elsewhere = Files.createDirectory(folder.resolve("elsewhere")).resolve("b.gguf");
        TinyGguf.write(elsewhere, TinyGguf.Options.DEFAULT);
        StoredModel model =
                store.find(ModelReference.parse(elsewhere.toString())).orElseThrow();

        assertThatThrownBy(() -> store.makeFaster(model, OptimizationTest::copy))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("outside the models folder");
        assertThat(store.loadFile(model)).isEqualTo(model.file());
    }

    private StoredModel model() {
        return store.find(ModelReference.parse("a")).orElseThrow();
    }

    private List<Path> made() {
        Path where = folder.resolve(".chasqui/faster");
        if (!Files.isDirectory(where)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(where)) {
            return files.toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void copy(Path from, Path to) {
        try {
            Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void write(Path to, String text) {
        try {
            Files.writeString(to, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
