package dev.chasqui.bench;

import dev.chasqui.proto.v1.EngineStatus;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Many requests whose contexts need several times what the KV cache holds: all finish, each text is what the model says alone,
 * and the slowest is not much slower than the mean.
 */
final class Overcommit {
    private static final int CONTEXT = 2048;
    private static final int LEAST_WORDS = 30;
    private static final double MOST_TO_MEAN = 3;

    private Overcommit() {}

    static Verdict run(Options options) throws Exception {
        Setting setting = Setting.of(options);
        int requests = options.number("requests", 64);
        int times = options.number("times", 4);
        int maxTokens = options.number("max-tokens", 96);
        int mostWords = options.number("most-words", 220);
        options.done();
        try (Alone alone = new Alone(setting, CONTEXT)) {
            Random random = new Random(1);
            List<List<Integer>> prompts = new ArrayList<>();
            int needed = 0;
            for (int i = 0; i < requests; i++) {
                int words = LEAST_WORDS + random.nextInt(mostWords - LEAST_WORDS);
                prompts.add(alone.node().tokens(Prompts.chatMl(Prompts.tale(i, words))));
                needed += prompts.get(i).size() + maxTokens;
            }
            int cache = needed / times;
            System.out.printf(
                    "%d requests need %,d tokens of context; the KV cache has %,d%n", requests, needed, cache);
            return ask(setting, alone, prompts, maxTokens, cache);
        }
    }

    private static Verdict ask(Setting setting, Alone alone, List<List<Integer>> prompts, int maxTokens, int cache)
            throws Exception {
        List<Outcome> outcomes;
        EngineStatus end;
        try (Server server = setting.chasqui(prompts.size(), CONTEXT, "--kv-tokens", "" + cache);
                Node node = new Node(server)) {
            Client client = new Client(server);
            outcomes = Crowd.all(prompts.size(), i -> () -> Outcome.of(client, prompts.get(i), maxTokens));
            end = node.idle();
        }
        List<Answer> answers = outcomes.stream().flatMap(Outcome::answers).toList();
        double worst = 0;
        for (int i = 0; i < outcomes.size(); i++) {
            for (Answer answer : outcomes.get(i).answers().toList()) {
                worst = Math.max(worst, alone.worst(prompts.get(i), answer.pieces()));
            }
        }
        return verdict(outcomes, answers, worst, alone.summary(), end, cache);
    }

    private static Verdict verdict(
            List<Outcome> outcomes, List<Answer> answers, double worst, String scored, EngineStatus end, int cache) {
        List<Double> times = answers.stream().map(Answer::tookMs).toList();
        double mean = Verdict.mean(times) / 1000;
        double slowest = Verdict.most(times) / 1000;
        int tokens = answers.stream().mapToInt(Answer::tokens).sum();
        Verdict verdict = new Verdict();
        verdict.row("load | finished | tokens/s | mean s | slowest s | furthest from the best token");
        verdict.row("---|---|---|---|---|---");
        verdict.row(
                "%d at once, KV cache of %,d tokens | %d | %.1f | %.1f | %.1f (%.2f of the mean) | %.3f nats",
                outcomes.size(), cache, answers.size(), tokens / slowest, mean, slowest, slowest / mean, worst);
        verdict.check(
                answers.size() == outcomes.size(),
                "all finish",
                "%d of %d %s",
                answers.size(),
                outcomes.size(),
                outcomes.stream().flatMap(one -> one.failure.stream()).limit(3).toList());
        verdict.check(
                worst <= Alone.MARGIN, "each token is the best one or within 0.1 nats", "%.4f, %s", worst, scored);
        verdict.check(slowest <= MOST_TO_MEAN * mean, "the slowest within 3 times the mean", "%.2f", slowest / mean);
        verdict.check(
                end.getSlotsInUse() + end.getQueued() == 0 && end.getKvTokensUsed() <= end.getKvTokensCapacity(),
                "nothing is left behind",
                "%d slots in use, %d queued",
                end.getSlotsInUse(),
                end.getQueued());
        return verdict;
    }

    /** An answer, or why there is none. */
    private record Outcome(List<Answer> answer, List<String> failure) {
        static Outcome of(Client client, List<Integer> prompt, int maxTokens) throws InterruptedException {
            try {
                Answer answer = client.ask(Client.RAW, greedy(prompt, maxTokens));
                return answer.pieces().size() == maxTokens
                        ? new Outcome(List.of(answer), List.of())
                        : new Outcome(List.of(), List.of(answer.pieces().size() + " tokens"));
            } catch (IOException failed) {
                return new Outcome(List.of(), List.of(String.valueOf(failed.getMessage())));
            }
        }

        java.util.stream.Stream<Answer> answers() {
            return answer.stream();
        }
    }

    /** A request for a greedy answer that can be scored. */
    static Map<String, Object> greedy(List<Integer> prompt, int maxTokens) {
        return Map.of(
                "prompt",
                prompt,
                "max_tokens",
                maxTokens,
                "temperature",
                0,
                "ignore_eos",
                true,
                "logprobs",
                0,
                "stream",
                true,
                "stream_options",
                Map.of("include_usage", true));
    }
}
