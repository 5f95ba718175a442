package dev.chasqui.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** LoRA adapters of a real, tiny model. */
final class AdapterTest {
    private static final int[] PROMPT = {TinyGguf.BOS, 70, 90, 110, 77};

    @TempDir
    static Path folder;

    private static LlamaModel model;

    @BeforeAll
    static void load() {
        Path adapter = TinyGguf.writeLora(folder.resolve("one.gguf"), 5);
        model = Tiny.LLAMA.loadModel(
                TinyGguf.write(folder),
                new ModelOptions(0, true, "", List.of(adapter), GpuSplit.AUTO),
                LoadListener.NONE);
    }

    @AfterAll
    static void free() {
        model.close();
    }

    @Test
    void worksAsStronglyAsItIsToldTo() {
        try (LlamaContext context = model.newContext(Tiny.contextOptions(4))) {
            float plain = logprob(context, 0);
            context.setAdapters(new int[] {0}, new float[] {1});
            float one = logprob(context, 1);
            context.setAdapters(new int[] {0}, new float[] {-0.5f});
            float half = logprob(context, 2);
            context.setAdapters(new int[0], new float[0]);
            float again = logprob(context, 3);

            assertThat(one).isNotEqualTo(plain);
            assertThat(half).isNotEqualTo(plain).isNotEqualTo(one);
            assertThat(again).isEqualTo(plain);
        }
    }

    @Test
    void aScaleOfNothingChangesNothing() {
        try (LlamaContext context = model.newContext(Tiny.contextOptions(2))) {
            float plain = logprob(context, 0);
            context.setAdapters(new int[] {0}, new float[] {0});

            assertThat(logprob(context, 1)).isEqualTo(plain);
        }
    }

    @Test
    void refusesWhatThereIsNot() {
        try (LlamaContext context = model.newContext(Tiny.contextOptions(1))) {
            assertThatThrownBy(() -> context.setAdapters(new int[] {1}, new float[] {1}))
                    .isInstanceOf(LlamaException.class)
                    .hasMessage("adapter: 1 (expected: 0 to 0)");
            assertThatThrownBy(() -> context.setAdapters(new int[] {0, 0}, new float[] {1, 1}))
                    .hasMessage("adapters: 2 (expected: at most 1)");
            assertThatThrownBy(() -> context.setAdapters(new int[] {-1}, new float[] {1}))
                    .hasMessage("adapter: -1 (expected: 0 to 0)");
            assertThatThrownBy(() -> context.setAdapters(new int[] {0}, new float[] {Float.POSITIVE_INFINITY}))
                    .hasMessage("scale: no number (expected: a finite one)");
            assertThatThrownBy(() -> context.setAdapters(new int[] {0}, new float[0]))
                    .isInstanceOf(LlamaException.class);
        }
    }

    @Test
    void aFileThatIsNoAdapterFailsTheLoad() throws IOException {
        Path text = Files.writeString(folder.resolve("text.gguf"), "no adapter at all");
        Path other = TinyGguf.write(folder.resolve("other.gguf"), TinyGguf.Options.DEFAULT);
        for (Path file : List.of(text, other, folder.resolve("none.gguf"))) {
            assertThatThrownBy(() -> Tiny.LLAMA.loadModel(
                            folder.resolve("tiny.gguf"),
                            new ModelOptions(0, true, "", List.of(file), GpuSplit.AUTO),
                            LoadListener.NONE))
                    .isInstanceOf(LlamaException.class)
                    .hasMessageStartingWith("cannot load adapter " + file)
                    .extracting(e -> ((LlamaException) e).reason())
                    .isEqualTo(LlamaException.Reason.LOAD_FAILED);
        }
    }

    private static float logprob(LlamaContext context, int sequence) {
        int row = Tiny.decode(context, sequence, PROMPT);
        return context.logprobs(row, 100, 0).logprob();
    }
}
