package dev.chasqui.llama;

import java.util.Arrays;
import java.util.function.LongToIntFunction;

/**
 * The memory of some sequences and the threads that compute them. Owned by one thread, except for {@link #abort()}; a call
 * while another thread is inside throws {@link IllegalStateException}.
 */
public final class LlamaContext implements AutoCloseable {
    private final ExclusiveHandle handle;
    private final SharedHandle model;
    private final AbortFlag abortFlag;
    private final DecodeBatch batch;
    private final int contextPerSequence;
    private final int maxSequences;
    private final long kvTokens;
    private final int outputRows;
    private final long[] error = new long[1];
    private long[] samplerAddresses = new long[0];

    private LlamaContext(SharedHandle model, long address, AbortFlag abortFlag, int[] limits, boolean unified) {
        this.model = model;
        this.handle = new ExclusiveHandle("context", address);
        this.abortFlag = abortFlag;
        this.contextPerSequence = limits[0];
        this.maxSequences = limits[1];
        this.kvTokens = unified ? limits[0] : (long) limits[0] * limits[1];
        this.batch = new DecodeBatch(limits[2], limits[1], limits[3]);
        this.outputRows = limits[4];
    }

    /** @param beside the address of a context whose threads it shares; 0: it has its own */
    static LlamaContext open(SharedHandle model, long modelAddress, ContextOptions options, long beside) {
        AbortFlag abortFlag = new AbortFlag();
        int[] values = options.values();
        long[] error = new long[1];
        long address = Shim.cq_context_new(modelAddress, values, values.length, abortFlag.address(), beside, error);
        if (address == 0) {
            throw Shim.failure(error);
        }
        int[] limits = new int[5];
        if (Shim.cq_context_limits(address, limits, error) != 0) {
            Shim.cq_context_free(address);
            throw Shim.failure(error);
        }
        model.retain();
        return new LlamaContext(model, address, abortFlag, limits, options.unifiedKv());
    }

    /**
     * Makes another context of the same model, with memory of its own, that this one's threads compute for. One thread owns
     * both, and the new one is closed first.
     *
     * @throws LlamaException as {@link LlamaModel#newContext}
     */
    public LlamaContext newBeside(ContextOptions options) {
        long address = handle.enter();
        try {
            long modelAddress = model.enter();
            try {
                return open(model, modelAddress, options, address);
            } finally {
                model.exit();
            }
        } finally {
            handle.exit();
        }
    }

    /** Tokens that one sequence may have; llama.cpp may round what was asked for up. */
    public int contextPerSequence() {
        return contextPerSequence;
    }

    public int maxSequences() {
        return maxSequences;
    }

    /** Tokens that all sequences together may have. */
    public long kvTokens() {
        return kvTokens;
    }

    public int batchTokens() {
        return batch.capacity();
    }

    /** Most rows of a batch that may have an output, at least one for each sequence. */
    public int outputRows() {
        return outputRows;
    }

    /** The batch that {@link #decode()} computes; the same object each time. */
    public DecodeBatch batch() {
        return batch;
    }

    /**
     * Computes the batch, which stays as it is. On a CPU an {@link #abort()} ends it within a few milliseconds.
     *
     * @throws LlamaException DECODE_FAILED; INVALID_REQUEST for an empty batch or positions that do not follow on
     */
    public DecodeStatus decode() {
        int result = asked(address -> Shim.cq_decode(address, batch.address(), batch.capacity(), batch.size(), error));
        return result == 0 ? DecodeStatus.OK : result == 1 ? DecodeStatus.NO_KV_SPACE : DecodeStatus.ABORTED;
    }

    /**
     * Lets its threads sleep until the next decode. They else look out for it for some milliseconds, each of which keeps a core
     * from whoever has work to do.
     */
    public void rest() {
        long address = handle.enter();
        try {
            Shim.cq_context_rest(address);
        } finally {
            handle.exit();
        }
    }

    /**
     * Computes with these adapters from now on, and no others. Switching costs some milliseconds at the next decode. What
     * sequences remember was computed with those of then, and is not changed.
     *
     * @param adapters places in {@link ModelOptions#adapters}, each once
     * @param scales how strongly each works: 1 as it was trained, any finite number
     * @throws LlamaException INVALID_REQUEST for one that there is not, or a scale that is no number
     */
    public void setAdapters(int[] adapters, float[] scales) {
        Check.range("scales", scales.length, adapters.length, adapters.length);
        asked(address -> Shim.cq_context_set_adapters(address, adapters, scales, adapters.length, error));
    }

    /** Makes the decode that runs now, or else the next one, end soon. Any thread, at any time. */
    public void abort() {
        abortFlag.set(true);
    }

    /** Lets decodes run again after an {@link #abort()}. */
    public void clearAbort() {
        abortFlag.set(false);
    }

    /**
     * Chooses a token for each of some rows of the last decode, in one native call; each sampler then knows its token. Where
     * one fails (a grammar that no token fits), its token is -1 and {@link Sampler#failure()} says why; the others are not
     * concerned.
     *
     * @param count how many entries of the arrays count
     * @param samplers each at most once
     * @param rows as {@link DecodeBatch#add} returned them, with output
     * @param tokensOut receives the tokens
     */
    public void sample(int count, Sampler[] samplers, int[] rows, int[] tokensOut) {
        if (count < 0 || count > samplers.length || count > rows.length || count > tokensOut.length) {
            throw Check.invalid("count", count, "0 to the arrays' length");
        }
        if (samplerAddresses.length < count) {
            samplerAddresses = new long[count];
        }
        long address = handle.enter();
        int entered = 0;
        try {
            while (entered < count) {
                samplerAddresses[entered] = samplers[entered].handle().enter();
                entered++;
            }
            sampleEntered(address, count, samplers, rows, tokensOut);
        } finally {
            while (entered > 0) {
                samplers[--entered].handle().exit();
            }
            handle.exit();
        }
    }

    private void sampleEntered(long address, int count, Sampler[] samplers, int[] rows, int[] tokensOut) {
        if (Shim.cq_sample(address, count, samplerAddresses, rows, tokensOut, error) != 0) {
            throw Shim.failure(error);
        }
        for (int i = 0; i < count; i++) {
            samplers[i].setFailure(tokensOut[i] < 0 ? samplers[i].takeFailure(samplerAddresses[i]) : null);
        }
    }

    /**
     * The probabilities at a row of the last decode, before any sampling option changed them.
     *
     * @param token the token whose own probability is wanted
     * @param top how many of the likeliest tokens to name, 0 to 100
     */
    public Logprobs logprobs(int row, int token, int top) {
        Check.range("top", top, 0, 100);
        int[] ids = new int[top];
        float[] values = new float[top + 1];
        long address = handle.enter();
        try {
            int found = Shim.cq_logprobs(address, row, token, top, ids, values, error);
            if (found < 0) {
                throw Shim.failure(error);
            }
            return new Logprobs(values[0], Arrays.copyOf(ids, found), Arrays.copyOfRange(values, 1, found + 1));
        } finally {
            handle.exit();
        }
    }

    /**
     * Forgets a sequence's tokens from a position on.
     *
     * @return false where the model's memory cannot do that (a recurrent state); then nothing changed
     */
    public boolean removeTail(int sequence, int fromPosition) {
        return asked(address -> Shim.cq_memory_remove_tail(address, sequence, fromPosition, error)) == 1;
    }

    /** Forgets a sequence. */
    public void clear(int sequence) {
        asked(address -> Shim.cq_memory_clear(address, sequence, error));
    }

    /**
     * Makes one sequence equal to another, all of it; what {@code to} had is forgotten.
     *
     * @return false where the next decode does that first; until then neither can be saved, restored or taken
     */
    public boolean copySequence(int from, int to) {
        return asked(address -> Shim.cq_memory_copy(address, from, to, error)) == 1;
    }

    /**
     * Gives a sequence what one of another context of the same model has; what it had before is forgotten.
     *
     * @return false when there is no room for it; the sequence is then empty
     * @throws LlamaException INVALID_REQUEST where the model's memory is not one cache of cells (sliding windows, recurrent
     *     states), or a sequence was copied, or copied from, since the last decode
     */
    public boolean takeSequence(int sequence, LlamaContext other, int from) {
        if (other == this) {
            throw Check.invalid("other", "this context", "another one");
        }
        long otherAddress = other.handle.enter();
        try {
            return asked(address -> Shim.cq_memory_take(address, sequence, otherAddress, from, error)) == 1;
        } finally {
            other.handle.exit();
        }
    }

    /** The position of a sequence's last token; -1 where it has none. */
    public int maxPosition(int sequence) {
        long address = handle.enter();
        try {
            int position = Shim.cq_memory_max_position(address, sequence, error);
            if (position < -1) {
                throw Shim.failure(error);
            }
            return position;
        } finally {
            handle.exit();
        }
    }

    /** Bytes that {@link #saveSequence} would take for a sequence as it is. */
    public long stateBytes(int sequence) {
        long address = handle.enter();
        try {
            long size = Shim.cq_state_size(address, sequence, error);
            if (size < 0) {
                throw Shim.failure(error);
            }
            return size;
        } finally {
            handle.exit();
        }
    }

    /**
     * All that the context knows of a sequence, to go on with it later.
     *
     * @throws LlamaException INVALID_REQUEST for a sequence that was copied, or copied from, since the last decode
     */
    public SequenceState saveSequence(int sequence) {
        SequenceState state = new SequenceState(stateBytes(sequence));
        long address = handle.enter();
        try {
            long written = Shim.cq_state_save(address, sequence, state.address(), state.bytes(), error);
            if (written < 0) {
                state.close();
                throw Shim.failure(error);
            }
            return state;
        } finally {
            handle.exit();
        }
    }

    /**
     * Gives a sequence a state that {@link #saveSequence} returned, from a context of the same model and options.
     *
     * @return false when there is no room for it; the sequence is then empty
     * @throws LlamaException INVALID_REQUEST when the bytes are no such state, or the sequence was copied, or copied from, since
     *     the last decode
     */
    public boolean restoreSequence(int sequence, SequenceState state) {
        return asked(address -> Shim.cq_state_restore(address, sequence, state.address(), state.bytes(), error)) == 1;
    }

    /** What the shim returns, called as the one who is inside; what is below 0 is a failure. */
    private int asked(LongToIntFunction call) {
        long address = handle.enter();
        try {
            int result = call.applyAsInt(address);
            if (result < 0) {
                throw Shim.failure(error);
            }
            return result;
        } finally {
            handle.exit();
        }
    }

    /** Frees the context and its threads; does nothing the second time. */
    @Override
    public void close() {
        if (handle.close()) {
            Shim.cq_context_free(handle.address());
            model.release();
        }
    }
}
