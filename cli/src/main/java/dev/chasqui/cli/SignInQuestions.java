package dev.chasqui.cli;

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
    private static final char UNSEEN = 0;

    private final @Nullable String given;
    private final @Nullable Terminal terminal;

    private SignInQuestions(@Nullable String given, @Nullable Terminal terminal) {
        this.given = given;
        this.terminal = terminal;
    }

    static SignInQuestions open(Map<String, String> environment) {
        String variable = environment.getOrDefault(VARIABLE, "");
        String given = variable.isEmpty() ? null : variable;
        if (!Terminals.input()) {
            return new SignInQuestions(given, null);
        }
        try {
            // One that only seems to be a terminal would show the password.
            return new SignInQuestions(
                    given, TerminalBuilder.builder().system(true).dumb(false).build());
        } catch (IOException | IllegalStateException none) {
            throw new Failure("this terminal cannot hide a password (expected: " + VARIABLE + ", or a pipe)", 1);
        }
    }

    String email() {
        if (terminal == null) {
            throw new Failure("--email: not given (expected: an address such as ana@example.com)", 2);
        }
        return answer(terminal, "E-mail: ", null).strip();
    }

    String password() {
        if (given != null) {
            return given;
        }
        String password = terminal == null ? firstLine(System.in) : answer(terminal, "Password: ", UNSEEN);
        if (password.isEmpty()) {
            throw new Failure(
                    "the password is empty (expected: typed at a terminal, the first line of standard input, or "
                            + VARIABLE + ")",
                    2);
        }
        return password;
    }

    /** At a terminal it is typed twice, as nobody sees a slip. */
    String newPassword() {
        String password = password();
        if (given == null
                && terminal != null
                && !answer(terminal, "Again: ", UNSEEN).equals(password)) {
            throw new Failure("the two passwords are not the same", 1);
        }
        return password;
    }

    private static String answer(Terminal terminal, String question, @Nullable Character shown) {
        LineReader reader = LineReaderBuilder.builder()
                .terminal(terminal)
                .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
                .build();
        try {
            return reader.readLine(question, shown);
        } catch (UserInterruptException | EndOfFileException | IOError ended) {
            throw new Failure("stopped", Signals.INTERRUPTED);
        }
    }

    private static String firstLine(InputStream in) {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        try {
            for (int b = in.read(); b >= 0 && b != '\n'; b = in.read()) {
                line.write(b);
            }
        } catch (IOException problem) {
            throw new Failure("standard input cannot be read: " + Reason.of(problem), 1);
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
