package dev.chasqui.node.model;

/**
 * What is being done with a model.
 *
 * @param state where it stands
 * @param progress 0 to 1 within {@link State#DOWNLOADING} and {@link State#LOADING}
 * @param bytesDone of {@code bytesTotal}, while downloading; with {@link State#ABSENT} what an earlier fetch left
 * @param bytesTotal 0 where unknown
 * @param bytesPerSecond 0 where unknown
 * @param source where it comes from, while downloading
 * @param reason with {@link State#FAILED}: one sentence
 */
public record ModelActivity(
        State state,
        double progress,
        long bytesDone,
        long bytesTotal,
        double bytesPerSecond,
        String source,
        String reason) {
    /** Where a model stands. */
    public enum State {
        /** In the catalogue only. */
        ABSENT,
        /** Being fetched. */
        DOWNLOADING,
        /** On disk. */
        ON_DISK,
        /** Being brought into memory. */
        LOADING,
        /** In memory. */
        READY,
        /** The last try to fetch or load it failed. */
        FAILED
    }

    static ModelActivity of(State state) {
        return new ModelActivity(state, 0, 0, 0, 0, "", "");
    }

    /** Of bytes that an earlier fetch left. */
    static ModelActivity partial(long bytes) {
        return new ModelActivity(State.ABSENT, 0, bytes, 0, 0, "", "");
    }

    static ModelActivity loading(double progress) {
        return new ModelActivity(State.LOADING, progress, 0, 0, 0, "", "");
    }

    static ModelActivity failed(String reason) {
        return new ModelActivity(State.FAILED, 0, 0, 0, 0, "", reason);
    }
}
