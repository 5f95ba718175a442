package dev.chasqui.cli;

import java.io.IOError;
import org.jline.terminal.Attributes;
import org.jline.terminal.Attributes.LocalFlag;
import org.jline.terminal.Terminal;
import org.jline.utils.AttributedString;
import org.jline.utils.AttributedStyle;

/**
 * The terminal that a person talks at. JLine starts {@code stty} to ask for its width or to change whether it echoes, and
 * Ctrl-C at the wrong moment ends that too: so the width is remembered until the window changes, and what failed is tried again.
 */
final class Window {
    private static final int TRIES = 5;

    private final Terminal terminal;
    private final Attributes usual;
    private volatile boolean changed = true;
    private int columns;

    Window(Terminal terminal) {
        this.terminal = terminal;
        this.usual = terminal.getAttributes();
    }

    /** From now on its width may be another; by any thread. */
    void changed() {
        changed = true;
    }

    /** 0 where nobody knows. */
    int columns() {
        if (changed) {
            changed = false;
            changed = !tried(1, () -> columns = terminal.getWidth());
        }
        return columns;
    }

    void print(String text) {
        terminal.writer().print(text);
        terminal.flush();
    }

    String styled(String text, AttributedStyle style) {
        return Terminals.plain() ? text : new AttributedString(text, style).toAnsi(terminal);
    }

    /** What is typed is not shown. */
    void silence() {
        Attributes silent = new Attributes(usual);
        silent.setLocalFlag(LocalFlag.ECHO, false);
        tried(TRIES, () -> terminal.setAttributes(silent));
    }

    void asUsual() {
        tried(TRIES, () -> terminal.setAttributes(usual));
    }

    private static boolean tried(int times, Runnable question) {
        for (int i = 0; i < times; i++) {
            try {
                question.run();
                return true;
            } catch (IOError | RuntimeException cut) {
                // Ctrl-C reached stty as well, or interrupted the wait for it.
                Thread.interrupted();
            }
        }
        return false;
    }
}
