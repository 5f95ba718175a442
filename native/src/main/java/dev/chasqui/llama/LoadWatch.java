package dev.chasqui.llama;

import java.nio.ByteBuffer;

/** Tells a listener, from a thread of its own, how far a load is, and tells the load when to end. */
final class LoadWatch implements AutoCloseable {
    private static final long INTERVAL_MILLIS = 50;

    private final ByteBuffer shared;
    private final LoadListener listener;
    private final Thread thread;

    private LoadWatch(ByteBuffer shared, LoadListener listener) {
        this.shared = shared;
        this.listener = listener;
        this.thread = new Thread(this::poll, "llama-load-progress");
        thread.setDaemon(true);
    }

    static LoadWatch start(ByteBuffer shared, LoadListener listener) {
        LoadWatch watch = new LoadWatch(shared, listener);
        watch.thread.start();
        return watch;
    }

    private void poll() {
        try {
            while (tell()) {
                Thread.sleep(INTERVAL_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // the load is over
        }
    }

    private boolean tell() {
        boolean goOn = listener.onProgress(shared.getFloat(0));
        if (!goOn) {
            shared.putInt(4, 1);
        }
        return goOn;
    }

    @Override
    public void close() {
        thread.interrupt();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
