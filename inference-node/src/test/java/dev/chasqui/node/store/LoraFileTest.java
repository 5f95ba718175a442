package dev.chasqui.node.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.chasqui.llama.TinyGguf;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Adapters that llama.cpp would end the process over are refused before it sees them. */
final class LoraFileTest {
    private static final String DOWN = "blk.0.ffn_down.weight";

    @TempDir
    Path folder;

    private Path model;

    @BeforeEach
    void writeModel() {
        model = TinyGguf.write(folder);
    }

    @Test
    void takesAnAdapterOfTheModel() throws IOException {
        assertThat(LoraFile.check(TinyGguf.writeLora(folder.resolve("lora.gguf"), 1), model))
                .isEqualTo(4L * (64 * 4 + 4 * 32 + 128 * 4 + 4 * 64));
        assertThat(check(lora().tensor("blk.0.attn_norm.weight", 0, 64, 256))).isPositive();
        assertThat(check(head().tensor(
                                "token_embd.weight.lora_a",
                                0,
                                new long[] {2, TinyGguf.VOCAB_SIZE},
                                4 * 2 * TinyGguf.VOCAB_SIZE)
                        .tensor("token_embd.weight.lora_b", 0, new long[] {2, 64}, 4 * 2 * 64)))
                .isPositive();
    }

    @Test
    void refusesAModel() {
        refuses(GgufBytes.model().weights(), "general.type: missing (expected: adapter)");
    }

    @Test
    void refusesOtherKindsOfAdapters() {
        refuses(
                new GgufBytes()
                        .text("general.type", "adapter")
                        .text("adapter.type", "prefix")
                        .text("general.architecture", "llama"),
                "adapter.type: prefix (expected: lora)");
        refuses(
                new GgufBytes().u32("general.type", 5).text("adapter.type", "lora"),
                "general.type: missing (expected: adapter)");
        refuses(
                lora().whole32s("adapter.alora.invocation_tokens", 1, 2),
                "adapter.alora.invocation_tokens: given (expected: an adapter that works on every token)");
    }

    @Test
    void refusesAnAlphaThatIsNoNumber() {
        refuses(lora().u32("adapter.lora.alpha", 8), "adapter.lora.alpha: not a number of 32 bits");
        refuses(lora().raw("adapter.lora.alpha", GgufBytes.F32, floats(Float.NaN)), "adapter.lora.alpha: not a number");
        refuses(lora().raw("adapter.lora.alpha", 12, new byte[8]), "adapter.lora.alpha: not a number");
    }

    @Test
    void refusesAnotherArchitecture() {
        refuses(
                new GgufBytes()
                        .text("general.type", "adapter")
                        .text("adapter.type", "lora")
                        .text("general.architecture", "qwen2"),
                "general.architecture: qwen2 (expected: llama)");
    }

    @Test
    void refusesShapesThatDoNotFit() {
        refuses(pair(DOWN, 64, 4, 4, 64), "blk.0.ffn_down.weight: [64, 4] and [4, 64] for a weight of [128, 64]");
        refuses(pair(DOWN, 128, 4, 4, 128), "for a weight of [128, 64]");
        refuses(pair(DOWN, 128, 4, 8, 64), "for a weight of [128, 64]");
        refuses(pair(DOWN, 128, 0, 0, 64), "for a weight of [128, 64]");
        refuses(pair("token_embd.weight", 4, TinyGguf.VOCAB_SIZE, 8, 64), "for a weight of [64, 262]");
        refuses(
                head().tensor(DOWN + ".lora_a", 0, new long[] {128, 4, 3}, 4 * 128 * 4 * 3)
                        .tensor(DOWN + ".lora_b", 0, new long[] {4, 64}, 4 * 4 * 64),
                "[128, 4, 3] and [4, 64] for a weight of [128, 64]");
    }

    @Test
    void refusesTheEmbeddingWhereItIsTheOutputToo() throws IOException {
        Path tied = Files.write(
                folder.resolve("tied.gguf"), GgufBytes.model().weights().bytes());
        Path adapter = Files.write(
                folder.resolve("a.gguf"), pair("token_embd.weight", 2, 3, 2, 64).bytes());

        assertThatThrownBy(() -> LoraFile.check(adapter, tied))
                .isInstanceOf(BadModelFile.class)
                .hasMessageContaining("the model uses it for its output too");
    }

    @Test
    void refusesTensorsThatAreNone() {
        refuses(head(), "it changes no weight");
        refuses(pair("blk.9.ffn_down.weight", 128, 4, 4, 64), "blk.9.ffn_down.weight: not in the model");
        refuses(pair("output_norm.weight", 64, 4, 4, 64), "output_norm.weight: cannot be changed by an adapter");
        refuses(head().tensor(DOWN + ".lora_a", 0, new long[] {128, 4}, 4 * 128 * 4), "alone (expected: " + DOWN);
        refuses(head().tensor(DOWN, 0, new long[] {128, 4}, 4 * 128 * 4), "expected: a weight's name with .lora_a");
        refuses(pair(DOWN + ".lora_a", 128, 4, 4, 64), "expected: a weight's name with .lora_a");
        refuses(head().tensor("a\u0000b.lora_a", 0, 1, 4), "a name that no weight has");
        refuses(
                head().tensor(DOWN + ".lora_a", 26, new long[] {128, 4}, 4 * 128 * 4)
                        .tensor(DOWN + ".lora_b", 26, new long[] {4, 64}, 4 * 4 * 64),
                "I32 (expected: F32, F16, BF16 or Q8_0)");
    }

    @Test
    void refusesDamagedFiles() throws IOException {
        byte[] whole = lora().bytes();
        for (int length = 0; length < whole.length; length += 37) {
            byte[] cut = java.util.Arrays.copyOf(whole, length);
            assertThatThrownBy(() -> check(cut)).isInstanceOf(BadModelFile.class);
        }
        Random random = new Random(1);
        for (int i = 0; i < 2000; i++) {
            byte[] changed = whole.clone();
            changed[random.nextInt(400)] = (byte) random.nextInt();
            try {
                check(changed);
            } catch (BadModelFile refused) {
                assertThat(refused.sentence()).isNotEmpty();
            }
        }
    }

    @Test
    void aMissingFileIsSaidSo() {
        assertThatThrownBy(() -> LoraFile.check(folder.resolve("none.gguf"), model))
                .isInstanceOf(StoreException.class)
                .hasMessageContaining("none.gguf cannot be read");
    }

    private static GgufBytes head() {
        return new GgufBytes()
                .text("general.type", "adapter")
                .text("adapter.type", "lora")
                .text("general.architecture", "llama");
    }

    private static GgufBytes lora() {
        return pair(DOWN, 128, 4, 4, 64);
    }

    private static GgufBytes pair(String weight, int a0, int a1, int b0, int b1) {
        return head().tensor(weight + ".lora_a", 0, new long[] {a0, a1}, 4 * a0 * a1)
                .tensor(weight + ".lora_b", 0, new long[] {b0, b1}, 4 * b0 * b1);
    }

    private static byte[] floats(float value) {
        return ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putFloat(value)
                .array();
    }

    private void refuses(GgufBytes adapter, String reason) {
        assertThatThrownBy(() -> check(adapter))
                .isInstanceOf(BadModelFile.class)
                .hasMessageContaining(reason);
    }

    private long check(GgufBytes adapter) throws IOException {
        return check(adapter.bytes());
    }

    private long check(byte[] adapter) throws IOException {
        return LoraFile.check(Files.write(folder.resolve("a.gguf"), adapter), model);
    }
}
