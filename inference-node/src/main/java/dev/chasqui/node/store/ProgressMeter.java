package dev.chasqui.node.store;

import dev.chasqui.node.store.PullProgress.State;
import java.util.function.Consumer;

/**
 * Turns what a download's thread does into a few reports a second. Written by that thread; {@link #progress()} may be
 * called by any.
 */
final class ProgressMeter {
    private static final long REPORT_NANOS = 250_000_000L;
    private static final long RATE_NANOS = 1_000_000_000L;
    /** Share of the newest second in the rate that is shown. */
    private static final double FRESH = 0.4;

    private final Consumer<PullProgress> listener;
    private volatile PullProgress progress;
    private long lastReport = System.nanoTime() - REPORT_NANOS;
    private long rateSince;
    private long rateFrom = -1;
    private double rate;
    private long doneBefore;
    private int partsLeft = 1;
    private long partBytes;

    ProgressMeter(String model, Consumer<PullProgress> listener) {
        this.listener = listener;
        progress = new PullProgress(State.CONNECTING, model, "", 0, 0, 0);
    }

    PullProgress progress() {
        return progress;
    }

    /** Another source begins. */
    void source(String source) {
        rate = 0;
        rateFrom = -1;
        doneBefore = 0;
        partBytes = 0;
        progress = new PullProgress(State.CONNECTING, progress.model(), source, 0, 0, 0);
        report();
    }

    /** The part with this number, from 0, of so many begins. */
    void part(int number, int count) {
        doneBefore = number == 0 ? 0 : doneBefore + partBytes;
        partsLeft = count - number;
        partBytes = 0;
        rateFrom = -1;
    }

    void state(State state) {
        if (progress.state() != state) {
            progress = new PullProgress(
                    state,
                    progress.model(),
                    progress.source(),
                    progress.bytesDone(),
                    progress.bytesTotal(),
                    state == State.DOWNLOADING ? rate : 0);
            report();
        }
    }

    /** Bytes of the present part; a total of 0 is an unknown one. The parts to come are taken to be as large. */
    void bytes(long done, long total) {
        long now = System.nanoTime();
        partBytes = done;
        measure(now, done);
        boolean began = progress.state() != State.DOWNLOADING;
        progress = new PullProgress(
                State.DOWNLOADING,
                progress.model(),
                progress.source(),
                doneBefore + done,
                total == 0 ? 0 : doneBefore + total * partsLeft,
                rate);
        if (began || now - lastReport >= REPORT_NANOS) {
            report();
        }
    }

    private void measure(long now, long done) {
        if (rateFrom < 0 || done < rateFrom) {
            rateFrom = done;
            rateSince = now;
        } else if (now - rateSince >= RATE_NANOS) {
            double fresh = (done - rateFrom) * 1e9 / (now - rateSince);
            rate = rate == 0 ? fresh : FRESH * fresh + (1 - FRESH) * rate;
            rateFrom = done;
            rateSince = now;
        }
    }

    private void report() {
        lastReport = System.nanoTime();
        listener.accept(progress);
    }
}
