package dev.chasqui.llama;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The loaded libraries, and tiny models in a folder of the build. */
final class Tiny {
    static final Path HOME = Path.of(System.getProperty("chasqui.test.home"));
    static final Llama LLAMA = Llama.load(HOME.resolve("native"));

    private static int files;

    private Tiny() {}

    static LlamaModel model() {
        return model(TinyGguf.Options.DEFAULT);
    }

    static LlamaModel model(TinyGguf.Options options) {
        return load(write(options));
    }

    static LlamaModel load(Path file) {
        return LLAMA.loadModel(file, new ModelOptions(0, true), LoadListener.NONE);
    }

    static synchronized Path write(TinyGguf.Options options) {
        try {
            Path folder = Files.createDirectories(
                    HOME.resolve("tiny-" + ProcessHandle.current().pid()));
            Path file = folder.resolve("model-" + files++ + ".gguf");
            file.toFile().deleteOnExit();
            folder.toFile().deleteOnExit();
            return TinyGguf.write(file, options);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static ContextOptions contextOptions(int sequences) {
        return new ContextOptions(256, sequences, 128, 64, 1, 1, FlashAttention.AUTO, KvType.F32, KvType.F32, false);
    }

    /** Adds tokens to a sequence and computes them; gives the last one's row. */
    static int decode(LlamaContext context, int sequence, int... tokens) {
        DecodeBatch batch = context.batch();
        batch.clear();
        int row = 0;
        int position = context.maxPosition(sequence) + 1;
        for (int i = 0; i < tokens.length; i++) {
            row = batch.add(tokens[i], position + i, sequence, i == tokens.length - 1);
        }
        if (context.decode() != DecodeStatus.OK) {
            throw new IllegalStateException("not decoded");
        }
        return row;
    }

    static int sample(LlamaContext context, Sampler sampler, int row) {
        int[] out = new int[1];
        context.sample(1, new Sampler[] {sampler}, new int[] {row}, out);
        return out[0];
    }

    /** An answer up to its end, which must come within some tokens. */
    static byte[] answer(LlamaModel model, SamplerOptions options, int limit) {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        try (LlamaContext context = model.newContext(contextOptions(1));
                Sampler sampler = model.newSampler(options)) {
            int row = decode(context, 0, 1, 2, 3);
            for (int i = 0; i < limit; i++) {
                int token = sample(context, sampler, row);
                if (model.vocabulary().isEndOfGeneration(token)) {
                    return text.toByteArray();
                }
                text.writeBytes(model.vocabulary().piece(token, false));
                row = decode(context, 0, token);
            }
        }
        throw new IllegalStateException("no end of the answer");
    }

    /** Some tokens of an answer. */
    static int[] generate(LlamaContext context, Sampler sampler, int sequence, int count, int... prompt) {
        int[] answer = new int[count];
        int row = decode(context, sequence, prompt);
        for (int i = 0; i < count; i++) {
            answer[i] = sample(context, sampler, row);
            row = decode(context, sequence, answer[i]);
        }
        return answer;
    }
}
