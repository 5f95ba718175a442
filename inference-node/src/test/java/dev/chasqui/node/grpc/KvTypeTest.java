package dev.chasqui.node.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.chasqui.llama.FlashAttention;
import dev.chasqui.llama.GpuSplit;
import dev.chasqui.llama.KvType;
import dev.chasqui.llama.TinyGguf;
import dev.chasqui.node.model.AnswerSettings;
import dev.chasqui.node.model.KeepAlive;
import dev.chasqui.node.model.ModelSettings;
import dev.chasqui.proto.v1.GenerateRequest;
import dev.chasqui.proto.v1.Limits;
import dev.chasqui.proto.v1.Sampling;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Keys and values of every type are computed, shared between sequences and found again. */
@Timeout(120)
final class KvTypeTest {
    private static final int SLOTS = 3;

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({
        "F32, AUTO",
        "F16, AUTO",
        "F16, ON",
        "F16, OFF",
        "BF16, AUTO",
        "Q8_0, AUTO",
        "Q5_1, ON",
        "Q5_0, AUTO",
        "Q4_1, AUTO",
        "Q4_0, AUTO",
        "IQ4_NL, AUTO"
    })
    void beginningsAreSharedWhateverTheType(KvType type, FlashAttention flash) throws Exception {
        TinyGguf.write(Files.createDirectories(folder).resolve("tiny.gguf"), TinyGguf.Options.DEFAULT);
        GenerateRequest request = TestNode.prompt("one two three ".repeat(20))
                .setSampling(Sampling.newBuilder().setTemperature(0).setIgnoreEos(true))
                .setLimits(Limits.newBuilder().setMaxTokens(30))
                .build();
        try (TestNode node = TestNode.over(folder, settings(type, flash))) {
            String alone = node.start(request).await().text();
            List<Answer> together = new ArrayList<>();
            for (int i = 0; i < SLOTS; i++) {
                together.add(node.start(request));
            }
            for (Answer answer : together) {
                assertThat(answer.await().text()).isEqualTo(alone).isNotEmpty();
                assertThat(answer.completed().getUsage().getCachedTokens()).isGreaterThan(100);
            }
        }
    }

    @Test
    void aQuantisedTypeNeedsFlashAttention() {
        assertThatThrownBy(() -> settings(KvType.Q8_0, FlashAttention.OFF))
                .hasMessage("kv-type: q8_0 (expected: f32, f16 or bf16 where flash-attention is off)");
    }

    private static ModelSettings settings(KvType type, FlashAttention flash) {
        return new ModelSettings(
                "tiny",
                SLOTS,
                512,
                0,
                type,
                flash,
                8,
                1,
                0,
                64L << 20,
                true,
                List.of(),
                null,
                1L << 40,
                KeepAlive.FOREVER,
                false,
                AnswerSettings.USUAL,
                GpuSplit.AUTO);
    }
}
