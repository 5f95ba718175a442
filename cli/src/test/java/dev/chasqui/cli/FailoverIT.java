package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code kill -9} of the node that answers, with a real model: the clients see a pause, and what they would have seen. */
class FailoverIT {
    private static final Duration SOON = Duration.ofMinutes(8);
    private static final JsonMapper JSON = new JsonMapper();
    private static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private static final int STREAMS = 20;
    private static final int SLOTS = 4;
    private static final int TOKENS = 32;

    /** So many of the streams are compared with what the model says when nothing happens. */
    private static final int COMPARED = 4;

    /** Machines that are busy with other things start a node slowly. */
    private static final String PATIENCE = "600";

    private static final Duration ACCIDENTS = Duration.ofSeconds(15);

    /** So much a token may be worse than the best one, as batches of another shape add up in another order. */
    private static final double MARGIN = 0.1;

    @Test
    void twentyStreamsOutliveTheirNode() throws Exception {
        int[] ports = {Launched.freePort(), Launched.freePort()};
        int http = Launched.freePort();
        try (Launched first = node(ports[0]);
                Launched second = node(ports[1]);
                Launched gateway = gateway(http, ports)) {
            awaitModels(http, () -> count(http, "chasqui_engine_slots\\{.*} " + SLOTS) == 2, gateway, first, second);
            List<JsonNode> alone = alone(http);

            Streams streams = new Streams(http, STREAMS);
            // More than one node can have.
            streams.awaitText(SLOTS + 1);
            first.children().forEach(ProcessHandle::destroyForcibly);
            first.kill();
            streams.requireWhole(alone);

            assertThat(gateway.output()).contains("went on after").doesNotContain("story number");
            report("two nodes", http);
        }
    }

    @Test
    void streamsOutliveTheNodeThatServeStartedItself() throws Exception {
        try (Server server = Server.ready(RealModel.HOME, "--parallel", "" + SLOTS, "--takeover-patience", PATIENCE)) {
            int http = server.port();
            List<JsonNode> alone = alone(http);
            Streams streams = new Streams(http, STREAMS);
            streams.awaitText(2);
            server.node().destroyForcibly();
            streams.requireWhole(alone);
            report("serve", http);
        }
    }

    @Test
    void streamsOutliveALocalNodeThatHangs() throws Exception {
        try (Server server = Server.ready(
                RealModel.HOME, "--parallel", "2", "--node-silence", "5", "--takeover-patience", PATIENCE)) {
            List<JsonNode> alone = alone(server.port());
            ProcessHandle hung = server.node();
            // Two of them wait for a slot.
            Streams streams = new Streams(server.port(), 4);
            streams.awaitText(2);
            signal("STOP", hung.pid());
            streams.requireWhole(alone);

            assertThat(hung.isAlive()).isFalse();
            assertThat(server.launched().output()).contains("the local node hangs and is killed");
        }
    }

    /** At random, but the same each time. */
    @Test
    void whateverHappensToTheNodesUnderLoadEveryRequestIsAnsweredInFull() throws Exception {
        Random random = new Random(7);
        List<String> accidents = new ArrayList<>(List.of("KILL", "STOP", "TERM", "KILL BOTH"));
        Collections.shuffle(accidents, random);
        int[] ports = {Launched.freePort(), Launched.freePort()};
        int http = Launched.freePort();
        Launched[] nodes = {node(ports[0]), node(ports[1])};
        try (Launched gateway = gateway(http, ports)) {
            BooleanSupplier well = () -> count(http, "chasqui_engine_slots\\{.*} " + SLOTS) == 2
                    && count(http, "chasqui_nodes\\{state=\"up\"} 2") == 1;
            awaitModels(http, well, gateway, nodes[0], nodes[1]);
            try (Clients clients = new Clients(http, alone(http))) {
                long end = System.nanoTime() + ACCIDENTS.toNanos();
                for (int i = 0; i < accidents.size() || System.nanoTime() < end; i++) {
                    clients.awaitAnswers();
                    int one = random.nextInt(2);
                    String accident = accidents.get(i % accidents.size());
                    if (accident.equals("STOP")) {
                        signal("STOP", nodes[one].pid());
                        Launched.await("silence", SOON, () -> count(http, "chasqui_nodes\\{state=\"up\"} 1") == 1);
                        signal("CONT", nodes[one].pid());
                    } else {
                        restart(accident, nodes, ports, one);
                    }
                    Launched.await("both are back", SOON, well);
                }
                clients.end();
                report("accidents under load", http);
            } catch (AssertionError | CompletionException unanswered) {
                throw new AssertionError(gateway.output(), unanswered);
            }
        } finally {
            nodes[0].close();
            nodes[1].close();
        }
    }

    /** Ends one of the nodes, or both, and starts it anew. */
    private static void restart(String accident, Launched[] nodes, int[] ports, int one)
            throws IOException, InterruptedException {
        int[] ended = accident.endsWith("BOTH") ? new int[] {one, 1 - one} : new int[] {one};
        for (int i : ended) {
            signal(accident.startsWith("KILL") ? "KILL" : "TERM", nodes[i].pid());
        }
        for (int i : ended) {
            nodes[i].exitCode(SOON);
            nodes[i] = node(ports[i]);
        }
    }

    /** Some who ask one question after the other, and want each answered in full. */
    private static final class Clients implements AutoCloseable {
        private static final int COUNT = 4;

        private final AtomicBoolean enough = new AtomicBoolean();
        private final AtomicInteger answered = new AtomicInteger();
        private final List<CompletableFuture<Void>> clients = new ArrayList<>();

        Clients(int http, List<JsonNode> alone) {
            for (int client = 0; client < COUNT; client++) {
                int first = client;
                clients.add(CompletableFuture.runAsync(
                        () -> {
                            for (int i = first; !enough.get(); i++) {
                                int story = i % alone.size();
                                Stream stream = new Stream(http, body(story, true));
                                stream.whole();
                                stream.requireSameAs(
                                        alone.get(story).path("choices").path(0));
                                answered.incrementAndGet();
                            }
                        },
                        task -> new Thread(task, "client").start()));
            }
        }

        /** So many that each of them asks anew. */
        void awaitAnswers() {
            int before = answered.get();
            Launched.await(
                    "answers",
                    SOON,
                    () -> answered.get() > before + COUNT
                            || clients.stream().anyMatch(CompletableFuture::isCompletedExceptionally));
        }

        void end() {
            enough.set(true);
            clients.forEach(CompletableFuture::join);
        }

        @Override
        public void close() {
            enough.set(true);
        }
    }

    private static void signal(String name, long pid) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("kill", "-" + name, "" + pid).start().waitFor())
                .isZero();
    }

    @Test
    void aJsonAnswerStillFitsItsSchema() throws Exception {
        try (Server server = Server.ready(RealModel.HOME, "--parallel", "" + SLOTS, "--takeover-patience", PATIENCE)) {
            String schema =
                    "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"array\",\"minItems\":12,\"maxItems\":12,"
                            + "\"items\":{\"enum\":[\"red\",\"green\",\"blue\"]}},\"b\":{\"type\":\"boolean\"}},"
                            + "\"required\":[\"a\",\"b\"],\"additionalProperties\":false}";
            Stream stream = new Stream(
                    server.port(),
                    "{\"messages\":[{\"role\":\"user\",\"content\":\"Colours\"}],\"stream\":true,\"seed\":3,\"response_format\":"
                            + "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"c\",\"schema\":" + schema + "}}}");
            stream.awaitPieces(3);
            server.node().destroyForcibly();
            JsonNode answer = JSON.readTree(stream.whole());
            assertThat(answer.path("a"))
                    .hasSize(12)
                    .allSatisfy(colour -> assertThat(colour.asString()).isIn("red", "green", "blue"));
            assertThat(answer.path("b").isBoolean()).isTrue();
        }
    }

    /** What the first of the streams say when nothing happens. */
    private static List<JsonNode> alone(int http) throws IOException, InterruptedException {
        List<JsonNode> answers = new ArrayList<>();
        for (int i = 0; i < COMPARED; i++) {
            answers.add(JSON.readTree(HTTP.send(request(http, body(i, false)), BodyHandlers.ofString())
                    .body()));
        }
        return answers;
    }

    /** Many at once. */
    private static final class Streams {
        private final List<Stream> streams = new ArrayList<>();

        Streams(int http, int count) {
            for (int i = 0; i < count; i++) {
                streams.add(new Stream(http, body(i, true)));
            }
        }

        /** So many are in mid-answer; others wait for a slot. */
        void awaitText(int running) {
            Launched.await(
                    "text",
                    SOON,
                    () -> streams.stream().filter(Stream::isRunning).count() >= running);
        }

        void requireWhole(List<JsonNode> alone) {
            for (int i = 0; i < streams.size(); i++) {
                streams.get(i).whole();
                if (i < alone.size()) {
                    streams.get(i).requireSameAs(alone.get(i).path("choices").path(0));
                } else {
                    streams.get(i).requireEachTokenOnce();
                }
            }
        }
    }

    /** One streamed answer, read as it comes. */
    private static final class Stream {
        private final CompletableFuture<Void> end;
        private final List<JsonNode> events = new ArrayList<>();
        private final AtomicInteger pieces = new AtomicInteger();
        private volatile boolean done;

        Stream(int http, String body) {
            end = HTTP.sendAsync(request(http, body), BodyHandlers.ofInputStream())
                    .thenAcceptAsync(this::read, task -> new Thread(task, "reader").start());
        }

        private void read(HttpResponse<java.io.InputStream> response) {
            try (BufferedReader lines =
                    new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    done |= line.equals("data: [DONE]");
                    if (line.startsWith("data: {")) {
                        events.add(JSON.readTree(line.substring(6)));
                        pieces.incrementAndGet();
                    }
                }
            } catch (IOException broken) {
                throw new IllegalStateException(broken);
            }
        }

        boolean isRunning() {
            return pieces.get() > 2 && !done;
        }

        void awaitPieces(int count) {
            Launched.await("text", SOON, () -> pieces.get() > count);
        }

        /** All of its text. */
        String whole() {
            end.orTimeout(SOON.toSeconds(), java.util.concurrent.TimeUnit.SECONDS)
                    .join();
            assertThat(events).noneMatch(event -> event.has("error"));
            assertThat(done).isTrue();
            StringBuilder text = new StringBuilder();
            events.forEach(event -> text.append(
                    event.path("choices").path(0).path("delta").path("content").asString("")));
            return text.toString();
        }

        /** As many tokens as were asked for, each the best one behind those before it, and together the text. */
        List<JsonNode> requireEachTokenOnce() {
            List<JsonNode> tokens = new ArrayList<>();
            for (JsonNode event : events) {
                event.path("choices").path(0).path("logprobs").path("content").forEach(tokens::add);
            }
            assertThat(tokens).hasSize(TOKENS);
            assertThat(events.get(events.size() - 1)
                            .path("usage")
                            .path("completion_tokens")
                            .asInt())
                    .isEqualTo(TOKENS);
            assertThat(tokens).allSatisfy(token -> {
                double best = token.path("top_logprobs").path(0).path("logprob").asDouble();
                assertThat(best - token.path("logprob").asDouble()).isLessThanOrEqualTo(MARGIN);
            });
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            tokens.forEach(token -> token.path("bytes").forEach(one -> bytes.write(one.asInt())));
            assertThat(bytes.toString(StandardCharsets.UTF_8)).isEqualTo(whole());
            return tokens;
        }

        /** The text that comes when nothing happens, or one that is as good where two tokens are. */
        void requireSameAs(JsonNode alone) {
            List<JsonNode> tokens = requireEachTokenOnce();
            JsonNode lone = alone.path("logprobs").path("content");
            for (int i = 0; i < TOKENS; i++) {
                JsonNode token = tokens.get(i);
                if (!token.path("bytes").equals(lone.path(i).path("bytes"))) {
                    requireNear(token, lone.path(i));
                    return;
                }
            }
            assertThat(whole()).isEqualTo(alone.path("message").path("content").asString());
        }

        /** Where the texts part, the run that nothing interrupted found this token as good as its own. */
        private static void requireNear(JsonNode token, JsonNode lone) {
            for (JsonNode other : lone.path("top_logprobs")) {
                if (other.path("bytes").equals(token.path("bytes"))) {
                    assertThat(lone.path("logprob").asDouble()
                                    - other.path("logprob").asDouble())
                            .isLessThanOrEqualTo(MARGIN);
                    return;
                }
            }
            throw new AssertionError("a token that the lone run did not think of");
        }
    }

    private static String body(int number, boolean stream) {
        return "{\"messages\":[{\"role\":\"user\",\"content\":\"Tell me story number " + number
                + ".\"}],\"max_tokens\":"
                + TOKENS + ",\"temperature\":0,\"ignore_eos\":true,\"logprobs\":true,\"top_logprobs\":5,\"stream\":"
                + stream
                + (stream ? ",\"stream_options\":{\"include_usage\":true}}" : "}");
    }

    private static HttpRequest request(int port, String body) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/v1/chat/completions"))
                .header("content-type", "application/json")
                .timeout(Duration.ofMinutes(15))
                .POST(BodyPublishers.ofString(body))
                .build();
    }

    private static Launched node(int port) {
        return Launched.start(
                RealModel.HOME,
                Map.of(),
                List.of("node", "--listen", "127.0.0.1:" + port, "--model", RealModel.NAME, "--parallel", "" + SLOTS));
    }

    private static Launched gateway(int http, int[] ports) {
        return Launched.start(
                RealModel.HOME,
                Map.of("DATABASE_URL", "memory:"),
                List.of(
                        "gateway",
                        "--port",
                        "" + http,
                        "--nodes",
                        "127.0.0.1:" + ports[0] + ",127.0.0.1:" + ports[1],
                        // A machine that is slow is no accident.
                        "--node-silence",
                        "120",
                        "--takeover-patience",
                        PATIENCE));
    }

    private static void awaitModels(int http, BooleanSupplier ready, Launched... processes) {
        try {
            Launched.await("models", SOON, ready);
        } catch (AssertionError absent) {
            StringBuilder output = new StringBuilder();
            for (Launched process : processes) {
                output.append(process.output());
            }
            RealModel.explainMissing(RealModel.HOME, output.toString());
        }
    }

    private static String metrics(int http) {
        try {
            return HTTP.send(
                            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + http + "/metrics"))
                                    .build(),
                            BodyHandlers.ofString())
                    .body();
        } catch (IOException notYet) {
            return "";
        } catch (InterruptedException problem) {
            throw new IllegalStateException(problem);
        }
    }

    private static long count(int http, String pattern) {
        return Pattern.compile(pattern).matcher(metrics(http)).results().count();
    }

    private static void report(String where, int http) {
        Matcher sample = Pattern.compile(
                        "(chasqui_answer_takeovers_total\\{outcome=\"gone_on\"}|chasqui_answer_takeover_pause_seconds_(sum|max)) ([0-9].*)")
                .matcher(metrics(http));
        while (sample.find()) {
            System.out.println(where + ": " + sample.group());
        }
    }
}
