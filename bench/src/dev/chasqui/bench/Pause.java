package dev.chasqui.bench;

/** Waiting where nothing interrupts it. */
final class Pause {
    private Pause() {}

    static void millis(long milliseconds) {
        try {
            Thread.sleep(milliseconds);
        } catch (InterruptedException problem) {
            throw new IllegalStateException(problem);
        }
    }
}
