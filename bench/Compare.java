import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Runs Chasqui and llama-server side by side on one model and prints how they compare. Both are started for each number
 * of streams, and measured in turns, so that what else the machine does hits both alike. Talks to loopback only, and
 * every wait has an end. Started by {@code bench/run}.
 */
public final class Compare {

    private static final JsonMapper JSON = new JsonMapper();
    private static final Duration START_LIMIT = Duration.ofMinutes(3);
    private static final Duration ROUND_LIMIT = Duration.ofMinutes(5);
    private static final String[] WORDS = ("anchor barley copper dragon ember falcon glacier hollow island jasmine kettle"
                    + " lagoon marble nectar orchid pepper quartz ribbon saffron timber umbrella velvet walnut yellow zephyr")
            .split(" ");

    /** What to measure. */
    private record Plan(
            Path chasqui, Path peer, Path model, int[] streams, int rounds, int maxTokens, Prompts prompts, int perStream,
            int context, int threads, List<String> peerArguments) {

        static Plan of(String[] arguments) {
            Map<String, String> given = new HashMap<>();
            for (int i = 0; i + 1 < arguments.length; i += 2) {
                given.put(arguments[i], arguments[i + 1]);
            }
            int cores = Runtime.getRuntime().availableProcessors();
            Plan plan = new Plan(
                    Path.of(given.remove("--chasqui")),
                    Path.of(given.remove("--peer")),
                    Path.of(given.remove("--model")).toAbsolutePath().normalize(),
                    Arrays.stream(taken(given, "--streams", "1,8,32").split(","))
                            .mapToInt(Integer::parseInt)
                            .toArray(),
                    Integer.parseInt(taken(given, "--rounds", "5")),
                    Integer.parseInt(taken(given, "--max-tokens", "128")),
                    new Prompts(
                            Integer.parseInt(taken(given, "--prompt-words", "64")),
                            Integer.parseInt(taken(given, "--shared-words", "0")),
                            Integer.parseInt(taken(given, "--long-every", "0")),
                            Integer.parseInt(taken(given, "--long-words", "1100"))),
                    Integer.parseInt(taken(given, "--per-stream", "2")),
                    Integer.parseInt(taken(given, "--ctx", "1024")),
                    Integer.parseInt(taken(given, "--threads", Integer.toString(cores))),
                    Stream.of(taken(given, "--peer-arguments", "").split(" ")).filter(one -> !one.isEmpty()).toList());
            if (!given.isEmpty() || arguments.length % 2 != 0) {
                throw new IllegalArgumentException("unknown arguments: " + given.keySet());
            }
            return plan;
        }

        private static String taken(Map<String, String> given, String name, String otherwise) {
            String value = given.remove(name);
            return value == null ? otherwise : value;
        }

        Server startChasqui(int streams) throws IOException {
            int port = freePort();
            return Server.start("chasqui", port, "/api/health", "/readyz", chasqui.toString(), "serve",
                    "--port", "" + port, "--model", model.toString(), "--parallel", "" + streams, "--ctx", "" + context,
                    "--threads", "" + threads);
        }

        Server startPeer(int streams) throws IOException {
            int port = freePort();
            List<String> command = new ArrayList<>(List.of(peer.toString(), "--host", "127.0.0.1", "--port", "" + port, "-m",
                    model.toString(), "-np", "" + streams, "-c", "" + streams * context, "-t", "" + threads));
            command.addAll(peerArguments);
            return Server.start("llama-server", port, "/health", "/health", command.toArray(String[]::new));
        }

        private static int freePort() throws IOException {
            try (ServerSocket socket = new ServerSocket(0)) {
                return socket.getLocalPort();
            }
        }
    }

    /**
     * What is asked.
     *
     * @param words random words of each question
     * @param sharedWords words of a system message that all questions of a round have in common; 0: none
     * @param longEvery of so many questions the last is a long one; 0: none is
     * @param longWords words of a long one
     */
    private record Prompts(int words, int sharedWords, int longEvery, int longWords) {

        String request(int round, int number, int maxTokens) {
            boolean isLong = longEvery > 0 && number % longEvery == longEvery - 1;
            String question = "Tell a tale of" + random(new Random(1000L * round + number), isLong ? longWords : words);
            String system = sharedWords == 0
                    ? ""
                    : "{\"role\":\"system\",\"content\":\"You know" + random(new Random(round), sharedWords) + "\"},";
            return "{\"messages\":[" + system + "{\"role\":\"user\",\"content\":\"" + question + "\"}],\"max_tokens\":" + maxTokens
                    + ",\"temperature\":0,\"ignore_eos\":true,\"stream\":true,\"stream_options\":{\"include_usage\":true}}";
        }

        private static String random(Random random, int words) {
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < words; i++) {
                text.append(' ').append(WORDS[random.nextInt(WORDS.length)]);
            }
            return text.toString();
        }
    }

    /** A server under test, with the time that it took to answer and to be ready. */
    private record Server(String name, Process process, URI base, double answersS, double readyS) implements AutoCloseable {

        static Server start(String name, int port, String health, String ready, String... command) throws IOException {
            File log = new File(System.getProperty("bench.logs"), name + ".log");
            long began = System.nanoTime();
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(log)
                    .start();
            URI base = URI.create("http://127.0.0.1:" + port);
            try {
                double answers = await(process, base.resolve(health), false, began, log);
                return new Server(name, process, base, answers, await(process, base.resolve(ready), true, began, log));
            } catch (RuntimeException problem) {
                process.destroyForcibly();
                throw problem;
            }
        }

        /** Seconds from {@code began} until the address answers, or answers with 200. */
        private static double await(Process process, URI address, boolean with200, long began, File log) {
            HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
            HttpRequest request = HttpRequest.newBuilder(address).timeout(Duration.ofSeconds(5)).build();
            while (process.isAlive() && System.nanoTime() - began < START_LIMIT.toNanos()) {
                try {
                    int status = client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
                    if (status == 200 || !with200) {
                        return (System.nanoTime() - began) / 1e9;
                    }
                } catch (IOException notYet) {
                    // Nobody listens there yet.
                } catch (InterruptedException problem) {
                    throw new IllegalStateException(problem);
                }
                pause(20);
            }
            throw new IllegalStateException(address + " never became ready; see " + log);
        }

        /** Proportional memory of the process and its children in bytes, without what maps the model's file. */
        long memoryBeyond(Path model) {
            return Stream.concat(Stream.of(process.toHandle()), process.descendants())
                    .mapToLong(handle -> pssBeyond(handle.pid(), model))
                    .sum();
        }

        private static long pssBeyond(long pid, Path model) {
            long kib = 0;
            boolean ofModel = false;
            try {
                for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/smaps"))) {
                    if (line.startsWith("Pss:")) {
                        kib += ofModel ? 0 : Long.parseLong(line.replaceAll("\\D", ""));
                    } else if (line.matches("^[0-9a-f]+-[0-9a-f]+ .*")) {
                        ofModel = line.endsWith(model.toString());
                    }
                }
            } catch (IOException gone) {
                throw new UncheckedIOException(gone);
            }
            return kib * 1024;
        }

        @Override
        public void close() throws Exception {
            process.destroy();
            if (!process.waitFor(20, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        }
    }

    /** What one client saw of one answer. Times in milliseconds. */
    private record Answer(double firstTextMs, List<Double> gapsMs, int tokens, int promptTokens, int cachedTokens) {}

    /** What all clients saw in one round. */
    private record Round(
            double tokensPerSecond, double firstTextMedianMs, double firstTextLastMs, double gapP99Ms, double gapWorstMs, double cachedPercent) {}

    public static void main(String[] arguments) throws Exception {
        Plan plan = Plan.of(arguments);
        System.out.printf("model %s, %d tokens an answer, %d threads, %d rounds, %s%n%n",
                plan.model.getFileName(), plan.maxTokens, plan.threads, plan.rounds, plan.prompts);
        for (int streams : plan.streams) {
            try (Server ours = plan.startChasqui(streams);
                    Server theirs = plan.startPeer(streams)) {
                compare(plan, streams, ours, theirs);
            }
        }
    }

    private static void compare(Plan plan, int streams, Server ours, Server theirs) throws Exception {
        List<Round> our = new ArrayList<>();
        List<Round> their = new ArrayList<>();
        measure(plan, streams, ours, -1);
        measure(plan, streams, theirs, -1);
        for (int round = 0; round < plan.rounds; round++) {
            if (round % 2 == 0) {
                our.add(measure(plan, streams, ours, round));
                their.add(measure(plan, streams, theirs, round));
            } else {
                their.add(measure(plan, streams, theirs, round));
                our.add(measure(plan, streams, ours, round));
            }
        }
        System.out.printf("%d stream%s%n", streams, streams == 1 ? "" : "s");
        print("tokens/s", our, their, Round::tokensPerSecond);
        print("first text ms", our, their, Round::firstTextMedianMs);
        print("last of them", our, their, Round::firstTextLastMs);
        print("gap p99 ms", our, their, Round::gapP99Ms);
        print("worst gap ms", our, their, Round::gapWorstMs);
        print("cached %", our, their, Round::cachedPercent);
        System.out.printf("  %-14s %9.2f %9.2f%n", "answers s", ours.answersS, theirs.answersS);
        System.out.printf("  %-14s %9.2f %9.2f%n", "ready s", ours.readyS, theirs.readyS);
        System.out.printf("  %-14s %9d %9d   beyond the model's file%n%n", "memory MB",
                ours.memoryBeyond(plan.model) / 1_000_000, theirs.memoryBeyond(plan.model) / 1_000_000);
    }

    private static void print(String name, List<Round> our, List<Round> their, ToDoubleFunction<Round> figure) {
        List<Double> ratios = new ArrayList<>();
        for (int i = 0; i < our.size(); i++) {
            ratios.add(figure.applyAsDouble(our.get(i)) / figure.applyAsDouble(their.get(i)));
        }
        System.out.printf("  %-14s %9.1f %9.1f   ratio %.3f (%.3f to %.3f)%n", name,
                percentile(our.stream().map(figure::applyAsDouble).toList(), 50),
                percentile(their.stream().map(figure::applyAsDouble).toList(), 50),
                percentile(ratios, 50), Collections.min(ratios), Collections.max(ratios));
    }

    /** One round: every stream asks as often as planned, four times in all or more, each time something new, the same of both servers. */
    private static Round measure(Plan plan, int streams, Server server, int round) throws Exception {
        int requests = Math.max(4, plan.perStream * streams);
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        ExecutorService clients = Executors.newFixedThreadPool(streams, Compare::daemon);
        long began = System.nanoTime();
        List<Future<Answer>> pending = new ArrayList<>();
        for (int i = 0; i < requests; i++) {
            String body = plan.prompts.request(round, i, plan.maxTokens);
            pending.add(clients.submit(() -> ask(client, server.base(), body)));
        }
        List<Answer> answers = new ArrayList<>();
        for (Future<Answer> answer : pending) {
            answers.add(answer.get(ROUND_LIMIT.toSeconds(), TimeUnit.SECONDS));
        }
        double seconds = (System.nanoTime() - began) / 1e9;
        clients.shutdown();
        int tokens = answers.stream().mapToInt(Answer::tokens).sum();
        if (tokens != requests * plan.maxTokens) {
            throw new IllegalStateException(server.name() + " sent " + tokens + " tokens of " + requests * plan.maxTokens);
        }
        List<Double> firsts = answers.stream().map(Answer::firstTextMs).toList();
        List<Double> gaps = answers.stream().flatMap(answer -> answer.gapsMs().stream()).toList();
        double cached = 100.0 * answers.stream().mapToInt(Answer::cachedTokens).sum()
                / answers.stream().mapToInt(Answer::promptTokens).sum();
        return new Round(tokens / seconds, percentile(firsts, 50), percentile(firsts, 100), percentile(gaps, 99), percentile(gaps, 100), cached);
    }

    private static Answer ask(HttpClient client, URI base, String body) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(base.resolve("/v1/chat/completions"))
                .timeout(ROUND_LIMIT)
                .header("Content-Type", "application/json")
                .header("Connection", "close") // some servers close an idle connection just as the next request takes it
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        long began = System.nanoTime();
        HttpResponse<InputStream> response = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
        if (response.statusCode() != 200) {
            throw new IOException("status " + response.statusCode() + ": "
                    + new String(response.body().readAllBytes(), StandardCharsets.UTF_8));
        }
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
            return read(lines, began);
        }
    }

    private static Answer read(BufferedReader lines, long began) throws IOException {
        List<Double> arrivals = new ArrayList<>();
        int tokens = -1;
        int prompt = 0;
        int cached = 0;
        boolean done = false;
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            if (line.equals("data: [DONE]")) {
                done = true;
            } else if (line.startsWith("data:")) {
                JsonNode event = JSON.readTree(line.substring(5));
                if (event.has("error")) {
                    throw new IOException("error event: " + event.get("error"));
                }
                if (!event.path("choices").path(0).path("delta").path("content").asString("").isEmpty()) {
                    arrivals.add((System.nanoTime() - began) / 1e6);
                }
                JsonNode usage = event.path("usage");
                tokens = usage.path("completion_tokens").asInt(tokens);
                prompt = usage.path("prompt_tokens").asInt(prompt);
                cached = usage.path("prompt_tokens_details").path("cached_tokens").asInt(cached);
            }
        }
        if (!done || arrivals.isEmpty() || tokens < 0) {
            throw new IOException("the stream ended early");
        }
        List<Double> gaps = new ArrayList<>();
        for (int i = 1; i < arrivals.size(); i++) {
            gaps.add(arrivals.get(i) - arrivals.get(i - 1));
        }
        return new Answer(arrivals.get(0), gaps, tokens, prompt, cached);
    }

    private static double percentile(List<Double> values, int percent) {
        if (values.isEmpty()) {
            return Double.NaN;
        }
        List<Double> sorted = values.stream().sorted().toList();
        return sorted.get(Math.min(sorted.size() - 1, sorted.size() * percent / 100));
    }

    private static Thread daemon(Runnable task) {
        Thread thread = new Thread(task, "client");
        thread.setDaemon(true);
        return thread;
    }

    private static void pause(long milliseconds) {
        try {
            Thread.sleep(milliseconds);
        } catch (InterruptedException problem) {
            throw new IllegalStateException(problem);
        }
    }
}
