package dev.chasqui.bench;

import dev.chasqui.proto.v1.EngineStatus;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;

/**
 * Whatever clients do, mixed at random, for a long time: prompts of all lengths with and without a beginning in common, answers
 * of all lengths, streamed or whole, cancelled, stopped, bound to grammars and schemas, several at once, with seeds and with
 * log-probabilities. Each must be answered or refused as promised; the memory must not grow; and at the end every slot and every
 * cell of the KV cache must be usable.
 */
final class Soak {
    private static final int SLOTS = 8;
    private static final int CONTEXT = 1024;
    private static final int CLIENTS = 16;
    private static final long SAMPLE_MS = 15_000;
    private static final double MOST_GROWTH = 1.05;
    private static final long SLACK_BYTES = 24L << 20;
    private static final String SCHEMA =
            "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\",\"maxLength\":20},\"age\":{\"type\":\"integer\"},"
                    + "\"tags\":{\"type\":\"array\",\"maxItems\":3,\"items\":{\"enum\":[\"a\",\"b\"]}}},\"required\":[\"name\",\"age\"],"
                    + "\"additionalProperties\":false}";

    private final Client client;
    private final long endNanos;
    private final Map<String, Integer> counts = new TreeMap<>();
    private final List<String> failures = new ArrayList<>();

    private Soak(Server server, long endNanos) {
        this.client = new Client(server);
        this.endNanos = endNanos;
    }

    static Verdict run(Options options) throws Exception {
        Setting setting = Setting.of(options);
        int minutes = options.number("minutes", 30);
        int seed = options.number("seed", 1);
        options.done();
        Verdict verdict = new Verdict();
        try (Server server = setting.chasqui(SLOTS, CONTEXT, "--queue", "8", "--prompt-cache", "64");
                Node node = new Node(server)) {
            Soak soak = new Soak(server, System.nanoTime() + minutes * 60_000_000_000L);
            List<Long> memory = Collections.synchronizedList(new ArrayList<>());
            List<Long> requests = Collections.synchronizedList(new ArrayList<>());
            Crowd.daemon(() -> soak.watch(setting, server, node, memory, requests))
                    .start();
            Crowd.all(CLIENTS, worker -> () -> soak.work(new Random(1000L * seed + worker)));
            EngineStatus end = node.idle();
            soak.judge(verdict, minutes, memory, requests, end, server.trouble());
            soak.fill(verdict, node);
        }
        return verdict;
    }

    private void watch(Setting setting, Server server, Node node, List<Long> memory, List<Long> requests) {
        while (System.nanoTime() < endNanos) {
            Pause.millis(SAMPLE_MS);
            memory.add(server.memoryBeyond(setting.model()));
            EngineStatus status = node.engine();
            requests.add(status.getRequestsTotal());
            System.out.printf(
                    "%d requests, %d of %d slots, %d queued, %d of %d tokens of KV cache, %d MB%n",
                    status.getRequestsTotal(),
                    status.getSlotsInUse(),
                    status.getSlots(),
                    status.getQueued(),
                    status.getKvTokensUsed(),
                    status.getKvTokensCapacity(),
                    memory.get(memory.size() - 1) / 1_000_000);
        }
    }

    /** One client: works for a while, and is away for a while, so that now and then nobody is there. */
    private boolean work(Random random) {
        while (System.nanoTime() < endNanos) {
            // All pause in the same seconds of a minute, so that the engine gets idle and checks its books.
            if (System.nanoTime() / 1_000_000_000L % 60 < 8) {
                Pause.millis(200);
                continue;
            }
            Ask ask = Ask.random(random);
            try {
                count(visit(ask, random));
            } catch (Client.Refused no) {
                if ((no.status == 429 || no.status == 503) && no.retryAfterS >= 1) {
                    count("refused");
                    Pause.millis(random.nextInt(1000));
                } else {
                    fail(ask, no);
                }
            } catch (IOException | InterruptedException | RuntimeException problem) {
                fail(ask, problem);
            }
        }
        return true;
    }

    private String visit(Ask ask, Random random) throws IOException, InterruptedException {
        if (!ask.stream && random.nextInt(5) == 0) {
            client.abandon(Client.CHAT, ask.body, random.nextInt(500));
            return "left";
        }
        if (!ask.stream) {
            ask.check(client.whole(Client.CHAT, ask.body));
            return "whole";
        }
        if (random.nextInt(5) == 0) {
            try (Client.Stream stream = client.open(Client.CHAT, ask.body)) {
                if (random.nextBoolean()) {
                    stream.readPieces(random.nextInt(20));
                } else {
                    Pause.millis(random.nextInt(500));
                }
            }
            return "left";
        }
        try (Client.Stream stream = client.open(Client.CHAT, ask.body)) {
            stream.readAll();
        }
        return "streamed";
    }

    private synchronized void count(String what) {
        counts.merge(what, 1, Integer::sum);
    }

    private synchronized void fail(Ask ask, Exception problem) {
        failures.add(ask.kind + ": " + problem);
    }

    private synchronized void judge(
            Verdict verdict,
            int minutes,
            List<Long> memory,
            List<Long> requests,
            EngineStatus end,
            List<String> trouble) {
        List<Double> megabytes = memory.stream().map(bytes -> bytes / 1e6).toList();
        int quarter = megabytes.size() / 4;
        // Before that the heaps of both virtual machines grow to their size, for some 3,000 requests.
        double early = Verdict.median(megabytes.subList(2 * quarter, 3 * quarter));
        double late = Verdict.median(megabytes.subList(3 * quarter, megabytes.size()));
        int answered = counts.values().stream().mapToInt(count -> count).sum();
        verdict.row("load | requests | failures | memory MB, third quarter to last | slots and queue at the end");
        verdict.row("---|---|---|---|---");
        verdict.row(
                "%d minutes of everything, %d clients | %d %s | %d | %.0f to %.0f | %d and %d",
                minutes, CLIENTS, answered, counts, failures.size(), early, late, end.getSlotsInUse(), end.getQueued());
        verdict.check(
                failures.isEmpty(),
                "each request is answered or refused as promised",
                "%d failures %s",
                failures.size(),
                failures.stream().limit(5).toList());
        verdict.check(
                late <= early * MOST_GROWTH + SLACK_BYTES / 1e6,
                "memory does not grow",
                "%.0f to %.0f MB",
                early,
                late);
        verdict.check(
                end.getSlotsInUse() + end.getQueued() == 0,
                "nothing is left behind",
                "%d slots in use, %d queued",
                end.getSlotsInUse(),
                end.getQueued());
        boolean oneEngine = requests.stream().sorted().toList().equals(requests);
        verdict.check(
                oneEngine && trouble.isEmpty(),
                "the engine never ended: its books agreed with the KV cache whenever it was idle",
                "%d lines of trouble in the log %s",
                trouble.size(),
                trouble.stream().limit(3).toList());
    }

    /** Fills every slot to its end at once: a cell that was lost would be missed now. */
    private void fill(Verdict verdict, Node node) throws Exception {
        List<Integer> word = node.tokens(" harbour");
        List<Answer> answers = Crowd.all(SLOTS, slot -> () -> {
            List<Integer> prompt = new ArrayList<>(node.tokens("" + slot));
            while (prompt.size() < CONTEXT - 40) {
                prompt.addAll(word);
            }
            Map<String, Object> body = new HashMap<>(Overcommit.greedy(prompt, CONTEXT));
            body.remove("logprobs");
            return client.ask(Client.RAW, body);
        });
        verdict.check(
                answers.stream().allMatch(answer -> answer.promptTokens() + answer.tokens() >= CONTEXT),
                "every cell of the KV cache can be used",
                "%d slots filled to %d tokens",
                answers.size(),
                answers.stream()
                        .mapToInt(answer -> answer.promptTokens() + answer.tokens())
                        .min()
                        .orElse(0));
    }

    /** One request. */
    private record Ask(String kind, boolean stream, Map<String, Object> body) {
        static Ask random(Random random) {
            Map<String, Object> body = new HashMap<>();
            List<Object> messages = new ArrayList<>();
            if (random.nextBoolean()) {
                messages.add(message("system", "You know" + Prompts.words(random.nextInt(6), 150)));
            }
            int words = List.of(2, 15, 60, 180).get(random.nextInt(4));
            messages.add(message("user", Prompts.tale(random.nextInt(50), words)));
            body.put("messages", messages);
            body.put("max_tokens", List.of(1, 8, 40, 120).get(random.nextInt(4)));
            body.put("temperature", List.of(0, 0.8, 1.3).get(random.nextInt(3)));
            body.put("seed", random.nextInt(10));
            boolean stream = random.nextInt(4) > 0;
            body.put("stream", stream);
            return new Ask(special(body, random), stream, body);
        }

        private static String special(Map<String, Object> body, Random random) {
            switch (random.nextInt(12)) {
                case 0 -> {
                    body.put(
                            "response_format",
                            Map.of(
                                    "type",
                                    "json_schema",
                                    "json_schema",
                                    Map.of("name", "person", "schema", Client.JSON.readTree(SCHEMA))));
                    return "schema";
                }
                case 1 -> {
                    body.put("response_format", Map.of("type", "json_object"));
                    return "json";
                }
                case 2 -> {
                    body.put("grammar", "root ::= (\"yes\" | \"no\") (\", \" (\"yes\" | \"no\"))* \".\"");
                    return "grammar";
                }
                case 3 -> {
                    body.put("stop", List.of(" the", "e", ".\n"));
                    return "stop";
                }
                case 4 -> {
                    body.put("n", 2);
                    return "two";
                }
                case 5 -> {
                    body.put("logprobs", true);
                    body.put("top_logprobs", 3);
                    return "logprobs";
                }
                case 6 -> {
                    body.putAll(Map.of("top_k", 0, "top_p", 0.9, "repeat_penalty", 1.2, "min_p", 0.02));
                    return "penalties";
                }
                case 7 -> {
                    body.putAll(Map.of("dry_multiplier", 0.8, "xtc_probability", 0.3));
                    return "dry";
                }
                case 8 -> {
                    body.put("mirostat", 2);
                    return "mirostat";
                }
                default -> {
                    return "plain";
                }
            }
        }

        private static Map<String, Object> message(String role, String content) {
            return Map.of("role", role, "content", content);
        }

        /** An answer in one piece must be what was asked for. */
        void check(JsonNode answer) throws IOException {
            for (JsonNode choice : answer.path("choices")) {
                String text = choice.path("message").path("content").asString("");
                boolean whole = choice.path("finish_reason").asString("").equals("stop");
                if (whole
                        && (kind.equals("schema") || kind.equals("json"))
                        && !Client.JSON.readTree(text).isObject()) {
                    throw new IOException("no JSON object");
                }
                if (whole && kind.equals("grammar") && !text.matches("(yes|no)(, (yes|no))*\\.")) {
                    throw new IOException("not by the grammar");
                }
            }
            if (answer.path("choices").size() != (kind.equals("two") ? 2 : 1)) {
                throw new IOException(answer.path("choices").size() + " choices");
            }
        }
    }
}
