package dev.chasqui.gateway;

import java.util.concurrent.atomic.AtomicBoolean;
import sun.misc.Signal;

/**
 * SIGTERM and SIGINT: the first asks for an orderly end, a second one ends the process at once. A shutdown hook cannot
 * do this, because the JVM then exits with 128 plus the signal's number and takes no second signal.
 */
final class StopSignals {
    private StopSignals() {}

    static void onStop(Runnable end) {
        AtomicBoolean asked = new AtomicBoolean();
        for (String name : new String[] {"TERM", "INT"}) {
            Signal.handle(new Signal(name), signal -> {
                if (asked.compareAndSet(false, true)) {
                    new Thread(end, "chasqui-stop").start();
                } else {
                    Runtime.getRuntime().halt(128 + signal.getNumber());
                }
            });
        }
    }
}
