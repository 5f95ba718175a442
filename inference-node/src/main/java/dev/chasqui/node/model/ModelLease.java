package dev.chasqui.node.model;

import java.util.concurrent.atomic.AtomicBoolean;

/** The right to use a model: as long as it is held, the model stays in memory. */
public final class ModelLease implements AutoCloseable {
    private final LoadedModel model;
    private final Runnable onRelease;
    private final AtomicBoolean released = new AtomicBoolean();

    ModelLease(LoadedModel model, Runnable onRelease) {
        this.model = model;
        this.onRelease = onRelease;
    }

    public LoadedModel model() {
        return model;
    }

    /** From now on the model stays for so long after its last use, until somebody says otherwise. */
    public void keep(KeepAlive keepAlive) {
        model.keepAlive(keepAlive);
    }

    /** Gives it back; does nothing the second time. */
    @Override
    public void close() {
        if (released.compareAndSet(false, true)) {
            model.release();
            onRelease.run();
        }
    }
}
