package dev.chasqui.node.runner;

import dev.chasqui.llama.DecodeBatch;
import dev.chasqui.llama.LlamaContext;
import dev.chasqui.llama.Logprobs;
import dev.chasqui.llama.ModelInfo;
import dev.chasqui.llama.Sampler;
import dev.chasqui.llama.SequenceState;
import dev.chasqui.node.engine.AdapterSet;
import dev.chasqui.node.engine.Batch;
import dev.chasqui.node.engine.ModelRunner;
import dev.chasqui.node.engine.TokenLogprob;
import dev.chasqui.node.engine.TokenSampler;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A llama.cpp context as the engine's runner; closing it closes the context. */
public final class LlamaRunner implements ModelRunner {
    private final LlamaContext context;
    private final boolean cutsTails;
    private final int contextTokens;
    private final Sampler[] samplers;
    private final Object abortLock = new Object();

    /** Slots that a copy read or wrote since the last decode: llama.cpp carries copies out with the next one. */
    private final BitSet copied = new BitSet();

    private AdapterSet adapters = AdapterSet.NONE;
    private boolean closed;

    /**
     * @param info of the context's model
     * @param mostTokens that one sequence may have, where the context would let it have more
     */
    public LlamaRunner(LlamaContext context, ModelInfo info, int mostTokens) {
        this.context = context;
        this.contextTokens = Math.min(mostTokens, context.contextPerSequence());
        this.cutsTails = !info.recurrent() && !info.hybrid();
        this.samplers = new Sampler[context.maxSequences()];
    }

    /** A sampler as the engine's thread takes it. */
    public static TokenSampler sampler(Sampler sampler) {
        return new LlamaSampler(sampler);
    }

    @Override
    public int slots() {
        return context.maxSequences();
    }

    @Override
    public int contextTokens() {
        return contextTokens;
    }

    @Override
    public long kvTokens() {
        return context.kvTokens();
    }

    @Override
    public int batchTokens() {
        return context.batchTokens();
    }

    @Override
    public void rest() {
        context.rest();
    }

    @Override
    public Outcome decode(Batch batch) {
        DecodeBatch target = context.batch();
        target.clear();
        for (int row = 0; row < batch.size(); row++) {
            target.add(batch.token(row), batch.position(row), batch.slot(row), batch.output(row));
        }
        setAdapters(batch.adapters());
        copied.clear();
        return switch (context.decode()) {
            case OK -> Outcome.DONE;
            case NO_KV_SPACE -> Outcome.NO_SPACE;
            case ABORTED -> {
                context.clearAbort();
                yield Outcome.INTERRUPTED;
            }
        };
    }

    private void setAdapters(AdapterSet wanted) {
        if (wanted.equals(adapters)) {
            return;
        }
        int count = wanted.uses().size();
        int[] numbers = new int[count];
        float[] scales = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = wanted.uses().get(i).adapter();
            scales[i] = wanted.uses().get(i).scale();
        }
        context.setAdapters(numbers, scales);
        adapters = wanted;
    }

    @Override
    public void interrupt() {
        synchronized (abortLock) {
            if (!closed) {
                context.abort();
            }
        }
    }

    @Override
    public void sample(int count, TokenSampler[] tokenSamplers, int[] rows, int[] tokens) {
        for (int i = 0; i < count; i++) {
            samplers[i] = ((LlamaSampler) tokenSamplers[i]).sampler();
        }
        context.sample(count, samplers, rows, tokens);
    }

    @Override
    public TokenLogprob logprob(int row, int token, int top) {
        Logprobs logprobs = context.logprobs(row, token, top);
        List<TokenLogprob.Candidate> candidates = new ArrayList<>(logprobs.topTokens().length);
        for (int i = 0; i < logprobs.topTokens().length; i++) {
            candidates.add(new TokenLogprob.Candidate(logprobs.topTokens()[i], logprobs.topLogprobs()[i]));
        }
        return new TokenLogprob(token, logprobs.logprob(), candidates);
    }

    @Override
    public int truncate(int slot, int length) {
        int held = length(slot);
        if (held <= length) {
            return held;
        }
        if (length > 0 && context.removeTail(slot, length)) {
            return length;
        }
        context.clear(slot);
        return 0;
    }

    @Override
    public int length(int slot) {
        return context.maxPosition(slot) + 1;
    }

    @Override
    public boolean cutsTails() {
        return cutsTails;
    }

    @Override
    public void copy(int from, int to) {
        context.copySequence(from, to);
        copied.set(from);
        copied.set(to);
    }

    @Override
    public @Nullable SavedSlot save(int slot, long mostBytes) {
        return copied.get(slot) || context.stateBytes(slot) > mostBytes
                ? null
                : new LlamaSavedSlot(context.saveSequence(slot));
    }

    @Override
    public boolean restore(int slot, SavedSlot saved) {
        if (copied.get(slot)) {
            context.clear(slot);
            return false;
        }
        return context.restoreSequence(slot, ((LlamaSavedSlot) saved).state());
    }

    @Override
    public void close() {
        synchronized (abortLock) {
            closed = true;
        }
        context.close();
    }

    private record LlamaSavedSlot(SequenceState state) implements SavedSlot {
        @Override
        public long bytes() {
            return state.bytes();
        }

        @Override
        public void close() {
            state.close();
        }
    }

    private record LlamaSampler(Sampler sampler) implements TokenSampler {
        @Override
        public float learnt() {
            return sampler.mu();
        }

        @Override
        public void close() {
            sampler.close();
        }
    }
}
