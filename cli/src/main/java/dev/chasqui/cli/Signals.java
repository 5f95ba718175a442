package dev.chasqui.cli;

import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/** What SIGINT, SIGTERM and SIGHUP do. */
final class Signals {
    /** What shells say of a program that SIGINT ended. */
    static final int INTERRUPTED = 130;

    private Signals() {}

    /**
     * From now on the first of these signals runs {@code stop} in a thread of its own and then exits with code 0; the next
     * one ends the process at once, with code 1.
     */
    static void endInOrder(Runnable stop) {
        AtomicBoolean stopping = new AtomicBoolean();
        SignalHandler handler = signal -> {
            if (!stopping.compareAndSet(false, true)) {
                Runtime.getRuntime().halt(1);
            }
            new Thread(() -> stopAndExit(stop), "stop").start();
        };
        for (String name : List.of("INT", "TERM", "HUP")) {
            Signal.handle(new Signal(name), handler);
        }
    }

    private static void stopAndExit(Runnable stop) {
        int code = 1;
        try {
            stop.run();
            code = 0;
        } finally {
            System.exit(code);
        }
    }

    /** From now on Ctrl-C runs {@code last} and then ends the process, as it does by itself. */
    static void endOnInterrupt(Runnable last) {
        Signal.handle(new Signal("INT"), signal -> {
            last.run();
            System.exit(INTERRUPTED);
        });
    }

    /** A terminal sends Ctrl-C to every process in front, but ending a supervised one is its parent's to decide. */
    static void leaveTerminalToParent(Runnable interrupted) {
        Signal.handle(new Signal("INT"), signal -> interrupted.run());
        Signal.handle(new Signal("HUP"), SignalHandler.SIG_IGN);
    }
}
