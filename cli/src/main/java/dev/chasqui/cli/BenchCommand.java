package dev.chasqui.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** How quick a server is: so many chats at a time, each with a prompt of its own. */
@Command(
        name = "bench",
        description =
                "Measures a server, one that runs or one of its own: time to the first token, and tokens a second.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class BenchCommand implements Callable<Integer> {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final int MOST_CLIENTS = 256;

    @Option(
            names = "--model",
            paramLabel = "NAME|FILE",
            description = "A model's name; a .gguf file is run by a server of its own. Default: the default model.")
    @Nullable
    private String model;

    @Option(
            names = "--clients",
            paramLabel = "N",
            split = ",",
            defaultValue = "1,4",
            description =
                    "How many chats at a time, 1 to 256; several numbers are several rounds. Default: ${DEFAULT-VALUE}.")
    private List<Integer> clients;

    @Option(
            names = "--requests",
            paramLabel = "N",
            defaultValue = "4",
            description = "Chats of each client. Default: ${DEFAULT-VALUE}.")
    private int requests;

    @Option(
            names = "--prompt-words",
            paramLabel = "N",
            defaultValue = "100",
            description = "Words of each prompt. Default: ${DEFAULT-VALUE}.")
    private int promptWords;

    @Option(
            names = "--tokens",
            paramLabel = "N",
            defaultValue = "64",
            description = "Most tokens of each answer. Default: ${DEFAULT-VALUE}.")
    private int tokens;

    @Option(names = "--json", description = "Write JSON.")
    private boolean json;

    @Mixin
    private ServerOptions server;

    /** One chat, in milliseconds. */
    private record Chat(double firstToken, long tokens) {}

    @Override
    public Integer call() throws InterruptedException {
        LogOptions.quiet();
        check();
        boolean file = model != null && model.endsWith(".gguf");
        Optional<ServerClient> found = file ? Optional.empty() : server.find();
        if (found.isPresent()) {
            measure(found.get(), model == null ? "" : model);
            return 0;
        }
        int most = clients.stream().mapToInt(i -> i).max().orElse(1);
        try (OwnServer own = OwnServer.start(model, List.of("--parallel", String.valueOf(most)))) {
            measure(own.client(), "");
        }
        return 0;
    }

    private void check() {
        for (int count : clients) {
            require(count >= 1 && count <= MOST_CLIENTS, "clients", count, "1 to " + MOST_CLIENTS);
        }
        require(requests >= 1 && requests <= 10_000, "requests", requests, "1 to 10000");
        require(promptWords >= 1 && promptWords <= 100_000, "prompt-words", promptWords, "1 to 100000");
        require(tokens >= 1 && tokens <= 100_000, "tokens", tokens, "1 to 100000");
    }

    private static void require(boolean holds, String name, int value, String expected) {
        if (!holds) {
            throw new Failure(name + ": " + value + " (expected: " + expected + ")", 2);
        }
    }

    private void measure(ServerClient client, String name) throws InterruptedException {
        chat(client, name, -1); // So that the model is in memory.
        ArrayNode rounds = JSON.arrayNode();
        if (!json) {
            System.out.println("clients  tokens/s  first token (median, slowest)");
        }
        for (int count : clients) {
            ObjectNode round = round(client, name, count);
            rounds.add(round);
            if (!json) {
                System.out.printf(
                        Locale.ROOT,
                        "%7d  %8.1f  %.0f ms, %.0f ms%n",
                        count,
                        round.path("tokens_per_second").asDouble(),
                        round.path("first_token_ms_median").asDouble(),
                        round.path("first_token_ms_most").asDouble());
            }
        }
        if (json) {
            System.out.println(rounds.toPrettyString());
        }
    }

    private ObjectNode round(ServerClient client, String name, int count) throws InterruptedException {
        ExecutorService pool = Executors.newFixedThreadPool(count);
        try {
            long began = System.nanoTime();
            List<Future<List<Chat>>> running = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                int first = (count * 1000 + i) * requests;
                running.add(pool.submit(() -> chats(client, name, first)));
            }
            List<Chat> all = new ArrayList<>();
            for (Future<List<Chat>> one : running) {
                all.addAll(one.get());
            }
            return summary(count, all, (System.nanoTime() - began) / 1e9);
        } catch (ExecutionException failed) {
            throw failed.getCause() instanceof Failure failure
                    ? failure
                    : new Failure(String.valueOf(failed.getCause()), 1);
        } finally {
            pool.shutdownNow();
        }
    }

    private static ObjectNode summary(int count, List<Chat> all, double seconds) {
        double[] firsts = all.stream().mapToDouble(Chat::firstToken).sorted().toArray();
        long generated = all.stream().mapToLong(Chat::tokens).sum();
        return JSON.objectNode()
                .put("clients", count)
                .put("requests", all.size())
                .put("tokens", generated)
                .put("seconds", seconds)
                .put("tokens_per_second", generated / seconds)
                .put("first_token_ms_median", firsts[firsts.length / 2])
                .put("first_token_ms_most", firsts[firsts.length - 1]);
    }

    private List<Chat> chats(ServerClient client, String name, int first) {
        List<Chat> all = new ArrayList<>();
        for (int i = 0; i < requests; i++) {
            all.add(chat(client, name, first + i));
        }
        return all;
    }

    /** A prompt that begins with a number of its own, so that no beginning is known. */
    private Chat chat(ServerClient client, String name, int number) {
        StringBuilder prompt = new StringBuilder("Story " + number + ".");
        for (int i = 0; i < promptWords; i++) {
            prompt.append(" word").append(Math.floorMod(number * 31 + i * 7, 997));
        }
        ObjectNode request = JSON.objectNode().put("max_tokens", tokens).put("temperature", 0);
        request.put("model", name.isEmpty() ? "default" : name);
        request.putArray("messages").addObject().put("role", "user").put("content", prompt.toString());
        long began = System.nanoTime();
        double firstToken = 0;
        try (ServerClient.Events events = client.events("/api/chat/stream", request)) {
            for (JsonNode event = events.next(); event != null; event = events.next()) {
                String type = event.path("type").asString("");
                if (firstToken == 0 && (type.equals("token") || type.equals("reasoning"))) {
                    firstToken = (System.nanoTime() - began) / 1e6;
                }
                if (type.equals("done")) {
                    return new Chat(
                            firstToken, event.at("/usage/completion_tokens").asLong());
                }
            }
        }
        throw new Failure("an answer was cut short", 1);
    }
}
