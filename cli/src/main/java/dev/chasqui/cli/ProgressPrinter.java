package dev.chasqui.cli;

import java.io.PrintStream;
import java.util.function.IntSupplier;

/** Shows how far something is: on a terminal one line that is drawn again, elsewhere a line now and then. By any thread. */
final class ProgressPrinter {
    private static final long REDRAW_NANOS = 100_000_000;
    private static final long LINE_NANOS = 5_000_000_000L;

    /** A line that went on in the next one could not be taken away; so in a window that just became narrower it ends with it. */
    private static final String WRAP_OFF = "\u001b[?7l";

    private static final String WRAP_ON = "\u001b[?7h";

    private final PrintStream out;
    private final boolean terminal;
    private final IntSupplier columns;
    private long drawnNanos;
    private boolean open;
    private boolean ended;

    /**
     * @param terminal whether {@code out} can draw a line again
     * @param columns of its window; 0 where it has none
     */
    ProgressPrinter(PrintStream out, boolean terminal, IntSupplier columns) {
        this.out = out;
        this.terminal = terminal;
        this.columns = columns;
        this.drawnNanos = System.nanoTime() - (terminal ? REDRAW_NANOS : 0);
    }

    static ProgressPrinter onError() {
        return new ProgressPrinter(System.err, Terminals.error(), ErrorWindow.followed());
    }

    synchronized void show(Bar bar) {
        long now = System.nanoTime();
        if (ended || now - drawnNanos < (terminal ? REDRAW_NANOS : LINE_NANOS)) {
            return;
        }
        drawnNanos = now;
        if (terminal) {
            out.print("\r\u001b[K" + WRAP_OFF + bar.line(columns.getAsInt()) + WRAP_ON);
            out.flush();
            open = true;
        } else {
            out.println(bar.line(0));
        }
    }

    /** Takes the line away. */
    synchronized void clear() {
        if (open) {
            out.print("\r\u001b[K");
            out.flush();
            open = false;
        }
    }

    /** Leaves the line as it is, for whatever is written next, and draws no more. */
    synchronized void end() {
        ended = true;
        if (open) {
            out.println();
            open = false;
        }
    }
}
