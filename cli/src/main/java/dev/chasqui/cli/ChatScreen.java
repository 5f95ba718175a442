package dev.chasqui.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.DefaultParser;
import org.jline.reader.impl.completer.StringsCompleter;
import org.jline.terminal.Attributes;
import org.jline.terminal.Attributes.LocalFlag;
import org.jline.terminal.Terminal;
import org.jline.terminal.Terminal.Signal;
import org.jline.terminal.Terminal.SignalHandler;
import org.jline.terminal.TerminalBuilder;
import org.jline.utils.AttributedString;
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
        try (Terminal terminal = TerminalBuilder.builder().system(true).build()) {
            DefaultParser parser = new DefaultParser();
            parser.setEscapeChars(new char[0]);
            parser.setQuoteChars(new char[0]);
            LineReader reader = LineReaderBuilder.builder()
                    .terminal(terminal)
                    .parser(parser)
                    .completer(new StringsCompleter(COMMANDS))
                    .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
                    .build();
            say(terminal, greeting());
            boolean goesOn = true;
            while (goesOn) {
                goesOn = turn(terminal, reader);
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

    private boolean turn(Terminal terminal, LineReader reader) {
        String text;
        try {
            text = read(terminal, reader).strip();
        } catch (UserInterruptException forgotten) {
            if (forgotten.getPartialLine().isBlank()) {
                say(terminal, "Ctrl-D or /exit ends.");
            }
            return true;
        } catch (EndOfFileException end) {
            return false;
        }
        if (EXITS.contains(text.toLowerCase(Locale.ROOT))) {
            return false;
        }
        try {
            if (text.startsWith("/")) {
                obey(terminal, text);
            } else if (!text.isEmpty()) {
                answer(terminal, text);
            }
        } catch (Failure failure) {
            say(terminal, "" + failure.getMessage());
        }
        return true;
    }

    private static String read(Terminal terminal, LineReader reader) {
        String prompt = styled(terminal, "> ", AttributedStyle.BOLD.foreground(AttributedStyle.GREEN));
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

    private void obey(Terminal terminal, String line) {
        String[] parts = line.split("\\s+", 2);
        String argument = parts.length > 1 ? parts[1].strip() : "";
        switch (parts[0]) {
            case "/help", "/?" -> terminal.writer().print(help(terminal.getWidth()));
            case "/model" -> model(terminal, argument);
            case "/system" -> {
                if (!argument.isEmpty()) {
                    conversation.system(argument);
                }
                String now = conversation.system();
                say(terminal, now.isEmpty() ? "The model is told nothing." : "The model is told: " + now);
            }
            case "/clear" -> {
                conversation.clear();
                say(terminal, "Forgotten.");
            }
            case "/save" -> save(terminal, argument);
            default -> say(terminal, parts[0] + ": no such command; /help lists them.");
        }
        terminal.flush();
    }

    private void model(Terminal terminal, String name) {
        if (name.isEmpty()) {
            terminal.writer().print(ModelText.table(server.get("/api/models").path("models"), terminal.getWidth()));
            return;
        }
        JsonNode model = new RemoteModels(server).show(name);
        RemoteModels.requireHere(model);
        conversation.model(model.path("name").asString(name));
        say(terminal, "Talking with " + conversation.model() + ".");
    }

    private void save(Terminal terminal, String file) {
        if (file.isEmpty()) {
            throw new Failure("/save wants a file's name", 2);
        }
        Path path = Path.of(file).toAbsolutePath().normalize();
        try {
            Files.writeString(path, conversation.asMarkdown(), StandardCharsets.UTF_8, StandardOpenOption.CREATE_NEW);
            say(terminal, "Saved as " + path + ".");
        } catch (FileAlreadyExistsException there) {
            throw new Failure(path + " is there already (expected: a new file)", 1);
        } catch (IOException problem) {
            throw new Failure(path + " cannot be written: " + problem.getMessage(), 1);
        }
    }

    private void answer(Terminal terminal, String question) {
        SignalHandler before = terminal.handle(Signal.INT, signal -> conversation.interrupt());
        Attributes usual = terminal.getAttributes();
        Attributes silent = new Attributes(usual);
        // What is typed meanwhile stands at the next prompt, and not in the middle of the answer.
        silent.setLocalFlag(LocalFlag.ECHO, false);
        terminal.setAttributes(silent);
        ShownAnswer shown = new ShownAnswer(terminal);
        try {
            Conversation.End end = conversation.ask(question, shown);
            shown.end();
            say(terminal, statistics(end));
        } finally {
            terminal.setAttributes(usual);
            terminal.handle(Signal.INT, before);
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

    private static void say(Terminal terminal, String text) {
        terminal.writer().println(styled(terminal, new WordWrap().put(text, terminal.getWidth()), DIM));
        terminal.flush();
    }

    private static String styled(Terminal terminal, String text, AttributedStyle style) {
        return Terminals.plain() ? text : new AttributedString(text, style).toAnsi(terminal);
    }

    /** An answer as it comes; thoughts are dim. */
    private static final class ShownAnswer implements Conversation.Listener {
        private final Terminal terminal;
        private final WordWrap wrap = new WordWrap();
        private boolean line;
        private boolean thinking;

        ShownAnswer(Terminal terminal) {
            this.terminal = terminal;
        }

        @Override
        public void loading(String model, double progress) {
            line = true;
            terminal.writer()
                    .print("\r\u001b[K" + styled(terminal, Bar.line(model + " loads", progress, 0, 0, 0), DIM));
            terminal.flush();
        }

        @Override
        public void reasoning(String text) {
            takeLineAway();
            thinking = true;
            print(Terminals.plain() ? wrapped(text) : DIM_ON + wrapped(text) + DIM_OFF);
        }

        @Override
        public void text(String text) {
            takeLineAway();
            if (thinking) {
                thinking = false;
                print(wrapped("\n\n"));
            }
            print(wrapped(text));
        }

        void end() {
            takeLineAway();
            print("\n");
        }

        private String wrapped(String text) {
            return wrap.put(printable(text), terminal.getWidth());
        }

        private void takeLineAway() {
            if (line) {
                line = false;
                print("\r\u001b[K");
            }
        }

        private void print(String text) {
            terminal.writer().print(text);
            terminal.flush();
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
