package dev.chasqui.node.store;

/**
 * How far a download is.
 *
 * @param model the catalogue id or name of what is fetched
 * @param source as {@link ModelSource#text()} writes it; empty before the first is tried
 * @param bytesDone of {@code bytesTotal}
 * @param bytesTotal 0 where unknown
 * @param bytesPerSecond over the last seconds; 0 where unknown
 */
public record PullProgress(
        State state, String model, String source, long bytesDone, long bytesTotal, double bytesPerSecond) {

    /** Where a download stands. */
    public enum State {
        /** Another process fetches the same file; this one waits for it. */
        WAITING,
        /** Asking a source. */
        CONNECTING,
        /** Bytes arrive. */
        DOWNLOADING,
        /** The file is here and is being checked. */
        CHECKING,
        /** In the models folder. */
        DONE,
        /** Given up; the future says why. */
        FAILED
    }

    /** 0 to 1; 0 where the total is unknown. */
    public double fraction() {
        if (state == State.DONE) {
            return 1;
        }
        return bytesTotal <= 0 ? 0 : Math.min(1, (double) bytesDone / bytesTotal);
    }
}
