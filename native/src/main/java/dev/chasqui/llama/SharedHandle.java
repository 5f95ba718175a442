package dev.chasqui.llama;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.LongConsumer;

/** The address of a native object that many threads may use, and that lives until nothing made from it is left. */
final class SharedHandle {
    private final String what;
    private final long address;
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    private final AtomicInteger dependents = new AtomicInteger();
    private boolean closed;

    SharedHandle(String what, long address) {
        this.what = what;
        this.address = address;
    }

    /** The address, until {@link #exit} by the same thread. */
    long enter() {
        lock.readLock().lock();
        if (closed) {
            lock.readLock().unlock();
            throw new IllegalStateException(what + " is closed");
        }
        return address;
    }

    void exit() {
        lock.readLock().unlock();
    }

    /** Counts one more object that needs this one. Between {@link #enter} and {@link #exit}. */
    void retain() {
        dependents.incrementAndGet();
    }

    void release() {
        dependents.decrementAndGet();
    }

    /** Frees the object; does nothing the second time. */
    void close(LongConsumer free) {
        lock.writeLock().lock();
        try {
            if (closed) {
                return;
            }
            int count = dependents.get();
            if (count > 0) {
                throw new IllegalStateException(what + " is still needed by " + count + " open contexts or samplers");
            }
            closed = true;
            free.accept(address);
        } finally {
            lock.writeLock().unlock();
        }
    }
}
