package dev.chasqui.node.runner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.chasqui.llama.ContextOptions;
import dev.chasqui.llama.FlashAttention;
import dev.chasqui.llama.GpuSplit;
import dev.chasqui.llama.KvType;
import dev.chasqui.llama.LlamaModel;
import dev.chasqui.llama.LoadListener;
import dev.chasqui.llama.ModelOptions;
import dev.chasqui.llama.SamplerOptions;
import dev.chasqui.llama.TinyGguf;
import dev.chasqui.node.engine.AdapterSet;
import dev.chasqui.node.engine.ModelRunner;
import dev.chasqui.node.engine.ModelRunnerContract;
import dev.chasqui.node.engine.TokenSampler;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The real libraries keep the engine's contract. */
class LlamaRunnerTest extends ModelRunnerContract {
    @TempDir
    static Path folder;

    private static LlamaModel model;

    @BeforeAll
    static void load() {
        List<Path> adapters = List.of(
                TinyGguf.writeLora(folder.resolve("one.gguf"), 1), TinyGguf.writeLora(folder.resolve("two.gguf"), 2));
        model = TestLlama.load()
                .loadModel(
                        TinyGguf.write(folder),
                        new ModelOptions(0, false, "", adapters, GpuSplit.AUTO),
                        LoadListener.NONE);
    }

    @AfterAll
    static void free() {
        model.close();
    }

    /** Whether all slots have one KV cache. */
    boolean unified() {
        return false;
    }

    @Override
    protected ModelRunner open(int slots, int contextTokens, int batchTokens) {
        return new LlamaRunner(
                model.newContext(new ContextOptions(
                        unified() ? slots * contextTokens : contextTokens,
                        slots,
                        batchTokens,
                        batchTokens,
                        1,
                        1,
                        FlashAttention.AUTO,
                        KvType.F16,
                        KvType.F16,
                        unified())),
                model.info(),
                contextTokens,
                unified() ? null : gathering(slots, contextTokens, batchTokens));
    }

    private static ContextOptions gathering(int slots, int contextTokens, int batchTokens) {
        return new ContextOptions(
                contextTokens + batchTokens,
                slots + 1,
                batchTokens,
                batchTokens,
                1,
                1,
                FlashAttention.AUTO,
                KvType.F16,
                KvType.F16,
                true);
    }

    @Override
    protected List<AdapterSet> adapters() {
        return List.of(
                new AdapterSet(List.of(new AdapterSet.Use(0, 1))),
                new AdapterSet(List.of(new AdapterSet.Use(0, 0.5f), new AdapterSet.Use(1, 1))));
    }

    @Override
    protected TokenSampler greedy() {
        return LlamaRunner.sampler(model.newSampler(SamplerOptions.greedy()));
    }

    @Override
    protected TokenSampler failing() {
        return LlamaRunner.sampler(model.newSampler(SamplerOptions.builder()
                .grammar("root ::= \"a\"")
                .logitBias(Map.of(TinyGguf.FIRST_BYTE + 'a', Float.NEGATIVE_INFINITY))
                .build()));
    }

    @Override
    protected int[] prompt(int length, int number) {
        return new Random(number)
                .ints(length, TinyGguf.FIRST_BYTE, TinyGguf.SPACE)
                .toArray();
    }

    @Test
    void closesTheContextWithIt() {
        LlamaModel own =
                TestLlama.load().loadModel(folder.resolve("tiny.gguf"), new ModelOptions(0, false), LoadListener.NONE);
        ModelRunner runner = new LlamaRunner(
                own.newContext(
                        new ContextOptions(64, 1, 16, 16, 1, 1, FlashAttention.AUTO, KvType.F16, KvType.F16, false)),
                own.info(),
                64,
                null);
        assertThatThrownBy(own::close).isInstanceOf(IllegalStateException.class);

        runner.close();

        own.close();
        assertThat(own.info().vocabSize()).isEqualTo(TinyGguf.VOCAB_SIZE);
    }
}
