package dev.chasqui.cli;

import java.io.PrintStream;

/** Shows how far something is: on a terminal one line that is drawn again, elsewhere a line now and then. By one thread at a time. */
final class ProgressPrinter {
    private static final long REDRAW_NANOS = 100_000_000;
    private static final long LINE_NANOS = 5_000_000_000L;

    /** A line that went on in the next one could not be taken away; so it ends where the window does. */
    private static final String WRAP_OFF = "\u001b[?7l";

    private static final String WRAP_ON = "\u001b[?7h";

    private final PrintStream out;
    private final boolean terminal;
    private long drawnNanos;
    private boolean open;

    /** @param terminal whether {@code out} can draw a line again */
    ProgressPrinter(PrintStream out, boolean terminal) {
        this.out = out;
        this.terminal = terminal;
        this.drawnNanos = System.nanoTime() - (terminal ? REDRAW_NANOS : 0);
    }

    void show(String line) {
        long now = System.nanoTime();
        if (now - drawnNanos < (terminal ? REDRAW_NANOS : LINE_NANOS)) {
            return;
        }
        drawnNanos = now;
        if (terminal) {
            out.print("\r\u001b[K" + WRAP_OFF + line + WRAP_ON);
            out.flush();
            open = true;
        } else {
            out.println(line);
        }
    }

    /** Takes the line away. */
    void clear() {
        if (open) {
            out.print("\r\u001b[K");
            out.flush();
            open = false;
        }
    }
}
