package dev.chasqui.cli;

import dev.chasqui.node.store.FileFaults;
import java.io.ByteArrayOutputStream;
import java.io.IOError;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jspecify.annotations.Nullable;

/** Who signs in: asked at the terminal, or taken from where programs say it. No flag, as others read those. */
final class SignInQuestions implements AutoCloseable {
    private static final String VARIABLE = "CHASQUI_PASSWORD";
    private static final String PLACES = "typed at a terminal, the first line of standard input, or in " + VARIABLE;
    private static final char UNSEEN = 0;

    private final @Nullable String given;
    private @Nullable Terminal terminal;

    SignInQuestions(Map<String, String> environment) {
        String variable = environment.getOrDefault(VARIABLE, "");
        this.given = variable.isEmpty() ? null : variable;
    }

    String email() {
        if (!Terminals.input()) {
            throw new Failure("--email: not given (expected: an address such as ana@example.com)", 2);
        }
        return answer("E-mail: ", null).strip();
    }

    String password() {
        if (given != null) {
            return given;
        }
        String password = Terminals.input() ? answer("Password: ", UNSEEN) : firstLine(System.in);
        if (password.isEmpty()) {
            throw new Failure("the password is empty (expected: one that is " + PLACES + ")", 2);
        }
        return password;
    }

    /** At a terminal it is typed twice, as nobody sees a slip. */
    String newPassword() {
        String password = password();
        boolean typed = given == null && Terminals.input();
        if (typed && !answer("Again: ", UNSEEN).equals(password)) {
            throw new Failure("the two passwords are not the same", 1);
        }
        return password;
    }

    private String answer(String question, @Nullable Character shown) {
        LineReader reader = LineReaderBuilder.builder()
                .terminal(terminal())
                .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
                .build();
        try {
            return reader.readLine(question, shown);
        } catch (UserInterruptException | EndOfFileException | IOError ended) {
            throw new Failure("stopped", Signals.INTERRUPTED);
        }
    }

    /** One whose echo cannot be put off would show the password. */
    private Terminal terminal() {
        try {
            Terminal asked = terminal;
            if (asked == null) {
                asked = TerminalBuilder.builder().system(true).dumb(false).build();
                terminal = asked;
            }
            if (!asked.getType().startsWith(Terminal.TYPE_DUMB)) {
                return asked;
            }
        } catch (IOException | IllegalStateException none) {
            // Told below.
        }
        throw new Failure("this terminal cannot hide a password (expected: one that is " + PLACES + ")", 1);
    }

    private static String firstLine(InputStream in) {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        try {
            for (int b = in.read(); b >= 0 && b != '\n'; b = in.read()) {
                line.write(b);
            }
        } catch (IOException problem) {
            throw new Failure("standard input cannot be read: " + FileFaults.reason(problem), 1);
        }
        return line.toString(StandardCharsets.UTF_8).replaceFirst("\r$", "");
    }

    @Override
    public void close() {
        try {
            if (terminal != null) {
                terminal.close();
            }
        } catch (IOException gone) {
            // As closed as it can be.
        }
    }
}
