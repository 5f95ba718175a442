package dev.chasqui.node.engine;

import java.util.Arrays;

/**
 * The tokens of one step, those of one slot side by side and slots in rising order: with a KV stream per slot, llama.cpp
 * computes neighbouring slots together and splits the batch at every gap.
 */
public final class Batch {
    private int size;
    private int[] tokens = new int[64];
    private int[] positions = new int[64];
    private int[] slots = new int[64];
    private boolean[] outputs = new boolean[64];
    private AdapterSet adapters = AdapterSet.NONE;
    private int[] beginning = {};
    private int alike;

    Batch() {}

    void clear(AdapterSet set) {
        size = 0;
        adapters = set;
        alike = 0;
    }

    /** All of its slots hold just these first {@code length} tokens. */
    void alike(int[] sequence, int length) {
        beginning = sequence;
        alike = length;
    }

    /** Adds a token and returns its row. */
    int add(int token, int position, int slot, boolean output) {
        if (size == tokens.length) {
            int capacity = size * 2;
            tokens = Arrays.copyOf(tokens, capacity);
            positions = Arrays.copyOf(positions, capacity);
            slots = Arrays.copyOf(slots, capacity);
            outputs = Arrays.copyOf(outputs, capacity);
        }
        tokens[size] = token;
        positions[size] = position;
        slots[size] = slot;
        outputs[size] = output;
        return size++;
    }

    /** What its time depends on. */
    StepSize stepSize() {
        if (alike > 0) {
            return StepSize.piece(size, alike);
        }
        StepSize sum = StepSize.NOTHING;
        int first = 0;
        for (int row = 1; row <= size; row++) {
            if (row == size || slots[row] != slots[first]) {
                sum = sum.with(row - first, positions[first]);
                first = row;
            }
        }
        return sum;
    }

    /** How many rows there are. */
    public int size() {
        return size;
    }

    /** What all of it is to be computed with. */
    public AdapterSet adapters() {
        return adapters;
    }

    /**
     * So many tokens each of its slots holds, no more, and the same in all of them: a runner that gathers may compute its rows as one piece behind
     * them. 0: they have nothing in common that counts.
     */
    public int alike() {
        return alike;
    }

    /** Whether these are the tokens that its slots hold {@link #alike}. */
    public boolean beginsWith(int[] held) {
        return Arrays.equals(held, 0, held.length, beginning, 0, alike);
    }

    /** The tokens that its slots hold {@link #alike}. */
    public int[] beginning() {
        return Arrays.copyOf(beginning, alike);
    }

    public int token(int row) {
        return tokens[row];
    }

    /** The token's place in its sequence, from 0. */
    public int position(int row) {
        return positions[row];
    }

    public int slot(int row) {
        return slots[row];
    }

    /** Whether the next token is to be chosen from this row. */
    public boolean output(int row) {
        return outputs[row];
    }
}
