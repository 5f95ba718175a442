package dev.chasqui.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.jna.NativeLibrary;
import dev.chasqui.llama.LlamaException.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class LlamaContextTest {
    private static final int[] PROMPT = {1, 50, 51, 52, 53, 54, 55};

    @SuppressWarnings("NullAway.Init")
    private static LlamaModel model;

    @BeforeAll
    static void load() {
        model = Tiny.model();
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @Test
    void repeatsItself() {
        int[] first;
        try (LlamaContext context = model.newContext(Tiny.contextOptions(1));
                Sampler sampler = model.newSampler(SamplerOptions.greedy())) {
            assertThat(context.contextPerSequence()).isGreaterThanOrEqualTo(256);
            assertThat(context.batchTokens()).isEqualTo(128);
            first = Tiny.generate(context, sampler, 0, 20, PROMPT);
            context.clear(0);
            assertThat(context.maxPosition(0)).isEqualTo(-1);
            assertThat(Tiny.generate(context, sampler, 0, 20, PROMPT)).isEqualTo(first);
        }
        try (LlamaContext context = model.newContext(Tiny.contextOptions(3));
                Sampler sampler = model.newSampler(SamplerOptions.greedy())) {
            Tiny.decode(context, 0, 9, 8, 7);
            assertThat(Tiny.generate(context, sampler, 2, 20, PROMPT)).isEqualTo(first);
        }
    }

    /** 512 MB of KV cache, of which two tokens are used. */
    @Test
    void takesMemoryByItsUse() throws IOException {
        ContextOptions options =
                new ContextOptions(8192, 4, 128, 64, 1, 1, FlashAttention.AUTO, KvType.F32, KvType.F32, false);
        try (LlamaModel deep = Tiny.model(TinyGguf.Options.DEFAULT.withSilentLayers(62))) {
            long before = residentBytes();
            try (LlamaContext context = deep.newContext(options);
                    Sampler sampler = deep.newSampler(SamplerOptions.greedy())) {
                assertThat(Tiny.generate(context, sampler, 3, 1, 9)).hasSize(1);
                assertThat(residentBytes() - before).isLessThan(128L << 20);
            }
        }
    }

    private static long residentBytes() throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
            return lines.filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
                    .sum();
        }
    }

    /** Else whatever else runs on the machine stops an answer: see {@code barrier.cpp}. */
    @Test
    void threadsThatWaitForEachOtherLetOthersCompute() {
        ContextOptions options =
                new ContextOptions(256, 1, 128, 64, 2, 2, FlashAttention.AUTO, KvType.F32, KvType.F32, false);
        try (LlamaContext context = model.newContext(options)) {
            Tiny.decode(context, 0, PROMPT);
        }
        assertThat(NativeLibrary.getProcess().getFunction("cq_barrier_used").invokeInt(new Object[0]))
                .isEqualTo(1);
    }

    /** Two threads share out tiles or parts of the cells, as {@code attention.cpp} and {@code attend.cpp} do; one has all. */
    @Test
    void attentionIsTheSameHoweverManyThreadsShareIt() {
        ContextOptions options = attentive(1, FlashAttention.ON, KvType.F16);
        float[][] one = inPieces(options, 64, 96, 140, 30);
        for (int threads : new int[] {2, 3, 7}) {
            assertThat(inPieces(attentive(threads, FlashAttention.ON, KvType.F16), 64, 96, 140, 30))
                    .isDeepEqualTo(one);
        }
        assertThat(attention("cq_attention_used")).isEqualTo(1);
    }

    /** So an answer is the same whatever else the machine is asked at the time. */
    @ParameterizedTest
    @EnumSource(
            value = KvType.class,
            names = {"F16", "BF16", "F32"})
    void aTokenIsTheSameToTheBitHoweverAndWhereverItsPromptCame(KvType type) {
        assumeTrue(
                attention("cq_attention_exact") == 1, "this processor has no AVX-512, so ggml's own attention is used");
        ContextOptions options = attentive(2, FlashAttention.ON, type);
        float[] atOnce = inPieces(options, LENGTH)[0];
        int[] oneByOne = IntStream.range(0, LENGTH).map(i -> 1).toArray();
        int[][] ways = {
            oneByOne, {64, 96, 140, LENGTH - 300}, {LENGTH - 9, 1, 8}, {250, 3, LENGTH - 253}, {LENGTH - 70, 63, 7}
        };
        for (int[] pieces : ways) {
            float[][] seen = inPieces(options, pieces);
            assertThat(seen[seen.length - 1]).as("in %d pieces", pieces.length).isEqualTo(atOnce);
        }
        assertThat(besideOthers(options)).isEqualTo(atOnce);
        assertThat(amongOthers(type)).isEqualTo(atOnce);
        float[] slow = inPieces(attentive(2, FlashAttention.OFF, type), LENGTH)[0];
        assertThat(atOnce).containsExactly(slow, within(type == KvType.F32 ? 1e-3f : 0.02f));
    }

    private static final int LENGTH = 600;

    private static int attention(String function) {
        return NativeLibrary.getProcess().getFunction(function).invokeInt(new Object[0]);
    }

    private static ContextOptions attentive(int threads, FlashAttention flash, KvType type) {
        return new ContextOptions(1024, 2, LENGTH, LENGTH, threads, threads, flash, type, type, false);
    }

    private static int attentiveToken(int position) {
        return 3 + position * 7 % 40;
    }

    /** What is expected behind each piece. */
    private static float[][] inPieces(ContextOptions options, int... pieces) {
        try (LlamaContext context = model.newContext(options)) {
            float[][] behind = new float[pieces.length][];
            int from = 0;
            for (int i = 0; i < pieces.length; i++) {
                behind[i] = distribution(context, take(context, from, pieces[i], false));
                from += pieces[i];
            }
            return behind;
        }
    }

    /** The last token of one sequence in a step with one of another. */
    private static float[] besideOthers(ContextOptions options) {
        try (LlamaContext context = model.newContext(options)) {
            take(context, 0, LENGTH - 1, true);
            return distribution(context, take(context, LENGTH - 1, 1, true));
        }
    }

    /** In a cache that others share, who come and go, so that cells lie in no order. */
    private static float[] amongOthers(KvType type) {
        ContextOptions common = new ContextOptions(900, 4, 256, 256, 2, 2, FlashAttention.ON, type, type, true);
        Random random = new Random(3);
        int[] others = new int[4];
        try (LlamaContext context = model.newContext(common)) {
            DecodeBatch batch = context.batch();
            int row = -1;
            for (int at = 0; at < LENGTH; ) {
                batch.clear();
                for (int other = 1; other < 4; other++) {
                    if (others[other] > 60) {
                        context.clear(other);
                        others[other] = 0;
                    }
                    for (int i = random.nextInt(20); i > 0; i--) {
                        batch.add(3 + random.nextInt(200), others[other]++, other, false);
                    }
                }
                for (int end = Math.min(LENGTH, at + 1 + random.nextInt(12)); at < end; at++) {
                    row = batch.add(attentiveToken(at), at, 0, at == LENGTH - 1);
                }
                assertThat(context.decode()).isEqualTo(DecodeStatus.OK);
            }
            return distribution(context, row);
        }
    }

    private static int take(LlamaContext context, int from, int count, boolean withOther) {
        DecodeBatch batch = context.batch();
        batch.clear();
        int row = -1;
        for (int at = from; at < from + count; at++) {
            row = batch.add(attentiveToken(at), at, 0, at == from + count - 1);
        }
        if (withOther) batch.add(9, from == 0 ? 0 : 1, 1, false);
        assertThat(context.decode()).isEqualTo(DecodeStatus.OK);
        return row;
    }

    @Test
    void computesSequencesTogetherAsAlone() {
        int[] sequences = {0, 1, 2, 3};
        float[][] alone = new float[4][];
        try (LlamaContext context = model.newContext(Tiny.contextOptions(4))) {
            for (int s : sequences) {
                alone[s] = distribution(context, Tiny.decode(context, s, 1, 20 + s, 30 + s));
                context.clear(s);
            }
            DecodeBatch batch = context.batch();
            batch.clear();
            int[] rows = new int[4];
            for (int s : sequences) {
                batch.add(1, 0, s, false);
                batch.add(20 + s, 1, s, false);
                rows[s] = batch.add(30 + s, 2, s, true);
            }
            assertThat(context.decode()).isEqualTo(DecodeStatus.OK);
            for (int s : sequences) {
                assertThat(distribution(context, rows[s])).containsExactly(alone[s], within(1e-3f));
            }
        }
    }

    private static float[] distribution(LlamaContext context, int row) {
        float[] values = new float[TinyGguf.VOCAB_SIZE];
        for (int token = 0; token < values.length; token++) {
            values[token] = context.logprobs(row, token, 0).logprob();
        }
        return values;
    }

    @Test
    void logprobsAreADistribution() {
        try (LlamaContext context = model.newContext(Tiny.contextOptions(1))) {
            int row = Tiny.decode(context, 0, PROMPT);
            float[] all = distribution(context, row);
            double sum = 0;
            for (float value : all) {
                sum += Math.exp(value);
            }
            assertThat(sum).isCloseTo(1, within(1e-4));
            Logprobs top = context.logprobs(row, 5, 20);
            assertThat(top.topTokens()).hasSize(20);
            for (int i = 0; i < 20; i++) {
                assertThat(top.topLogprobs()[i]).isEqualTo(all[top.topTokens()[i]]);
            }
            float[] sorted = all.clone();
            Arrays.sort(sorted);
            assertThat(top.topLogprobs()[0]).isEqualTo(sorted[sorted.length - 1]);
            assertThat(top.topLogprobs()[19]).isEqualTo(sorted[sorted.length - 20]);
            assertThat(top.logprob()).isEqualTo(all[5]);
        }
    }

    @Test
    void refusesWhatWouldCrash() {
        try (LlamaContext context = model.newContext(Tiny.contextOptions(2));
                Sampler sampler = model.newSampler(SamplerOptions.greedy());
                Sampler other = model.newSampler(SamplerOptions.greedy())) {
            DecodeBatch batch = context.batch();
            assertInvalid(context::decode);
            assertInvalid(() -> batch.add(-1, 0, 0, true));
            assertInvalid(() -> batch.add(TinyGguf.VOCAB_SIZE, 0, 0, true));
            assertInvalid(() -> batch.add(1, -1, 0, true));
            assertInvalid(() -> batch.add(1, 0, 2, true));
            batch.add(1, 5, 0, true);
            batch.add(1, 9, 0, true);
            assertInvalid(context::decode);
            batch.clear();
            for (int i = 0; i < 128; i++) {
                batch.add(1, i, 0, i == 127);
            }
            assertInvalid(() -> batch.add(1, 128, 0, true));
            assertThat(context.decode()).isEqualTo(DecodeStatus.OK);
            int[] out = new int[2];
            Sampler[] two = {sampler, other};
            context.sample(2, two, new int[] {0, 127}, out); // the first row has no output
            assertThat(out[0]).isEqualTo(-1);
            assertThat(out[1]).isNotNegative();
            assertThat(sampler.failure()).isNotNull().hasMessageContaining("row: 0");
            assertThat(other.failure()).isNull();
            assertThatThrownBy(() -> context.sample(2, new Sampler[] {sampler, sampler}, new int[] {127, 127}, out))
                    .isInstanceOf(IllegalStateException.class);
            assertInvalid(() -> context.sample(3, two, new int[2], out));
            for (int bad : new int[] {-1, 128, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
                assertInvalid(() -> context.logprobs(bad, 1, 1));
            }
            assertInvalid(() -> context.logprobs(127, -1, 1));
            assertInvalid(() -> context.logprobs(127, 1, 101));
            assertInvalid(() -> context.removeTail(2, 0));
            assertInvalid(() -> context.removeTail(0, -1));
            assertInvalid(() -> context.copySequence(0, -1));
            assertInvalid(() -> context.clear(7));
            assertInvalid(() -> context.maxPosition(-1));
            assertInvalid(() -> context.saveSequence(9));
            try (SequenceState tooShort = state(new byte[] {1, 2, 3});
                    SequenceState zeros = state(new byte[4096])) {
                assertInvalid(() -> context.restoreSequence(0, tooShort));
                assertInvalid(() -> context.restoreSequence(0, zeros));
            }
        }
    }

    private static void assertInvalid(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        LlamaException.class, e -> assertThat(e.reason()).isEqualTo(Reason.INVALID_REQUEST));
    }

    @Test
    void refusesOptionsOutOfRange() {
        assertInvalid(() -> new ContextOptions(0, 1, 8, 8, 1, 1, FlashAttention.AUTO, KvType.F16, KvType.F16, false));
        assertInvalid(() -> new ContextOptions(8, 9, 8, 8, 1, 1, FlashAttention.AUTO, KvType.F16, KvType.F16, false));
        ContextOptions huge =
                new ContextOptions(1 << 20, 256, 512, 512, 1, 1, FlashAttention.AUTO, KvType.F16, KvType.F16, false);
        assertThatThrownBy(() -> model.newContext(huge))
                .isInstanceOfSatisfying(
                        LlamaException.class, e -> assertThat(e.reason()).isEqualTo(Reason.OUT_OF_MEMORY))
                .hasMessageContaining("GiB");
        ContextOptions odd =
                new ContextOptions(64, 1, 64, 64, 1, 1, FlashAttention.OFF, KvType.Q8_0, KvType.Q8_0, false);
        assertInvalid(() -> model.newContext(odd));
    }

    @Test
    void saysWhenThereIsNoRoom() {
        try (LlamaContext context = model.newContext(Tiny.contextOptions(1))) {
            int[] tokens = new int[128];
            Arrays.fill(tokens, 40);
            Tiny.decode(context, 0, tokens);
            Tiny.decode(context, 0, tokens);
            DecodeBatch batch = context.batch();
            batch.clear();
            batch.add(1, 256, 0, true);
            assertThat(context.decode()).isEqualTo(DecodeStatus.NO_KV_SPACE);
            assertThat(context.maxPosition(0)).isEqualTo(255);
            assertThat(context.removeTail(0, 100)).isTrue();
            Tiny.decode(context, 0, 7);
            assertThat(context.maxPosition(0)).isEqualTo(100);
        }
    }

    @Test
    void abortsFromAnotherThread() throws InterruptedException {
        try (LlamaModel deep = Tiny.model(TinyGguf.Options.DEFAULT.withLayers(64))) {
            ContextOptions options =
                    new ContextOptions(2048, 1, 2048, 2048, 1, 1, FlashAttention.AUTO, KvType.F32, KvType.F32, false);
            try (LlamaContext context = deep.newContext(options)) {
                for (int i = 0; i < 2048; i++) {
                    context.batch().add(10 + i % 100, i, 0, i == 2047);
                }
                AtomicReference<DecodeStatus> status = new AtomicReference<>();
                Thread owner = new Thread(() -> status.set(context.decode()));
                owner.start();
                awaitDecode(owner);
                context.abort();
                owner.join();
                assertThat(status.get()).isEqualTo(DecodeStatus.ABORTED);
                assertThat(context.maxPosition(0)).isEqualTo(-1);
                context.clearAbort();
                Tiny.decode(context, 0, PROMPT);
                assertThat(context.maxPosition(0)).isEqualTo(PROMPT.length - 1);
            }
        }
    }

    private static void awaitDecode(Thread owner) throws InterruptedException {
        while (owner.isAlive()
                && Arrays.stream(owner.getStackTrace())
                        .noneMatch(frame -> frame.getMethodName().equals("cq_decode"))) {
            Thread.sleep(1);
        }
    }

    @Test
    void refusesASecondThread() throws InterruptedException {
        ContextOptions options =
                new ContextOptions(2048, 1, 2048, 2048, 1, 1, FlashAttention.AUTO, KvType.F32, KvType.F32, false);
        try (LlamaModel deep = Tiny.model(TinyGguf.Options.DEFAULT.withLayers(64));
                LlamaContext context = deep.newContext(options)) {
            for (int i = 0; i < 2048; i++) {
                context.batch().add(10, i, 0, i == 2047);
            }
            Thread owner = new Thread(context::decode);
            owner.start();
            awaitDecode(owner); // which takes seconds
            assertThatThrownBy(() -> context.maxPosition(0))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("in use by another thread");
            assertThatThrownBy(context::close).isInstanceOf(IllegalStateException.class);
            context.abort();
            owner.join();
        }
    }

    /** Of 256 tokens of context, few or most are used: they are copied in different ways. */
    @ParameterizedTest
    @CsvSource({"7, false", "150, false", "7, true", "150, true"})
    void copiesSequences(int length, boolean unified) {
        ContextOptions options =
                new ContextOptions(256, 3, 256, 256, 2, 1, FlashAttention.AUTO, KvType.F16, KvType.F16, unified);
        int[] prompt = prompt(length);
        try (LlamaContext context = model.newContext(options)) {
            float[] expected = distribution(context, Tiny.decode(context, 0, prompt));
            Tiny.decode(context, 1, 3, 3, 3, 3, 3, 3, 3, 3, 3);
            context.copySequence(0, 1);
            assertThat(context.maxPosition(1)).isEqualTo(length - 1);
            assertThat(context.removeTail(1, length - 1)).isTrue();
            int row = Tiny.decode(context, 1, prompt[length - 1]);
            assertThat(distribution(context, row)).containsExactly(expected, within(0.02f));
            assertThat(context.maxPosition(0)).isEqualTo(length - 1);
        }
    }

    /** A copy that moves with the next decode is neither lost nor read too soon. */
    @Test
    void copiesACopy() {
        int[] prompt = prompt(150);
        ContextOptions options =
                new ContextOptions(256, 3, 256, 256, 2, 1, FlashAttention.AUTO, KvType.F16, KvType.F16, false);
        try (LlamaContext context = model.newContext(options)) {
            float[] expected = distribution(context, Tiny.decode(context, 0, prompt));
            context.copySequence(0, 1);
            assertThat(context.removeTail(1, 7)).isTrue();
            context.copySequence(1, 2);
            assertThat(context.removeTail(2, 6)).isTrue();
            int row = Tiny.decode(context, 2, Arrays.copyOfRange(prompt, 6, 150));
            assertThat(distribution(context, row)).containsExactly(expected, within(0.02f));
        }
    }

    /** With one KV stream for all sequences or one for each, a sequence's cells are framed differently. */
    @ParameterizedTest
    @CsvSource({"false, true", "true, false", "false, false", "true, true"})
    void takesASequenceFromAContextBesideIt(boolean unified, boolean otherUnified) {
        int[] prompt = prompt(70);
        ContextOptions options =
                new ContextOptions(256, 3, 256, 256, 2, 1, FlashAttention.AUTO, KvType.F16, KvType.F16, unified);
        ContextOptions others =
                new ContextOptions(512, 5, 256, 256, 2, 1, FlashAttention.AUTO, KvType.F16, KvType.F16, otherUnified);
        try (LlamaContext context = model.newContext(options);
                LlamaContext other = context.newBeside(others)) {
            float[] expected = distribution(context, Tiny.decode(context, 1, prompt));
            Tiny.decode(context, 2, prompt(9));
            Tiny.decode(other, 4, 3, 3, 3);

            assertThat(other.takeSequence(4, context, 1)).isTrue();
            assertThat(other.maxPosition(4)).isEqualTo(69);
            assertThat(context.maxPosition(1)).isEqualTo(69);
            assertThat(other.removeTail(4, 69)).isTrue();
            assertThat(distribution(other, Tiny.decode(other, 4, prompt[69]))).containsExactly(expected, within(0.02f));

            assertThat(context.takeSequence(2, other, 4)).isTrue();
            assertThat(context.removeTail(2, 69)).isTrue();
            assertThat(distribution(context, Tiny.decode(context, 2, prompt[69])))
                    .containsExactly(expected, within(0.02f));

            assertThat(context.takeSequence(2, other, 0)).isTrue();
            assertThat(context.maxPosition(2)).isEqualTo(-1);
        }
    }

    @Test
    void takesNoSequenceThatItHasNoRoomFor() {
        ContextOptions small =
                new ContextOptions(256, 2, 256, 256, 1, 1, FlashAttention.AUTO, KvType.F16, KvType.F16, false);
        ContextOptions large =
                new ContextOptions(512, 1, 512, 512, 1, 1, FlashAttention.AUTO, KvType.F16, KvType.F16, false);
        try (LlamaContext context = model.newContext(small);
                LlamaContext other = context.newBeside(large)) {
            Tiny.decode(context, 1, prompt(9));
            Tiny.decode(other, 0, prompt(300));

            assertThat(context.takeSequence(1, other, 0)).isFalse();
            assertThat(context.maxPosition(1)).isEqualTo(-1);
            assertInvalid(() -> context.takeSequence(1, context, 0));
        }
    }

    private static int[] prompt(int length) {
        int[] prompt = new int[length];
        Arrays.setAll(prompt, i -> 40 + i % 60);
        prompt[0] = 1;
        return prompt;
    }

    @Test
    void savesAndRestoresASequence() {
        try (LlamaContext context = model.newContext(Tiny.contextOptions(2));
                Sampler sampler = model.newSampler(SamplerOptions.greedy())) {
            Tiny.decode(context, 0, PROMPT);
            SequenceState state = context.saveSequence(0);
            assertThat(state.bytes()).isEqualTo(context.stateBytes(0));
            int[] first = Tiny.generate(context, sampler, 0, 8, 60);
            assertThat(context.restoreSequence(1, state)).isTrue();
            assertThat(Tiny.generate(context, sampler, 1, 8, 60)).isEqualTo(first);
            SequenceState damaged = state(state.memory().getByteArray(0, (int) state.bytes() / 2));
            assertInvalid(() -> context.restoreSequence(1, damaged));
            damaged.close();
            assertThat(context.maxPosition(1)).isEqualTo(-1);
            Tiny.decode(context, 0, Arrays.copyOfRange(prompt(110), 10, 110));
            Tiny.decode(context, 0, Arrays.copyOfRange(prompt(110), 10, 110));
            context.copySequence(0, 1);
            assertInvalid(() -> context.saveSequence(1));
            state.close();
            state.close();
            assertThatIllegalStateException().isThrownBy(() -> context.restoreSequence(1, state));
        }
    }

    @Test
    void restoresNothingWhereOthersHaveTheRoom() {
        ContextOptions options =
                new ContextOptions(256, 2, 256, 256, 1, 1, FlashAttention.AUTO, KvType.F16, KvType.F16, true);
        try (LlamaContext context = model.newContext(options)) {
            Tiny.decode(context, 0, prompt(150));
            SequenceState state = context.saveSequence(0);
            context.clear(0);
            Tiny.decode(context, 1, prompt(150));

            assertThat(context.restoreSequence(0, state)).isFalse();
            assertThat(context.maxPosition(0)).isEqualTo(-1);
            context.clear(1);
            assertThat(context.restoreSequence(0, state)).isTrue();
            assertThat(context.maxPosition(0)).isEqualTo(149);
            state.close();
        }
    }

    private static SequenceState state(byte[] bytes) {
        SequenceState state = new SequenceState(bytes.length);
        state.memory().write(0, bytes, 0, bytes.length);
        return state;
    }
}
