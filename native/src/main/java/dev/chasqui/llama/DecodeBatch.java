package dev.chasqui.llama;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;

/**
 * Tokens to compute next, written straight into memory that the native side reads. Belongs to its context's thread, and keeps
 * its memory alive itself, so that use after the context was closed does no harm.
 */
public final class DecodeBatch {
    private final int capacity;
    private final int maxSequences;
    private final int vocabSize;
    private final ByteBuffer memory;
    private final IntBuffer tokens;
    private final IntBuffer positions;
    private final IntBuffer sequences;
    private final ByteBuffer outputs;
    private final long address;
    private int size;

    DecodeBatch(int capacity, int maxSequences, int vocabSize) {
        this.capacity = capacity;
        this.maxSequences = maxSequences;
        this.vocabSize = vocabSize;
        int ints = capacity * Integer.BYTES;
        memory = ByteBuffer.allocateDirect(3 * ints + capacity).order(ByteOrder.nativeOrder());
        tokens = memory.slice(0, ints).order(ByteOrder.nativeOrder()).asIntBuffer();
        positions = memory.slice(ints, ints).order(ByteOrder.nativeOrder()).asIntBuffer();
        sequences = memory.slice(2 * ints, ints).order(ByteOrder.nativeOrder()).asIntBuffer();
        outputs = memory.slice(3 * ints, capacity);
        address = Pointer.nativeValue(Native.getDirectBufferPointer(memory));
    }

    /** Empties the batch. */
    public void clear() {
        size = 0;
    }

    /**
     * Adds a token. Positions of a sequence go up by one from its {@link LlamaContext#maxPosition}.
     *
     * @param output whether logits are wanted at this token
     * @return the token's row, by which {@link LlamaContext#sample} and {@link LlamaContext#logprobs} name it
     * @throws LlamaException INVALID_REQUEST for a value out of range or a full batch
     */
    public int add(int token, int position, int sequence, boolean output) {
        if (size == capacity) {
            throw Check.invalid("batch", size + 1, "at most " + capacity + " tokens");
        }
        if (token < 0 || token >= vocabSize) {
            throw Check.invalid("token", token, "0 to " + (vocabSize - 1));
        }
        if (position < 0) {
            throw Check.invalid("position", position, "0 or more");
        }
        if (sequence < 0 || sequence >= maxSequences) {
            throw Check.invalid("sequence", sequence, "0 to " + (maxSequences - 1));
        }
        tokens.put(size, token);
        positions.put(size, position);
        sequences.put(size, sequence);
        outputs.put(size, output ? (byte) 1 : 0);
        return size++;
    }

    public int size() {
        return size;
    }

    int capacity() {
        return capacity;
    }

    long address() {
        return address;
    }
}
