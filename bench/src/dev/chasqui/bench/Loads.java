package dev.chasqui.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import tools.jackson.databind.JsonNode;

/**
 * What a model's place costs: a request to one that is in memory, beside what its engine computes; a load while the system still
 * holds the file; a load from disk; and whether it then takes what was reckoned before.
 */
final class Loads {
    private static final int SLOTS = 4;
    private static final int CONTEXT = 4096;
    private static final int HOT_REQUESTS = 200;

    /** Until the virtual machines of both services have compiled what a request goes through. */
    private static final int WARM_UP = 1000;

    private static final int LOADS = 5;
    private static final double HOT_LIMIT_MS = 2;
    private static final double WARM_LIMIT_MS = 200;
    private static final double MOST_ERROR = 0.10;

    private final Setting setting;
    private final Server server;
    private final Client client;
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private Loads(Setting setting, Server server) {
        this.setting = setting;
        this.server = server;
        this.client = new Client(server);
    }

    static Verdict run(Options options) throws Exception {
        Setting setting = Setting.of(options);
        options.done();
        Verdict verdict = new Verdict();
        try (Server server = setting.chasqui(SLOTS, CONTEXT, "--prompt-cache", "0", "--lookahead", "off")) {
            new Loads(setting, server).measure(verdict);
        }
        return verdict;
    }

    private void measure(Verdict verdict) throws Exception {
        List<Double> hot = hot(Client.RAW, i -> Map.of("prompt", "Once", "max_tokens", 2, "temperature", 0));
        List<Double> chat = hot(Client.CHAT, Loads::question);
        String name = model().path("name").asString();
        List<Double> warm = new ArrayList<>();
        List<Double> cold = new ArrayList<>();
        int leastSteps = Integer.MAX_VALUE;
        for (int i = 0; i < LOADS; i++) {
            unload(name);
            warm.add(load(name).millis());
            unload(name);
            forget(setting.model());
            Load load = load(name);
            cold.add(load.millis());
            leastSteps = Math.min(leastSteps, load.steps());
        }
        unload(name);
        long empty = residentBytes();
        load(name);
        client.fill(SLOTS, CONTEXT);
        long taken = residentBytes() - empty;
        long reckoned = model().path("memory_bytes").asLong();
        judge(verdict, hot, chat, warm, cold, leastSteps, taken, reckoned);
    }

    private static void judge(
            Verdict verdict,
            List<Double> hot,
            List<Double> chat,
            List<Double> warm,
            List<Double> cold,
            int leastSteps,
            long taken,
            long reckoned) {
        double error = (double) reckoned / taken - 1;
        verdict.row(
                "hot: beside the engine ms, median / p95 | the same, a chat | warm load ms | cold load ms | reckoned MB | taken MB");
        verdict.row("---|---|---|---|---|---");
        verdict.row(
                "%.2f / %.2f | %.2f / %.2f | %.0f (%.0f to %.0f) | %.0f (%.0f to %.0f) | %d | %d",
                Verdict.median(hot),
                Verdict.percentile(hot, 95),
                Verdict.median(chat),
                Verdict.percentile(chat, 95),
                Verdict.median(warm),
                Verdict.percentile(warm, 0),
                Verdict.most(warm),
                Verdict.median(cold),
                Verdict.percentile(cold, 0),
                Verdict.most(cold),
                reckoned / 1_000_000,
                taken / 1_000_000);
        verdict.check(
                Verdict.median(hot) <= HOT_LIMIT_MS,
                "a model in memory costs a request 2 ms at most beside its computing (median)",
                "%.2f ms",
                Verdict.median(hot));
        verdict.check(
                Verdict.median(chat) <= HOT_LIMIT_MS,
                "so it does where a chat's template is rendered",
                "%.2f ms",
                Verdict.median(chat));
        verdict.check(
                Verdict.median(warm) <= WARM_LIMIT_MS,
                "it is loaded within 200 ms while the system holds its file (median)",
                "%.0f ms",
                Verdict.median(warm));
        verdict.check(leastSteps >= 1, "a load from disk tells how far it is", "%d times at least", leastSteps);
        verdict.check(
                Math.abs(error) <= MOST_ERROR, "it takes what was reckoned, within 10 %", "%+.1f %%", 100 * error);
    }

    /** Each of them new, as people's are. */
    private static Map<String, Object> question(int number) {
        List<Map<String, String>> messages =
                List.of(Map.of("role", "user", "content", "Say the number " + number + " in words."));
        return Map.of("messages", messages, "max_tokens", 2, "temperature", 0);
    }

    /** Milliseconds of each request that were neither in the prompt nor in the answer. */
    private List<Double> hot(String path, IntFunction<Map<String, Object>> request) throws IOException {
        List<Double> beside = new ArrayList<>();
        try (PlainConnection connection = new PlainConnection(server.base().getPort())) {
            for (int i = -WARM_UP; i < HOT_REQUESTS; i++) {
                byte[] body = Client.JSON.writeValueAsBytes(request.apply(i));
                PlainConnection.Timed answer = connection.post(path, body);
                JsonNode timings = Client.JSON.readTree(answer.body()).path("timings");
                if (i >= 0) {
                    beside.add(answer.millis()
                            - timings.path("prompt_ms").asDouble()
                            - timings.path("predicted_ms").asDouble());
                }
            }
        }
        return beside;
    }

    private JsonNode model() throws IOException, InterruptedException {
        for (JsonNode model : get("/api/models").path("data").path("models")) {
            if (model.path("is_default").asBoolean()) {
                return model;
            }
        }
        throw new IllegalStateException("no default model");
    }

    private JsonNode get(String path) throws IOException, InterruptedException {
        HttpRequest request =
                HttpRequest.newBuilder(server.base().resolve(path)).build();
        return Client.JSON.readTree(
                http.send(request, HttpResponse.BodyHandlers.ofByteArray()).body());
    }

    private void unload(String name) throws IOException, InterruptedException {
        HttpResponse<byte[]> response =
                http.send(post("/api/models/" + name + "/unload"), HttpResponse.BodyHandlers.ofByteArray());
        if (response.statusCode() != 200) {
            throw new IOException(new String(response.body(), StandardCharsets.UTF_8));
        }
    }

    private HttpRequest post(String path) {
        return HttpRequest.newBuilder(server.base().resolve(path))
                .header("accept", "text/event-stream")
                .POST(HttpRequest.BodyPublishers.noBody())
                .build();
    }

    /** How long a load took, and how often it told how far it was. */
    private record Load(double millis, int steps) {}

    private Load load(String name) throws IOException, InterruptedException {
        long began = System.nanoTime();
        var response = http.send(post("/api/models/" + name + "/load"), HttpResponse.BodyHandlers.ofInputStream());
        int steps = 0;
        boolean done = false;
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
            for (String line; !done && (line = lines.readLine()) != null; ) {
                if (line.startsWith("data: {")) {
                    JsonNode event = Client.JSON.readTree(line.substring(6));
                    done = event.path("type").asString("").equals("done");
                    steps += event.path("state").asString("").equals("loading") ? 1 : 0;
                }
            }
        }
        if (!done) {
            throw new IOException("the load of " + name + " did not end well");
        }
        return new Load(Client.millisSince(began), steps);
    }

    /** Lets the system forget a file's contents, as far as it does so when it is asked. */
    private static void forget(Path file) throws IOException, InterruptedException {
        int code = new ProcessBuilder("dd", "if=" + file, "iflag=nocache", "count=0", "status=none")
                .inheritIO()
                .start()
                .waitFor();
        if (code != 0) {
            throw new IOException("dd ended with " + code);
        }
    }

    /** Of the node. */
    private long residentBytes() throws IOException {
        ProcessHandle node = server.process()
                .descendants()
                .filter(handle -> handle.info().commandLine().orElse("").contains(" node "))
                .findFirst()
                .orElseThrow();
        return Files.readAllLines(Path.of("/proc/" + node.pid() + "/status")).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
                .findFirst()
                .orElseThrow();
    }
}
