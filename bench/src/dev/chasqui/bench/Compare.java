package dev.chasqui.bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Runs Chasqui and llama-server side by side on one model and prints how they compare. Both are started for each number of
 * streams, and measured in turns, so that what else the machine does hits both alike.
 */
final class Compare {
    private static final long ROUND_LIMIT_S = 300;

    /** What to measure. */
    private record Plan(
            Setting setting,
            int[] streams,
            int rounds,
            int perStream,
            int context,
            int busy,
            Questions questions,
            List<String> peerArguments) {
        static Plan of(Options options) {
            Plan plan = new Plan(
                    Setting.of(options),
                    Arrays.stream(options.text("streams", "1,8,32").split(","))
                            .mapToInt(Integer::parseInt)
                            .toArray(),
                    options.number("rounds", 5),
                    options.number("per-stream", 2),
                    options.number("ctx", 1024),
                    options.number("busy", 0),
                    new Questions(
                            options.number("prompt-words", 64),
                            options.number("shared-words", 0),
                            options.number("long-every", 0),
                            options.number("long-words", 1100),
                            options.number("max-tokens", 128),
                            options.text("sampling", "{\"temperature\":0}")),
                    options.words("peer-arguments"));
            options.done();
            return plan;
        }
    }

    /**
     * What is asked.
     *
     * @param words random words of each question
     * @param sharedWords words of a system message that all questions of a round have in common; 0: none
     * @param longEvery of so many questions the last is a long one; 0: none is
     * @param longWords words of a long one
     * @param maxTokens tokens of each answer
     * @param sampling fields of each request, a JSON object
     */
    private record Questions(int words, int sharedWords, int longEvery, int longWords, int maxTokens, String sampling) {
        String request(int round, int number) {
            boolean isLong = longEvery > 0 && number % longEvery == longEvery - 1;
            JsonNode fields = Client.JSON.readTree(sampling);
            if (!(fields instanceof ObjectNode body)) {
                throw new IllegalArgumentException("--sampling: " + sampling + " (expected: a JSON object)");
            }
            if (sharedWords > 0) {
                message(body, "system", "You know" + Prompts.words(round, sharedWords));
            }
            message(body, "user", "Tell a tale of" + Prompts.words(1000L * round + number, isLong ? longWords : words));
            body.put("max_tokens", maxTokens).put("ignore_eos", true).put("stream", true);
            body.putObject("stream_options").put("include_usage", true);
            return body.toString();
        }

        private static void message(ObjectNode body, String role, String content) {
            body.withArray("messages").addObject().put("role", role).put("content", content);
        }
    }

    /** What all clients saw in one round. */
    private record Round(
            double tokensPerSecond,
            double firstTextMedianMs,
            double firstTextLastMs,
            double gapP99Ms,
            double gapWorstMs,
            double cachedPercent) {}

    private Compare() {}

    static Verdict run(Options options) throws Exception {
        Plan plan = Plan.of(options);
        System.out.printf(
                "model %s, %d threads, %d busy processes beside, %d rounds, %s%n%n",
                plan.setting.model().getFileName(), plan.setting.threads(), plan.busy, plan.rounds, plan.questions);
        Verdict verdict = new Verdict();
        verdict.row("load | tokens/s | ratio | median first text ms | ratio | worst gap ms | ratio");
        verdict.row("---|---|---|---|---|---|---");
        for (int streams : plan.streams) {
            try (Server ours = plan.setting.chasqui(streams, plan.context);
                    Server theirs = plan.setting.peer(streams, plan.context, plan.peerArguments);
                    BusyProcesses busy = BusyProcesses.start(plan.busy)) {
                compare(plan, streams, ours, theirs, verdict);
            }
        }
        return verdict;
    }

    private static void compare(Plan plan, int streams, Server ours, Server theirs, Verdict verdict) throws Exception {
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
        String load = streams + " stream" + (streams == 1 ? "" : "s");
        System.out.println(load);
        String row = load;
        row += print("tokens/s", our, their, Round::tokensPerSecond);
        row += print("first text ms", our, their, Round::firstTextMedianMs);
        print("last of them", our, their, Round::firstTextLastMs);
        print("gap p99 ms", our, their, Round::gapP99Ms);
        row += print("worst gap ms", our, their, Round::gapWorstMs);
        print("cached %", our, their, Round::cachedPercent);
        System.out.printf("  %-14s %9.2f %9.2f%n", "answers s", ours.answersS(), theirs.answersS());
        System.out.printf("  %-14s %9.2f %9.2f%n", "ready s", ours.readyS(), theirs.readyS());
        System.out.printf(
                "  %-14s %9d %9d   beyond the model's file%n%n",
                "memory MB",
                ours.memoryBeyond(plan.setting.model()) / 1_000_000,
                theirs.memoryBeyond(plan.setting.model()) / 1_000_000);
        verdict.row("%s", row);
    }

    /** Returns the cells of a row that say the same. */
    private static String print(String name, List<Round> our, List<Round> their, ToDoubleFunction<Round> figure) {
        List<Double> ratios = new ArrayList<>();
        for (int i = 0; i < our.size(); i++) {
            ratios.add(figure.applyAsDouble(our.get(i)) / figure.applyAsDouble(their.get(i)));
        }
        double ours = Verdict.median(our.stream().map(figure::applyAsDouble).toList());
        double theirs = Verdict.median(their.stream().map(figure::applyAsDouble).toList());
        double ratio = Verdict.median(ratios);
        double least = Collections.min(ratios);
        double most = Collections.max(ratios);
        System.out.printf("  %-14s %9.1f %9.1f   ratio %.3f (%.3f to %.3f)%n", name, ours, theirs, ratio, least, most);
        return String.format(Locale.ROOT, " | %,.1f / %,.1f | %.2f (%.2f to %.2f)", ours, theirs, ratio, least, most);
    }

    /** One round: every stream asks as often as planned, four times in all or more, each time something new, the same of both servers. */
    private static Round measure(Plan plan, int streams, Server server, int round) throws Exception {
        int requests = Math.max(4, plan.perStream * streams);
        Client client = new Client(server);
        ExecutorService clients = Executors.newFixedThreadPool(streams, Crowd::daemon);
        long began = System.nanoTime();
        List<Future<Answer>> pending = new ArrayList<>();
        for (int i = 0; i < requests; i++) {
            String body = plan.questions.request(round, i);
            pending.add(clients.submit(() -> client.ask(Client.CHAT, body)));
        }
        List<Answer> answers = new ArrayList<>();
        for (Future<Answer> answer : pending) {
            answers.add(answer.get(ROUND_LIMIT_S, TimeUnit.SECONDS));
        }
        double seconds = Client.millisSince(began) / 1000;
        clients.shutdown();
        return summary(server, answers, requests * plan.questions.maxTokens(), seconds);
    }

    private static Round summary(Server server, List<Answer> answers, int expected, double seconds) throws IOException {
        int tokens = answers.stream().mapToInt(Answer::tokens).sum();
        if (tokens != expected) {
            throw new IOException(server.name() + " sent " + tokens + " tokens of " + expected);
        }
        List<Double> firsts = answers.stream().map(Answer::firstTextMs).toList();
        List<Double> gaps =
                answers.stream().flatMap(answer -> answer.gapsMs().stream()).toList();
        double cached = 100.0
                * answers.stream().mapToInt(Answer::cachedTokens).sum()
                / answers.stream().mapToInt(Answer::promptTokens).sum();
        return new Round(
                tokens / seconds,
                Verdict.median(firsts),
                Verdict.most(firsts),
                Verdict.percentile(gaps, 99),
                Verdict.most(gaps),
                cached);
    }
}
