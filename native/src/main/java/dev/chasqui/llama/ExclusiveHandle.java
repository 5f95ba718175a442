package dev.chasqui.llama;

import java.util.concurrent.atomic.AtomicInteger;

/** The address of a native object that one thread at a time may use; a breach is an exception instead of a crash. */
final class ExclusiveHandle {
    private static final int FREE = 0;
    private static final int BUSY = 1;
    private static final int CLOSED = 2;

    private final String what;
    private final long address;
    private final AtomicInteger state = new AtomicInteger();

    ExclusiveHandle(String what, long address) {
        this.what = what;
        this.address = address;
    }

    /** The address, until {@link #exit}. */
    long enter() {
        if (!state.compareAndSet(FREE, BUSY)) {
            throw refusal();
        }
        return address;
    }

    void exit() {
        state.setRelease(FREE);
    }

    /** Whether the caller must free the object now; false when that is done. */
    boolean close() {
        if (state.compareAndSet(FREE, CLOSED)) {
            return true;
        }
        if (state.get() == CLOSED) {
            return false;
        }
        throw refusal();
    }

    /** The object's address, for the one who frees it. */
    long address() {
        return address;
    }

    private IllegalStateException refusal() {
        return new IllegalStateException(
                state.get() == CLOSED ? what + " is closed" : what + " is in use by another thread");
    }
}
