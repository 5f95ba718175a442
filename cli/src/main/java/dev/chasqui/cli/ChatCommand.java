package dev.chasqui.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/** Talks with a model: at a terminal turn by turn, in a pipe one question and one answer. */
@Command(
        name = "chat",
        description = {
            "Talks with a model, of a running server where one answers, else of a node that it starts for itself.",
            "At a terminal turn by turn (/help says more); a question as arguments or through a pipe is answered once.",
            "What is typed is written to no file, so the arrow keys know the lines of this run only."
        },
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class ChatCommand implements Callable<Integer> {
    private static final long LOOK_AGAIN_MS = 200;

    @Parameters(arity = "0..*", paramLabel = "QUESTION", description = "Answer this and end.")
    private List<String> words = List.of();

    @Option(
            names = "--model",
            paramLabel = "NAME|FILE",
            description =
                    "A model's name, or a .gguf file, which a node of its own is started for. Default: the default model.")
    @Nullable
    private String model;

    @Option(
            names = {"-t", "--temperature"},
            paramLabel = "T",
            description =
                    "0 chooses the likeliest token each time; higher is freer. Default: as the model's maker says.")
    @Nullable
    private Double temperature;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            description = "Most tokens of an answer. Default: as many as fit.")
    @Nullable
    private Integer maxTokens;

    @Option(
            names = {"-s", "--system"},
            paramLabel = "TEXT",
            description = "What the model is told before all else.")
    private String system = "";

    @Option(
            names = "--models-path",
            paramLabel = "DIR",
            description = "Where model files are kept, for a node of its own. Default: models in CHASQUI_HOME.")
    @Nullable
    private Path modelsPath;

    @Mixin
    private ServerOptions server;

    @Override
    public Integer call() throws IOException {
        LogOptions.quiet();
        check();
        boolean file = model != null && isFile(model);
        if (file && server.isNamed()) {
            throw new Failure("model: " + model + " (expected: a name; a server takes no file of this machine)", 2);
        }
        Optional<ServerClient> found = file ? Optional.empty() : server.find();
        if (found.isPresent()) {
            ServerClient client = found.get();
            if (model == null) {
                awaitDefaultModel(client);
            } else {
                requireHere(client, model);
            }
            talk(client, model == null ? "" : model);
            return 0;
        }
        if (model != null && !file) {
            LocalModels.requireKnown(model, modelsPath);
        }
        try (OwnServer own = OwnServer.start(file ? absolute() : model, nodeArguments())) {
            talk(own.client(), "");
        }
        return 0;
    }

    /** Before a model is fetched for a question that is refused anyway. The ranges are the server's. */
    private void check() {
        Require.temperature(temperature);
        Require.folder("models-path", modelsPath);
        if (maxTokens != null && maxTokens < 1 && maxTokens != -1) {
            throw new Failure("max-tokens: " + maxTokens + " (expected: 1 or more, or -1 for as many as fit)", 2);
        }
    }

    /** A server that was just started answers before its model is there. */
    private static void awaitDefaultModel(ServerClient client) {
        ProgressPrinter progress = ProgressPrinter.onError();
        try {
            for (JsonNode health = client.health(); isOnItsWay(health); health = client.health()) {
                progress.show(new Bar(
                        health.path("model").asString("") + " is "
                                + health.path("status").asString(""),
                        health.path("progress").asDouble(0),
                        health.path("bytes_done").asLong(0),
                        health.path("bytes_total").asLong(0),
                        0));
                Thread.sleep(LOOK_AGAIN_MS);
            }
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        } finally {
            progress.clear();
        }
    }

    private static boolean isOnItsWay(JsonNode health) {
        String status = health.path("status").asString("");
        return status.equals("loading") || status.equals("downloading");
    }

    /** Before a question is typed. A name that the server does not list may be another name of a model, which its answers tell. */
    private static void requireHere(ServerClient client, String name) {
        JsonNode listed;
        try {
            listed = new RemoteModels(client).show(name);
        } catch (Failure unknown) {
            return;
        }
        RemoteModels.requireHere(listed);
    }

    /** Of this machine, and not a place that has the ending too. */
    private static boolean isFile(String model) {
        return model.endsWith(".gguf") && !model.matches("(?i)(hf|https|pip):.*");
    }

    private String absolute() {
        Path path = Path.of(String.valueOf(model)).toAbsolutePath().normalize();
        if (!path.toFile().isFile()) {
            throw new Failure("model: " + model + " (expected: a file that is there; looked for " + path + ")", 2);
        }
        return path.toString();
    }

    /** One person talks, so one sequence is enough, and takes the least memory. */
    private List<String> nodeArguments() {
        List<String> arguments = new ArrayList<>(List.of("--parallel", "1"));
        if (modelsPath != null) {
            arguments.addAll(List.of("--models-path", modelsPath.toString()));
        }
        return arguments;
    }

    private void talk(ServerClient client, String name) throws IOException {
        Conversation conversation = new Conversation(client, name, system, temperature, maxTokens);
        String question = String.join(" ", words);
        if (!question.isEmpty() || !Terminals.input()) {
            once(conversation, question);
        } else {
            new ChatScreen(conversation, client).run();
        }
    }

    /** What comes through a pipe stands below the question. */
    private static void once(Conversation conversation, String question) throws IOException {
        String piped = Terminals.input() ? "" : new String(System.in.readAllBytes(), StandardCharsets.UTF_8).strip();
        String whole = (question + "\n\n" + piped).strip();
        if (whole.isEmpty()) {
            throw new Failure("there is no question (expected: arguments, a pipe, or a terminal)", 2);
        }
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        Conversation.End end = conversation.ask(whole, new PlainAnswer(out));
        out.println();
        if (end.interrupted()) {
            throw new Failure("the answer was cut short", 1);
        }
    }

    /** The text and nothing else. */
    private record PlainAnswer(PrintStream out) implements Conversation.Listener {
        @Override
        public void loading(String model, double progress) {
            // A pipe wants the answer only.
        }

        @Override
        public void reasoning(String text) {
            // Not part of the answer.
        }

        @Override
        public void text(String text) {
            out.print(text);
            out.flush();
        }
    }
}
