package dev.chasqui.cli;

import dev.chasqui.node.model.ModelActivity;
import dev.chasqui.node.model.ModelDescription;
import dev.chasqui.node.model.Models;

/**
 * Shows how far the default model is: on a terminal one line that grows, elsewhere a line now and then. The log says the
 * rest. Called by whichever thread changed something; it draws at most ten times a second.
 */
final class ProgressLine {

    private final Models models;
    private final ProgressPrinter printer;

    private ProgressLine(Models models, ProgressPrinter printer) {
        this.models = models;
        this.printer = printer;
    }

    static void follow(Models models, ProgressPrinter printer) {
        ProgressLine line = new ProgressLine(models, printer);
        models.onChange(line::changed);
    }

    private synchronized void changed() {
        models.active().stream().filter(ModelDescription::isDefault).findFirst().ifPresent(this::show);
    }

    private void show(ModelDescription model) {
        ModelActivity activity = model.activity();
        switch (activity.state()) {
            case DOWNLOADING, LOADING -> printer.show(bar(model.name(), activity));
            case ABSENT, ON_DISK, READY, FAILED -> printer.clear();
        }
    }

    private static Bar bar(String name, ModelActivity activity) {
        String does = activity.state() == ModelActivity.State.LOADING ? " loads" : " downloads";
        return new Bar(
                name + does,
                activity.progress(),
                activity.bytesDone(),
                activity.bytesTotal(),
                activity.bytesPerSecond());
    }
}
