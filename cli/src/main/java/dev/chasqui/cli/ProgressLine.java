package dev.chasqui.cli;

import dev.chasqui.node.model.ModelActivity;
import dev.chasqui.node.model.ModelDescription;
import dev.chasqui.node.model.Models;
import java.io.PrintStream;

/**
 * Shows how far the default model is: on a terminal one line that grows, elsewhere a line now and then. The log says the
 * rest. Called by whichever thread changed something; it draws at most ten times a second.
 */
final class ProgressLine {

    private static final long REDRAW_NANOS = 100_000_000;
    private static final long LINE_NANOS = 5_000_000_000L;

    private final Models models;
    private final PrintStream out;
    private final boolean terminal;
    private long drawnNanos;
    private boolean open;

    private ProgressLine(Models models, PrintStream out, boolean terminal) {
        this.models = models;
        this.out = out;
        this.terminal = terminal;
        this.drawnNanos = System.nanoTime();
    }

    /** @param terminal whether {@code out} can draw a line again */
    static void follow(Models models, PrintStream out, boolean terminal) {
        ProgressLine line = new ProgressLine(models, out, terminal);
        models.onChange(line::changed);
    }

    private synchronized void changed() {
        models.active().stream().filter(ModelDescription::isDefault).findFirst().ifPresent(this::show);
    }

    private void show(ModelDescription model) {
        ModelActivity activity = model.activity();
        boolean moves =
                activity.state() == ModelActivity.State.DOWNLOADING || activity.state() == ModelActivity.State.LOADING;
        long now = System.nanoTime();
        if (moves && now - drawnNanos >= (terminal ? REDRAW_NANOS : LINE_NANOS)) {
            drawnNanos = now;
            draw(text(model.name(), activity));
        } else if (!moves && open) {
            draw("");
            open = false;
        }
    }

    private void draw(String text) {
        if (terminal) {
            out.print("\r\u001b[K" + text);
            out.flush();
            open = true;
        } else {
            out.println(text);
        }
    }

    static String text(String name, ModelActivity activity) {
        String does = activity.state() == ModelActivity.State.LOADING ? " loads" : " downloads";
        return Bar.line(
                name + does,
                activity.progress(),
                activity.bytesDone(),
                activity.bytesTotal(),
                activity.bytesPerSecond());
    }
}
