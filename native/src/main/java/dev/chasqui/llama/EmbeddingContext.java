package dev.chasqui.llama;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Turns texts into vectors, or pairs of texts into scores, with memory and threads of its own beside the contexts that
 * generate. Owned by the thread that opened it, whose priority falls; except for {@link #abort}.
 */
public final class EmbeddingContext implements AutoCloseable {
    private final ExclusiveHandle handle;
    private final SharedHandle model;
    private final AbortFlag abortFlag;
    private final int mostTokens;
    private final int width;

    private EmbeddingContext(SharedHandle model, long address, AbortFlag abortFlag, int[] limits) {
        this.model = model;
        this.handle = new ExclusiveHandle("embedding context", address);
        this.abortFlag = abortFlag;
        this.mostTokens = limits[0];
        this.width = limits[1];
    }

    static EmbeddingContext open(SharedHandle model, long modelAddress, int context, int threads, boolean ranks) {
        Check.range("context", context, 1, 16 << 20);
        Check.range("threads", threads, 1, 512);
        AbortFlag abortFlag = new AbortFlag();
        long[] error = new long[1];
        long address = Shim.cq_embedder_new(modelAddress, context, threads, ranks ? 1 : 0, abortFlag.address(), error);
        if (address == 0) {
            throw Shim.failure(error);
        }
        int[] limits = new int[2];
        if (Shim.cq_embedder_limits(address, limits, error) != 0) {
            Shim.cq_embedder_free(address);
            throw Shim.failure(error);
        }
        return new EmbeddingContext(model, address, abortFlag, limits);
    }

    /** Most tokens of one text. */
    public int mostTokens() {
        return mostTokens;
    }

    /**
     * Computes a vector of length 1 for each text, or its score where this context ranks.
     *
     * @param texts each of 1 to {@link #mostTokens} tokens
     * @param threads how many compute, at most those that it was opened with
     * @return null where it was aborted
     * @throws LlamaException INVALID_REQUEST, DECODE_FAILED
     */
    public float @Nullable [][] embed(List<int[]> texts, Pooling pooling, int threads) {
        int[] lengths = texts.stream().mapToInt(text -> text.length).toArray();
        int[] tokens = texts.stream().flatMapToInt(Arrays::stream).toArray();
        float[] out = new float[Math.multiplyExact(texts.size(), width)];
        long[] error = new long[1];
        int status;
        long address = handle.enter();
        try {
            status = Shim.cq_embed(
                    address, tokens, lengths, lengths.length, pooling.ordinal() + 1, threads, out, out.length, error);
        } finally {
            handle.exit();
        }
        if (status < 0) {
            throw Shim.failure(error);
        }
        return status == 0 ? rows(out) : null;
    }

    private float[][] rows(float[] values) {
        float[][] rows = new float[values.length / width][];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = Arrays.copyOfRange(values, i * width, (i + 1) * width);
        }
        return rows;
    }

    /** Makes the computing that runs now, or else the next one, end soon. Any thread, at any time. */
    public void abort() {
        abortFlag.set(true);
    }

    /** Lets it compute again after an {@link #abort}. */
    public void clearAbort() {
        abortFlag.set(false);
    }

    /** Frees its memory and its threads; does nothing the second time. */
    @Override
    public void close() {
        if (handle.close()) {
            Shim.cq_embedder_free(handle.address());
            model.release();
        }
    }
}
