package dev.chasqui.llama;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * Measures sampling and decoding on a real model, by hand:
 *
 * <pre>{@code
 * mvn -pl native test-compile exec:exec@bench -Dbench.model=MODEL.gguf [-Dbench.threads=2]
 * }</pre>
 */
public final class NativeBench {
    private static final int ROUNDS = 200;
    private static final int STEPS = 64;
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private NativeBench() {}

    public static void main(String[] args) {
        Llama llama = Llama.load(Path.of(args[0]));
        int threads = Integer.parseInt(args[2]);
        System.out.println(llama.version() + ", " + threads + " threads, " + llama.systemInfo());
        try (LlamaModel model = llama.loadModel(Path.of(args[1]), new ModelOptions(0, true), LoadListener.NONE)) {
            System.out.println(
                    model.info().description() + ", vocabulary " + model.info().vocabSize());
            sampling(model, threads);
            for (int sequences : new int[] {1, 8, 32}) {
                decoding(model, sequences, threads);
            }
        }
    }

    private static ContextOptions options(int sequences, int threads) {
        return new ContextOptions(
                512, sequences, 512, 512, threads, threads, FlashAttention.AUTO, KvType.F16, KvType.F16, false);
    }

    private static void sampling(LlamaModel model, int threads) {
        SamplerOptions.Builder plain =
                SamplerOptions.builder().topK(0).topP(1).minP(0).seed(1);
        Map<String, SamplerOptions> kinds = new LinkedHashMap<>();
        kinds.put("greedy", SamplerOptions.greedy());
        kinds.put(
                "defaults (top-k 40, top-p 0.95, min-p 0.05)",
                SamplerOptions.builder().seed(1).build());
        kinds.put("top-k 40", plain.topK(40).build());
        kinds.put(
                "top-k 40 and penalties",
                plain.repeatPenalty(1.1f).frequencyPenalty(0.1f).build());
        kinds.put(
                "penalties, defaults",
                SamplerOptions.builder().repeatPenalty(1.1f).build());
        plain.repeatPenalty(1).frequencyPenalty(0).topK(0);
        kinds.put("top-p 0.95 only", plain.topP(0.95f).build());
        kinds.put("min-p 0.05 only", plain.topP(1).minP(0.05f).build());
        kinds.put("temperature only", plain.minP(0).build());
        int rows = 32;
        try (LlamaContext context = model.newContext(options(rows, threads))) {
            prefill(model, context, rows);
            for (Map.Entry<String, SamplerOptions> kind : kinds.entrySet()) {
                System.out.printf(
                        Locale.ROOT,
                        "sample() %-45s %7.1f us a token; llama.cpp's chain %7.1f us%n",
                        kind.getKey(),
                        microseconds(model, context, kind.getValue(), rows, false),
                        microseconds(model, context, kind.getValue(), rows, true));
            }
        }
    }

    private static double microseconds(
            LlamaModel model, LlamaContext context, SamplerOptions options, int rows, boolean chain) {
        Sampler[] samplers = new Sampler[rows];
        int[] at = new int[rows];
        for (int i = 0; i < rows; i++) {
            samplers[i] = model.newSampler(options, chain);
            at[i] = i;
        }
        int[] tokens = new int[rows];
        double best = Double.MAX_VALUE;
        for (int part = 0; part < 5; part++) {
            long start = THREADS.getCurrentThreadCpuTime(); // so that other programs count less
            int rounds = chain ? ROUNDS / 10 : ROUNDS;
            for (int round = 0; round < rounds; round++) {
                context.sample(rows, samplers, at, tokens);
            }
            best = Math.min(best, (THREADS.getCurrentThreadCpuTime() - start) / 1e3 / rounds / rows);
        }
        Arrays.stream(samplers).forEach(Sampler::close);
        return best;
    }

    /** One token of each sequence, after some that differ. */
    private static void prefill(LlamaModel model, LlamaContext context, int sequences) {
        DecodeBatch batch = context.batch();
        for (int sequence = 0; sequence < sequences; sequence++) {
            int[] prompt = model.vocabulary().tokenize("The number " + sequence + " is", true, false);
            for (int i = 0; i < prompt.length - 1; i++) {
                batch.add(prompt[i], i, sequence, false);
            }
        }
        context.decode();
        batch.clear();
        for (int sequence = 0; sequence < sequences; sequence++) {
            int[] prompt = model.vocabulary().tokenize("The number " + sequence + " is", true, false);
            batch.add(prompt[prompt.length - 1], prompt.length - 1, sequence, true);
        }
        context.decode();
    }

    private static void decoding(LlamaModel model, int sequences, int threads) {
        Sampler[] samplers = new Sampler[sequences];
        int[] rows = new int[sequences];
        int[] tokens = new int[sequences];
        for (int i = 0; i < sequences; i++) {
            samplers[i] = model.newSampler(
                    SamplerOptions.builder().seed(i).ignoreEos(true).build());
            rows[i] = i;
        }
        try (LlamaContext context = model.newContext(options(sequences, threads))) {
            prefill(model, context, sequences);
            long start = 0;
            for (int step = -8; step < STEPS; step++) {
                if (step == 0) {
                    start = System.nanoTime();
                }
                context.sample(sequences, samplers, rows, tokens);
                DecodeBatch batch = context.batch();
                batch.clear();
                for (int i = 0; i < sequences; i++) {
                    batch.add(tokens[i], context.maxPosition(i) + 1, i, true);
                }
                context.decode();
            }
            double seconds = (System.nanoTime() - start) / 1e9;
            System.out.printf(
                    Locale.ROOT, "decode %2d sequences: %7.1f tokens/s%n", sequences, STEPS * sequences / seconds);
        }
        Arrays.stream(samplers).forEach(Sampler::close);
    }
}
