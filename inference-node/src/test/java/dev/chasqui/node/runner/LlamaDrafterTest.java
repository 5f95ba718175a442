package dev.chasqui.node.runner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.chasqui.llama.ContextOptions;
import dev.chasqui.llama.DecodeBatch;
import dev.chasqui.llama.FlashAttention;
import dev.chasqui.llama.KvType;
import dev.chasqui.llama.LlamaContext;
import dev.chasqui.llama.LlamaException;
import dev.chasqui.llama.LlamaModel;
import dev.chasqui.llama.LoadListener;
import dev.chasqui.llama.ModelOptions;
import dev.chasqui.llama.TinyGguf;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real small model that guesses. */
final class LlamaDrafterTest {
    private static final ContextOptions OPTIONS =
            new ContextOptions(256, 1, 16, 16, 1, 1, FlashAttention.AUTO, KvType.F16, KvType.F16, false);

    @TempDir
    static Path folder;

    private static LlamaModel target;

    private LlamaDrafter drafter;

    @BeforeAll
    static void load() {
        target = model(TinyGguf.Options.DEFAULT);
    }

    @AfterAll
    static void free() {
        target.close();
    }

    @BeforeEach
    void open() {
        drafter = LlamaDrafter.open(model(TinyGguf.Options.DEFAULT), target, OPTIONS, 0);
    }

    @AfterEach
    void close() {
        drafter.close();
    }

    @Test
    void takesInALongPromptInParts() {
        int[] prompt = prompt(40);
        int[] guesses = new int[4];

        assertThat(drafter.guess(prompt, 40, 4, guesses)).isEqualTo(-1);
        assertThat(drafter.guess(prompt, 40, 4, guesses)).isEqualTo(-1);
        assertThat(drafter.guess(prompt, 40, 4, guesses)).isBetween(0, 4);
    }

    @Test
    void guessesTheSameWhateverItHadTakenInBefore() {
        int[] prompt = prompt(12);
        int[] fresh = guess(prompt);
        int[] other = prompt.clone();
        other[5]++;
        guess(other);
        int[] longer = Arrays.copyOf(prompt, 15);
        guess(longer);

        assertThat(guess(prompt)).isEqualTo(fresh);
    }

    @Test
    void guessesWhatTheModelWouldSay() {
        int[] prompt = prompt(12);
        int[] said = new int[8];
        try (LlamaContext context = target.newContext(OPTIONS)) {
            int[] next = prompt;
            int from = 0;
            for (int i = 0; i < said.length; i++) {
                DecodeBatch batch = context.batch();
                batch.clear();
                int row = 0;
                for (int token : next) {
                    row = batch.add(token, from++, 0, from == prompt.length + i);
                }
                context.decode();
                said[i] = context.logprobs(row, 0, 1).topTokens()[0];
                next = new int[] {said[i]};
            }
        }

        assertThat(guess(prompt)).isEqualTo(said);
    }

    @Test
    void guessesNothingThatItIsNotSureOf() {
        try (LlamaDrafter unsure = LlamaDrafter.open(model(TinyGguf.Options.DEFAULT), target, OPTIONS, 0.999)) {
            assertThat(unsure.guess(prompt(12), 12, 8, new int[8])).isZero();
        }
    }

    @Test
    void refusesAnotherVocabulary() {
        LlamaModel other = model(TinyGguf.Options.DEFAULT.withKind(TinyGguf.Kind.EMBEDDER));

        assertThatThrownBy(() -> LlamaDrafter.open(other, target, OPTIONS, 0))
                .isInstanceOf(LlamaException.class)
                .hasMessageStartingWith("it cannot guess");
    }

    private int[] guess(int[] prompt) {
        int[] guesses = new int[8];
        int count;
        do {
            count = drafter.guess(prompt, prompt.length, guesses.length, guesses);
        } while (count < 0);
        return Arrays.copyOf(guesses, count);
    }

    private static int[] prompt(int length) {
        return new Random(3).ints(length, TinyGguf.FIRST_BYTE, TinyGguf.SPACE).toArray();
    }

    private static LlamaModel model(TinyGguf.Options options) {
        return TestLlama.load()
                .loadModel(
                        TinyGguf.write(folder.resolve("m" + System.nanoTime() + ".gguf"), options),
                        new ModelOptions(0, false),
                        LoadListener.NONE);
    }
}
