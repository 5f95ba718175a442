package dev.chasqui.cli;

import java.io.IOError;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.DefaultParser;
import org.jline.reader.impl.completer.StringsCompleter;
import org.jline.terminal.Terminal;
import org.jline.terminal.Terminal.Signal;
import org.jline.terminal.TerminalBuilder;
import org.jline.utils.AttributedStyle;
import tools.jackson.databind.JsonNode;

/**
 * A conversation at a terminal. Ctrl-C stops an answer, and at the prompt forgets the line. What was typed is remembered for
 * the arrow keys while the program runs, and written nowhere.
 */
final class ChatScreen {
    private static final Set<String> EXITS = Set.of("exit", "quit", "q", "/exit", "/quit", "/bye");
    private static final List<String> COMMANDS = List.of("/help", "/model", "/system", "/clear", "/save", "/exit");
    private static final String BLOCK = "\"\"\"";

    private static final AttributedStyle DIM = AttributedStyle.DEFAULT.faint();
    private static final String DIM_ON = "\u001b[2m";
    private static final String DIM_OFF = "\u001b[22m";

    private final Conversation conversation;
    private final ServerClient server;

    ChatScreen(Conversation conversation, ServerClient server) {
        this.conversation = conversation;
        this.server = server;
    }

    /** Returns when the person ends it. */
    void run() throws IOException {
        // Asking the terminal what it makes of emojis would swallow what has been typed by then.
        try (Terminal terminal =
                TerminalBuilder.builder().system(true).graphemeCluster(false).build()) {
            DefaultParser parser = new DefaultParser();
            parser.setEscapeChars(new char[0]);
            parser.setQuoteChars(new char[0]);
            LineReader reader = LineReaderBuilder.builder()
                    .terminal(terminal)
                    .parser(parser)
                    .completer(new StringsCompleter(COMMANDS))
                    .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
                    .build();
            Window window = new Window(terminal);
            terminal.handle(Signal.INT, signal -> conversation.interrupt());
            terminal.handle(Signal.WINCH, signal -> window.changed());
            say(window, greeting());
            boolean goesOn = true;
            while (goesOn) {
                goesOn = turn(window, reader);
            }
        }
    }

    private String greeting() {
        String name = conversation.model();
        if (name.isEmpty()) {
            name = server.get("/api/models/default").path("name").asString("");
        }
        return "Talking with " + name + ". /help says what else there is.";
    }

    private boolean turn(Window window, LineReader reader) {
        String text;
        try {
            text = read(window, reader).strip();
        } catch (UserInterruptException forgotten) {
            if (forgotten.getPartialLine().isBlank()) {
                say(window, "Ctrl-D or /exit ends.");
            }
            return true;
        } catch (EndOfFileException end) {
            return false;
        } catch (IOError cut) {
            // Ctrl-C ended the stty with which the line begins or ends.
            window.asUsual();
            return true;
        } finally {
            // The reader hears of a window that changes meanwhile, and an interrupt that came late was for the line.
            window.changed();
            Thread.interrupted();
        }
        if (EXITS.contains(text.toLowerCase(Locale.ROOT))) {
            return false;
        }
        try {
            if (text.startsWith("/")) {
                obey(window, text);
            } else if (!text.isEmpty()) {
                answer(window, text);
            }
        } catch (Failure failure) {
            say(window, "" + failure.getMessage());
        }
        return true;
    }

    private static String read(Window window, LineReader reader) {
        String prompt = window.styled("> ", AttributedStyle.BOLD.foreground(AttributedStyle.GREEN));
        String first = reader.readLine(prompt);
        if (!first.strip().startsWith(BLOCK)) {
            return first;
        }
        StringBuilder block = new StringBuilder(first.strip().substring(BLOCK.length()));
        while (!block.toString().stripTrailing().endsWith(BLOCK)) {
            block.append('\n').append(reader.readLine("  "));
        }
        String text = block.toString().stripTrailing();
        return text.substring(0, text.length() - BLOCK.length());
    }

    private static LabelledText help(int width) {
        return new LabelledText(width)
                .line("/model [NAME]", "say which models there are, or talk with another")
                .line("/system [TEXT]", "say what the model is told before all else, or change it")
                .line("/clear", "forget the conversation")
                .line("/save FILE", "write the conversation to a new file, as Markdown")
                .line("/exit", "end; so do exit, quit, q and Ctrl-D")
                .line(BLOCK, "begin and end a text of several lines")
                .line("Ctrl-C", "stop the answer");
    }

    private void obey(Window window, String line) {
        String[] parts = line.split("\\s+", 2);
        String argument = parts.length > 1 ? parts[1].strip() : "";
        switch (parts[0]) {
            case "/help", "/?" -> window.print(help(window.columns()).toString());
            case "/model" -> model(window, argument);
            case "/system" -> {
                if (!argument.isEmpty()) {
                    conversation.system(argument);
                }
                String now = conversation.system();
                say(window, now.isEmpty() ? "The model is told nothing." : "The model is told: " + now);
            }
            case "/clear" -> {
                conversation.clear();
                say(window, "Forgotten.");
            }
            case "/save" -> save(window, argument);
            default -> say(window, parts[0] + ": no such command; /help lists them.");
        }
    }

    private void model(Window window, String name) {
        if (name.isEmpty()) {
            window.print(ModelText.table(server.get("/api/models").path("models"), window.columns()));
            return;
        }
        JsonNode model = new RemoteModels(server).show(name);
        RemoteModels.requireHere(model);
        conversation.model(model.path("name").asString(name));
        say(window, "Talking with " + conversation.model() + ".");
    }

    private void save(Window window, String file) {
        if (file.isEmpty()) {
            throw new Failure("/save wants a file's name", 2);
        }
        say(window, "Saved as " + conversation.save(Path.of(file)) + ".");
    }

    private void answer(Window window, String question) {
        // What is typed meanwhile stands at the next prompt, and not in the middle of the answer.
        conversation.expectAnswer();
        window.silence();
        ShownAnswer shown = new ShownAnswer(window);
        try {
            Conversation.End end = conversation.ask(question, shown);
            shown.end();
            say(window, statistics(end));
        } catch (Failure failure) {
            shown.breakOff();
            throw failure;
        } finally {
            window.asUsual();
        }
    }

    private static String statistics(Conversation.End end) {
        String tokens = end.tokens() + (end.tokens() == 1 ? " token" : " tokens");
        if (end.interrupted()) {
            return "stopped after " + tokens;
        }
        return end.tokensPerSecond() == 0
                ? tokens
                : String.format(Locale.ROOT, "%s, %.1f tokens/s", tokens, end.tokensPerSecond());
    }

    private static void say(Window window, String text) {
        window.print(window.styled(new WordWrap().put(text, window.columns()), DIM) + "\n");
    }

    /** An answer as it comes; thoughts are dim. */
    private static final class ShownAnswer implements Conversation.Listener {
        private final Window window;
        private final WordWrap wrap = new WordWrap();
        private boolean line;
        private boolean thinking;
        private boolean begun;

        ShownAnswer(Window window) {
            this.window = window;
        }

        @Override
        public void loading(String model, double progress) {
            line = true;
            String text = Bar.of(model + " loads", progress).line(window.columns());
            window.print("\r\u001b[K" + window.styled(text, DIM));
        }

        @Override
        public void reasoning(String text) {
            takeLineAway();
            thinking = true;
            window.print(Terminals.plain() ? wrapped(text) : DIM_ON + wrapped(text) + DIM_OFF);
        }

        @Override
        public void text(String text) {
            takeLineAway();
            if (thinking) {
                thinking = false;
                window.print(wrapped("\n\n"));
            }
            window.print(wrapped(text));
        }

        void end() {
            takeLineAway();
            window.print("\n");
        }

        /** What is said next begins in a line of its own. */
        void breakOff() {
            takeLineAway();
            if (begun) {
                window.print("\n");
            }
        }

        private String wrapped(String text) {
            begun = true;
            return wrap.put(printable(text), window.columns());
        }

        private void takeLineAway() {
            if (line) {
                line = false;
                window.print("\r\u001b[K");
            }
        }

        /** A model must not move the cursor, or worse. */
        private static String printable(String text) {
            return text.codePoints()
                    .filter(c -> c == '\n' || c == '\t' || !Character.isISOControl(c))
                    .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                    .toString();
        }
    }
}
