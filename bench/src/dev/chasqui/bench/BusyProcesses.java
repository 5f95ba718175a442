package dev.chasqui.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Other work on the machine: processes that want a core each, all the time, in sessions of their own as a container or another
 * user would have. They end by themselves, should nobody end them.
 */
final class BusyProcesses implements AutoCloseable {
    private static final String MOST_S = "3600";

    private final List<Process> running = new ArrayList<>();

    static BusyProcesses start(int count) throws IOException {
        BusyProcesses busy = new BusyProcesses();
        for (int i = 0; i < count; i++) {
            busy.running.add(
                    new ProcessBuilder("setsid", "timeout", MOST_S, "sh", "-c", "while :; do :; done").start());
        }
        Runtime.getRuntime().addShutdownHook(new Thread(busy::close));
        return busy;
    }

    @Override
    public void close() {
        running.forEach(Process::destroy);
    }
}
