package dev.chasqui.bench;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * What tokens computed ahead bring to one stream: on texts that repeat themselves beside llama-server and beside the same
 * without them, and what they cost on texts that do not. Speeds are those after the first text.
 */
final class Speculation {
    private static final int CONTEXT = 2048;
    private static final double LEAST_GAIN = 1.5;
    private static final double MOST_COST = 0.98;

    private final int rounds;
    private final int maxTokens;
    private final Verdict verdict = new Verdict();

    private Speculation(int rounds, int maxTokens) {
        this.rounds = rounds;
        this.maxTokens = maxTokens;
    }

    static Verdict run(Options options) throws Exception {
        Setting setting = Setting.of(options);
        Speculation speculation = new Speculation(options.number("rounds", 5), options.number("max-tokens", 256));
        List<String> peerArguments = options.words("peer-arguments");
        options.done();
        try (Server ahead = setting.chasqui(1, CONTEXT);
                Alone alone = new Alone(setting, CONTEXT);
                Server peer = setting.peer(1, CONTEXT, peerArguments)) {
            speculation.compare(ahead, alone, peer);
        }
        return speculation.verdict;
    }

    private void compare(Server ahead, Alone alone, Server peer) throws Exception {
        Map<String, Client> servers =
                Map.of("ahead", new Client(ahead), "plain", new Client(alone.server()), "peer", new Client(peer));
        verdict.row("text | tokens/s | without | ratio | llama-server | ratio | furthest from the best token");
        verdict.row("---|---|---|---|---|---|---");
        repeating("a code edit", servers, alone, Texts::codeEdit);
        repeating("a summary with quotes", servers, alone, Texts::summary);
        plain(servers);
    }

    private void repeating(String name, Map<String, Client> servers, Alone alone, Texts.Kind kind) throws Exception {
        Map<String, List<Double>> speeds = new HashMap<>();
        double worst = 0;
        for (int round = 0; round < rounds; round++) {
            String prompt = kind.text(round);
            Map<String, Object> body = body(prompt, Map.of("temperature", 0));
            for (String server : order(round)) {
                speed(speeds, server, servers.get(server).ask(Client.RAW, body));
            }
            List<Integer> tokens = alone.node().tokens(prompt);
            Answer scored = servers.get("ahead").ask(Client.RAW, Overcommit.greedy(tokens, maxTokens));
            worst = Math.max(worst, alone.worst(tokens, scored.pieces()));
        }
        double toPlain = ratio(speeds, "plain");
        double toPeer = ratio(speeds, "peer");
        verdict.row(
                "%s | %.1f | %.1f | %.2f | %.1f | %.2f | %.3f nats",
                name,
                Verdict.median(speeds.get("ahead")),
                Verdict.median(speeds.get("plain")),
                toPlain,
                Verdict.median(speeds.get("peer")),
                toPeer,
                worst);
        verdict.check(toPlain >= LEAST_GAIN, name + ", to the same without", "%.2f, wanted %.1f", toPlain, LEAST_GAIN);
        verdict.check(toPeer >= LEAST_GAIN, name + ", to llama-server", "%.2f, wanted %.1f", toPeer, LEAST_GAIN);
        verdict.check(worst <= Alone.MARGIN, name + " is the text without them, within 0.1 nats", "%.4f", worst);
    }

    /** Hot texts, the same for both by their seed. */
    private void plain(Map<String, Client> servers) throws Exception {
        Map<String, List<Double>> speeds = new HashMap<>();
        for (int round = 0; round < 2 * rounds; round++) {
            String prompt = Prompts.chatMl(Prompts.tale(round, 40));
            Map<String, Object> body =
                    body(prompt, Map.of("temperature", 1.2, "top_k", 0, "top_p", 1, "min_p", 0.02, "seed", round));
            for (String server : order(round)) {
                if (!server.equals("peer")) {
                    speed(speeds, server, servers.get(server).ask(Client.RAW, body));
                }
            }
        }
        double ratio = ratio(speeds, "plain");
        verdict.row(
                "a text that never repeats itself | %.1f | %.1f | %.3f | | | ",
                Verdict.median(speeds.get("ahead")), Verdict.median(speeds.get("plain")), ratio);
        verdict.check(
                ratio >= MOST_COST, "no loss where there is nothing to guess", "%.3f, wanted %.2f", ratio, MOST_COST);
    }

    private static List<String> order(int round) {
        List<String> order = new ArrayList<>(List.of("ahead", "plain", "peer"));
        Collections.rotate(order, round);
        return order;
    }

    private Map<String, Object> body(String prompt, Map<String, Object> sampling) {
        Map<String, Object> body = new HashMap<>(sampling);
        body.putAll(Map.of(
                "prompt",
                prompt,
                "max_tokens",
                maxTokens,
                "ignore_eos",
                true,
                "stream",
                true,
                "stream_options",
                Map.of("include_usage", true)));
        return body;
    }

    private static void speed(Map<String, List<Double>> speeds, String server, Answer answer) {
        speeds.computeIfAbsent(server, name -> new ArrayList<>()).add(answer.tokensPerSecondOfDecode());
    }

    /** The median of the rounds' ratios. */
    private static double ratio(Map<String, List<Double>> speeds, String to) {
        List<Double> ratios = new ArrayList<>();
        for (int i = 0; i < speeds.get(to).size(); i++) {
            ratios.add(speeds.get("ahead").get(i) / speeds.get(to).get(i));
        }
        return Verdict.median(ratios);
    }

    /** Questions whose answers say again much of what they are given. */
    private static final class Texts {
        private static final List<String> NAMES =
                List.of("count", "size", "weight", "height", "price", "speed", "depth", "score");
        private static final List<String> SENTENCES = List.of(
                "The harbour of Alder Bay was built by fishermen who came from the northern islands.",
                "A storm broke the old pier, and the town paid for a new one made of stone.",
                "Every spring the boats are painted blue and white before they leave for the deep water.",
                "The school teaches children how to mend nets, read charts and cook for a whole crew.",
                "Visitors arrive by a small railway that follows the river through the hills.",
                "In winter the lighthouse keeper writes a letter to the mayor about the state of the coast.",
                "The market sells smoked fish, rye bread, and honey from the heath behind the town.");

        private Texts() {}

        /** The question of a round. */
        @FunctionalInterface
        interface Kind {
            String text(int round);
        }

        static String codeEdit(int round) {
            Random random = new Random(round);
            StringBuilder code = new StringBuilder("public final class Parcel {\n");
            List<String> names = new ArrayList<>(NAMES);
            Collections.shuffle(names, random);
            for (String name : names.subList(0, 5)) {
                String capital = Character.toUpperCase(name.charAt(0)) + name.substring(1);
                code.append("    private int ")
                        .append(name)
                        .append(";\n\n    public int get")
                        .append(capital)
                        .append("() {\n        return this.")
                        .append(name)
                        .append(";\n    }\n\n    public void set")
                        .append(capital)
                        .append("(int ")
                        .append(name)
                        .append(") {\n        this.")
                        .append(name)
                        .append(" = ")
                        .append(name)
                        .append(";\n    }\n\n");
            }
            return Prompts.chatMl("Here is a class:\n```java\n" + code
                            + "}\n```\nWrite the whole class again with the name Box instead of Parcel.")
                    + "```java\npublic final class Box {\n";
        }

        static String summary(int round) {
            List<String> sentences = new ArrayList<>(SENTENCES);
            Collections.shuffle(sentences, new Random(round));
            return Prompts.chatMl("Summarise this text. Quote each sentence before you say what it means.\n\n"
                            + String.join(" ", sentences))
                    + "The text says: \"" + sentences.get(0).substring(0, 20);
        }
    }
}
