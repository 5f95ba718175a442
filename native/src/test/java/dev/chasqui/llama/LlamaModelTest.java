package dev.chasqui.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.throwable;

import dev.chasqui.llama.LlamaException.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class LlamaModelTest {
    @Test
    void tellsVersionDevicesAndProcessor() {
        assertThat(Llama.load(Tiny.HOME.resolve("elsewhere"))).isSameAs(Tiny.LLAMA);
        assertThat(Tiny.LLAMA.version().release()).startsWith("v");
        assertThat(Tiny.LLAMA.version().commit()).matches("[0-9a-f]{7,40}");
        assertThat(Tiny.LLAMA.devices())
                .anyMatch(device -> device.kind() == Device.Kind.CPU && device.totalBytes() > 0);
        assertThat(Tiny.LLAMA.systemInfo()).contains("CPU");
    }

    @Test
    void describesTheModel() {
        try (LlamaModel model = Tiny.model()) {
            ModelInfo info = model.info();
            assertThat(info.architecture()).isEqualTo("llama");
            assertThat(info.name()).isEqualTo("tiny");
            assertThat(info.quantization()).isEqualTo("all F32");
            assertThat(info.vocabSize()).isEqualTo(TinyGguf.VOCAB_SIZE);
            assertThat(info.trainedContext()).isEqualTo(TinyGguf.TRAINED_CONTEXT);
            assertThat(info.layers()).isEqualTo(2);
            assertThat(info.kvBytesPerToken()).isEqualTo(2 * 32 * 2 * 2);
            assertThat(info.hasChatTemplate()).isTrue();
            assertThat(info.recurrent()).isFalse();
            assertThat(info.addBos()).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource(TinyGguf.Kind.class)
    void reckonsTheSameWhateverIsKnownOfTheFile(TinyGguf.Kind kind) {
        Path file = Tiny.write(TinyGguf.Options.DEFAULT.withKind(kind));
        MemoryEstimate whole = estimate(file, ModelHead.UNKNOWN);
        String architecture = kind == TinyGguf.Kind.GENERATOR ? "llama" : "bert";
        assertThat(whole.totalBytes()).isPositive();
        assertThat(estimate(file, new ModelHead(architecture, TinyGguf.VOCAB_SIZE)))
                .isEqualTo(whole);
        // What is wrong does no harm.
        assertThat(estimate(file, new ModelHead(architecture, 7))).isEqualTo(whole);
        assertThat(estimate(file, new ModelHead("mamba", TinyGguf.VOCAB_SIZE))).isEqualTo(whole);
        assertThat(estimate(file, new ModelHead("x".repeat(200), 7))).isEqualTo(whole);
    }

    private static MemoryEstimate estimate(Path file, ModelHead head) {
        return Tiny.LLAMA.estimate(file, head, 0, GpuSplit.AUTO, Tiny.contextOptions(2));
    }

    @Test
    void loadsHalfPrecision() {
        try (LlamaModel model = Tiny.model(TinyGguf.Options.DEFAULT.withHalf(true))) {
            assertThat(model.info().quantization()).isEqualTo("F16");
        }
    }

    @Test
    void staysOpenWhileSomethingNeedsIt() {
        LlamaModel model = Tiny.model();
        LlamaContext context = model.newContext(Tiny.contextOptions(1));
        Sampler sampler = model.newSampler(SamplerOptions.greedy());
        assertThatThrownBy(model::close)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("2 open");
        context.close();
        context.close();
        sampler.close();
        sampler.close();
        model.close();
        assertThatCode(model::close).doesNotThrowAnyException();
        assertThatThrownBy(() -> model.vocabulary().tokenize("a", false, false))
                .isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> model.newContext(Tiny.contextOptions(1))).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> model.chatTemplate().render("{}")).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(context::decode).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> sampler.accept(1)).isInstanceOf(IllegalStateException.class);
        context.abort(); // harmless
        context.batch().add(1, 0, 0, true); // harmless
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "no model", "GGUF"})
    void refusesOtherFiles(String content, @TempDir Path dir) throws IOException {
        Path file = Files.writeString(dir.resolve("other.gguf"), content);
        assertThatThrownBy(() -> Tiny.load(file))
                .asInstanceOf(throwable(LlamaException.class))
                .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.LOAD_FAILED))
                .hasMessageContaining(file.toString());
    }

    @Test
    void refusesATruncatedFile(@TempDir Path dir) throws IOException {
        byte[] whole = Files.readAllBytes(TinyGguf.write(dir));
        for (int length : new int[] {24, 3_000, whole.length / 2, whole.length - 1}) {
            Path file = Files.write(dir.resolve("cut-" + length + ".gguf"), Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> Tiny.load(file)).isInstanceOf(LlamaException.class);
        }
    }

    @Test
    void refusesAnAbsentFileAndAFolder(@TempDir Path dir) {
        assertThatThrownBy(() -> Tiny.load(dir.resolve("none"))).isInstanceOf(LlamaException.class);
        assertThatThrownBy(() -> Tiny.load(dir)).isInstanceOf(LlamaException.class);
    }

    @Test
    void endsALoadWhenTheListenerSaysSo(@TempDir Path dir) {
        Path file = TinyGguf.write(dir.resolve("deep.gguf"), TinyGguf.Options.DEFAULT.withLayers(40));
        // The listener speaks before the load begins; it is quick, so an abort may come too late, but never be
        // something else.
        try (LlamaModel model = Tiny.LLAMA.loadModel(file, new ModelOptions(0, false), progress -> false)) {
            assertThat(model.info().layers()).isEqualTo(40);
        } catch (LlamaException e) {
            assertThat(e.reason()).isEqualTo(Reason.ABORTED);
        }
    }

    @Test
    void refusesAFloodOfSpecialTokens() {
        try (LlamaModel model = Tiny.model()) {
            Vocabulary vocabulary = model.vocabulary();
            String special = vocabulary.detokenize(new int[] {TinyGguf.BOS});
            assertThat(special).isNotEmpty();
            String flood = special.repeat(400_000);

            assertThatThrownBy(() -> vocabulary.tokenize(flood, false, true))
                    .isInstanceOf(LlamaException.class)
                    .hasMessageContaining("special tokens (expected: at most 16384)");
            assertThat(vocabulary.tokenize(special.repeat(10_000), false, true)).hasSize(10_000);
        }
    }

    @Test
    void tokenizesAndBack() {
        try (LlamaModel model = Tiny.model()) {
            Vocabulary vocabulary = model.vocabulary();
            for (String text : new String[] {"", "hello world", "año \uD83D\uDE00 \n\t", "a\0b", " x ".repeat(2000)}) {
                int[] tokens = vocabulary.tokenize(text, false, false);
                assertThat(vocabulary.detokenize(tokens)).isEqualTo(text);
            }
            assertThat(vocabulary.tokenize("a", true, false)).containsExactly(TinyGguf.BOS, TinyGguf.FIRST_BYTE + 'a');
            assertThat(vocabulary.tokenize("<|im_end|>", false, true)).containsExactly(TinyGguf.IM_END);
            assertThat(vocabulary.tokenize("<|im_end|>", false, false)).hasSize(10);
        }
    }

    @Test
    void knowsItsTokens() {
        try (LlamaModel model = Tiny.model()) {
            Vocabulary vocabulary = model.vocabulary();
            assertThat(vocabulary.size()).isEqualTo(TinyGguf.VOCAB_SIZE);
            assertThat(vocabulary.piece(TinyGguf.FIRST_BYTE + 0xC3, false)).containsExactly(0xC3);
            assertThat(vocabulary.piece(TinyGguf.SPACE, false)).containsExactly(' ');
            assertThat(vocabulary.piece(TinyGguf.IM_END, false)).isEmpty();
            assertThat(new String(vocabulary.piece(TinyGguf.IM_END, true), StandardCharsets.UTF_8))
                    .isEqualTo("<|im_end|>");
            assertThat(vocabulary.isEndOfGeneration(TinyGguf.IM_END)).isTrue();
            assertThat(vocabulary.isEndOfGeneration(TinyGguf.EOS)).isTrue();
            assertThat(vocabulary.isEndOfGeneration(TinyGguf.BOS)).isFalse();
            assertThat(vocabulary.isControl(TinyGguf.IM_START)).isTrue();
            assertThat(vocabulary.detokenize(new int[] {TinyGguf.FIRST_BYTE + 0xFF}))
                    .isEqualTo("\uFFFD");
            for (int bad : new int[] {-1, TinyGguf.VOCAB_SIZE, Integer.MAX_VALUE}) {
                assertThatThrownBy(() -> vocabulary.piece(bad, true)).isInstanceOf(LlamaException.class);
                assertThatThrownBy(() -> vocabulary.detokenize(new int[] {bad})).isInstanceOf(LlamaException.class);
            }
        }
    }

    @Test
    void aTextHasNoFewerTokensThanTheLeast() {
        try (LlamaModel model = Tiny.model()) {
            Vocabulary vocabulary = model.vocabulary();
            List<String> words = List.of("a", "<|im_end|>", "  ", "\n", "hello", "é", "😀", "<s>", "a a", "xyz");
            Random random = new Random(3);
            for (int i = 0; i < 300; i++) {
                StringBuilder text = new StringBuilder();
                for (int k = random.nextInt(40); k >= 0; k--) {
                    text.append(words.get(random.nextInt(words.size())));
                }
                int tokens = vocabulary.tokenize(text.toString(), false, random.nextBoolean()).length;
                assertThat(vocabulary.leastTokens(text.toString()))
                        .as(text.toString())
                        .isBetween(0, tokens);
            }
            assertThat(vocabulary.leastTokens("z".repeat(10_000))).isGreaterThan(1_000);
            assertThat(vocabulary.leastTokens(" \n\t ".repeat(10_000))).isZero();
        }
    }
}
