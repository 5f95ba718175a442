package dev.chasqui.llama;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;

/** What a context knows of one sequence, saved outside the Java heap. Not for two threads at once. */
public final class SequenceState implements AutoCloseable {
    private final Memory memory;
    private boolean closed;

    SequenceState(long bytes) {
        memory = new Memory(Math.max(1, bytes));
    }

    /** Its size. */
    public long bytes() {
        return memory.size();
    }

    Memory memory() {
        if (closed) {
            throw new IllegalStateException("the saved sequence is closed");
        }
        return memory;
    }

    long address() {
        return Pointer.nativeValue(memory());
    }

    /** Frees it; does nothing the second time. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            memory.close();
        }
    }
}
