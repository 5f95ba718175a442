package dev.chasqui.node.runner;

import dev.chasqui.llama.ContextOptions;
import dev.chasqui.llama.DecodeBatch;
import dev.chasqui.llama.DecodeStatus;
import dev.chasqui.llama.LlamaContext;
import dev.chasqui.llama.LlamaException;
import dev.chasqui.llama.Logprobs;
import dev.chasqui.llama.ModelInfo;
import dev.chasqui.llama.Sampler;
import dev.chasqui.llama.SequenceState;
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
    private final Adapted adapted;
    private final @Nullable CommonContext common;
    private final boolean cutsTails;
    private final int contextTokens;
    private final Sampler[] samplers;
    private final Object abortLock = new Object();

    /** Slots that a copy read or wrote since the last decode: llama.cpp carries copies out with the next one. */
    private final BitSet copied = new BitSet();

    /** What the last decode's rows are of. */
    private LlamaContext computed;

    private boolean closed;

    /**
     * @param info of the context's model
     * @param mostTokens that one sequence may have, where the context would let it have more
     * @param common of a second context, with one cache for all sequences, for slots that begin alike; null: there is none
     */
    public LlamaRunner(LlamaContext context, ModelInfo info, int mostTokens, @Nullable ContextOptions common) {
        this.context = context;
        this.computed = context;
        this.adapted = new Adapted(context);
        this.common = common == null ? null : new CommonContext(context, common);
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
    public int outputRows() {
        return context.outputRows();
    }

    @Override
    public void rest() {
        context.rest();
    }

    @Override
    public Outcome decode(Batch batch) {
        DecodeStatus status = batch.alike() > 0 ? decodeTogether(batch) : null;
        return switch (status == null ? decodeBySlot(batch) : status) {
            case OK -> Outcome.DONE;
            case NO_KV_SPACE -> Outcome.NO_SPACE;
            case ABORTED -> {
                clearAbort();
                yield Outcome.INTERRUPTED;
            }
        };
    }

    /** Null where that cannot be. */
    private @Nullable DecodeStatus decodeTogether(Batch batch) {
        if (common == null || moves(batch)) {
            return null;
        }
        DecodeStatus status = common.decode(batch);
        LlamaContext by = common.context();
        if (status != null && by != null) {
            computed = by;
        }
        return status;
    }

    /** Whether what one of its slots holds gets there only with the next decode. */
    private boolean moves(Batch batch) {
        for (int row = 0; row < batch.size(); row++) {
            if (copied.get(batch.slot(row))) {
                return true;
            }
        }
        return false;
    }

    private DecodeStatus decodeBySlot(Batch batch) {
        DecodeBatch target = context.batch();
        target.clear();
        for (int row = 0; row < batch.size(); row++) {
            target.add(batch.token(row), batch.position(row), batch.slot(row), batch.output(row));
        }
        adapted.to(batch.adapters());
        copied.clear();
        computed = context;
        return context.decode();
    }

    private void clearAbort() {
        context.clearAbort();
        if (common != null) {
            common.clearAbort();
        }
    }

    @Override
    public void interrupt() {
        synchronized (abortLock) {
            if (!closed) {
                context.abort();
                if (common != null) {
                    common.abort();
                }
            }
        }
    }

    @Override
    public void sample(int count, TokenSampler[] tokenSamplers, int[] rows, int[] tokens) {
        for (int i = 0; i < count; i++) {
            samplers[i] = ((LlamaSampler) tokenSamplers[i]).sampler();
        }
        computed.sample(count, samplers, rows, tokens);
    }

    @Override
    public TokenLogprob logprob(int row, int token, int top) {
        Logprobs logprobs = computed.logprobs(row, token, top);
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
    public boolean gathers() {
        return common != null && common.possible();
    }

    @Override
    public void copy(int from, int to) {
        if (!context.copySequence(from, to)) {
            copied.set(from);
            copied.set(to);
        }
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
        if (common != null) {
            common.close();
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
        public @Nullable String deadEnd() {
            LlamaException failure = sampler.failure();
            return failure != null && failure.reason() == LlamaException.Reason.INVALID_REQUEST
                    ? failure.getMessage()
                    : null;
        }

        @Override
        public void close() {
            sampler.close();
        }
    }
}
