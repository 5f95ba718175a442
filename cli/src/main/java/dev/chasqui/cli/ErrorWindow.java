package dev.chasqui.cli;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import sun.misc.Signal;

/** The width of the window that progress goes to, also when it becomes another. For one thread at a time. */
final class ErrorWindow implements IntSupplier {
    private static final Pattern SIZE = Pattern.compile("[0-9]+ ([1-9][0-9]{0,3})\\s*");

    private volatile boolean changed;
    private int columns = Terminals.errorWidth();

    private ErrorWindow() {}

    /** From now on the system tells when it changes. */
    static ErrorWindow followed() {
        ErrorWindow window = new ErrorWindow();
        if (Terminals.error()) {
            try {
                Signal.handle(new Signal("WINCH"), signal -> window.changed = true);
            } catch (IllegalArgumentException e) {
                // This system tells nobody; then it stays as it was found.
            }
        }
        return window;
    }

    /** Columns; 0 where it has none. */
    @Override
    public int getAsInt() {
        if (changed) {
            changed = false;
            columns = asked(columns);
        }
        return columns;
    }

    private static int asked(int before) {
        try {
            Process stty = new ProcessBuilder("stty", "size")
                    .redirectInput(new File("/dev/tty"))
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            Matcher size = SIZE.matcher(new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII));
            return stty.waitFor(1, TimeUnit.SECONDS) && size.matches() ? Integer.parseInt(size.group(1)) : before;
        } catch (IOException e) {
            return before;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return before;
        }
    }
}
