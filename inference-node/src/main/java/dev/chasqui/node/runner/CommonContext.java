package dev.chasqui.node.runner;

import dev.chasqui.llama.ContextOptions;
import dev.chasqui.llama.DecodeBatch;
import dev.chasqui.llama.DecodeStatus;
import dev.chasqui.llama.LlamaContext;
import dev.chasqui.llama.LlamaException;
import dev.chasqui.node.engine.AdapterSet;
import dev.chasqui.node.engine.Batch;
import org.jspecify.annotations.Nullable;

/**
 * A context beside a runner's own, with one KV cache for all of its sequences. What several slots hold alike stands in it once,
 * and what comes behind it is computed as one piece, as large as llama.cpp's attention on CPUs wants its pieces. The slots then
 * take what is theirs. It is made when it is first needed. All but {@link #abort} is called by the engine's thread.
 */
final class CommonContext implements AutoCloseable {
    /** The sequence that holds what all begin with; those of the slots have the next numbers. */
    private static final int BEGINNING = 0;

    private final LlamaContext slots;
    private final ContextOptions options;
    private final Object abortLock = new Object();
    private @Nullable LlamaContext context;
    private @Nullable Adapted adapted;
    private int[] beginning = {};
    private AdapterSet beginningAdapters = AdapterSet.NONE;
    private boolean impossible;

    CommonContext(LlamaContext slots, ContextOptions options) {
        this.slots = slots;
        this.options = options;
    }

    /** Whether there is reason to ask it for anything. */
    boolean possible() {
        return !impossible;
    }

    /** What computed the last batch that {@link #decode} did not refuse. */
    @Nullable
    LlamaContext context() {
        return context;
    }

    /**
     * Computes a batch of slots that hold the same; where it is done, they hold what was computed too. Rows are numbered as in
     * the batch.
     *
     * @return null where this cannot be done here just now, and nothing has changed
     */
    @Nullable
    DecodeStatus decode(Batch batch) {
        try {
            LlamaContext common = open();
            if (common == null || adapted == null || !fits(batch) || !hold(common, batch)) {
                return null;
            }
            adapted.to(batch.adapters());
            int count = fill(common, batch);
            DecodeStatus status = common.decode();
            hand(common, batch, count, status == DecodeStatus.OK);
            return status == DecodeStatus.NO_KV_SPACE ? null : status;
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** Makes the decode that is running end soon. Any thread. */
    void abort() {
        synchronized (abortLock) {
            if (context != null) {
                context.abort();
            }
        }
    }

    /** Lets decodes run again. */
    void clearAbort() {
        if (context != null) {
            context.clearAbort();
        }
    }

    /** Frees it; it is made anew when it is needed again. */
    @Override
    public void close() {
        synchronized (abortLock) {
            if (context != null) {
                context.close();
                context = null;
                adapted = null;
                beginning = new int[0];
            }
        }
    }

    private @Nullable LlamaContext open() {
        if (context == null && !impossible) {
            try {
                LlamaContext made = slots.newBeside(options);
                synchronized (abortLock) {
                    context = made;
                }
                adapted = new Adapted(made);
            } catch (LlamaException e) {
                impossible = true; // Without it all is computed as well, only later.
            }
        }
        return context;
    }

    private boolean fits(Batch batch) {
        int sequences = 1; // the beginning's
        for (int row = 0; row < batch.size(); row++) {
            sequences += first(batch, row) ? 1 : 0;
        }
        return batch.alike() + batch.size() <= options.contextPerSequence()
                && batch.size() <= options.batchTokens()
                && sequences <= options.maxSequences();
    }

    /** Brings over what all begin with, unless it is there already. */
    private boolean hold(LlamaContext common, Batch batch) {
        if (batch.beginsWith(beginning) && beginningAdapters.equals(batch.adapters())) {
            return true;
        }
        beginning = new int[0];
        if (!common.takeSequence(BEGINNING, slots, batch.slot(0))) {
            return false;
        }
        beginning = batch.beginning();
        beginningAdapters = batch.adapters();
        return true;
    }

    /** Fills its batch, each slot's rows as a sequence that begins with what all begin with; returns how many these are. */
    private static int fill(LlamaContext common, Batch batch) {
        DecodeBatch target = common.batch();
        target.clear();
        int sequence = BEGINNING;
        for (int row = 0; row < batch.size(); row++) {
            if (first(batch, row)) {
                common.copySequence(BEGINNING, ++sequence);
            }
            target.add(batch.token(row), batch.position(row), sequence, batch.output(row));
        }
        return sequence - BEGINNING;
    }

    /** Gives each slot its sequence, where that was computed, and forgets these. */
    private void hand(LlamaContext common, Batch batch, int count, boolean computed) {
        for (int row = 0, sequence = BEGINNING; row < batch.size() && computed; row++) {
            if (first(batch, row) && !slots.takeSequence(batch.slot(row), common, ++sequence)) {
                throw new IllegalStateException(
                        "slot " + batch.slot(row) + " has no room for what was computed for it");
            }
        }
        for (int sequence = BEGINNING + 1; sequence <= BEGINNING + count; sequence++) {
            common.clear(sequence);
        }
    }

    private static boolean first(Batch batch, int row) {
        return row == 0 || batch.slot(row) != batch.slot(row - 1);
    }
}
