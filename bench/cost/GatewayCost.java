package dev.chasqui.gateway;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * What a gateway costs between a client and a node that gives tokens at a set pace: time to the first byte, processor
 * time and wake-ups a token, memory, and what slow readers do to the others. Started by {@code bench/gateway}; talks to
 * loopback only, and every wait has an end.
 */
public final class GatewayCost {
    private static final Duration LIMIT = Duration.ofMinutes(3);
    /** About as long as the tokens of a language model. */
    private static final int LETTERS = 5;
    /** Readers that stop, and how often. */
    private static final int SLOW = 30;

    private static final int SLOW_ROUNDS = 3;
    /** Requests until the optimising compiler of a gateway has little left to do: before, it takes a core for milliseconds. */
    private static final int SETTLED = 8000;

    /** @param litellm null: is not compared */
    private record Plan(
            Path chasqui, @Nullable Path litellm, Path logs, int probes, int rounds, int seconds, int streams, int[][] loads, List<String> parts) {

        static Plan of(String[] arguments) {
            Map<String, String> given = new HashMap<>();
            for (int i = 0; i + 1 < arguments.length; i += 2) {
                given.put(arguments[i], arguments[i + 1]);
            }
            String litellm = taken(given, "--litellm", "");
            Plan plan = new Plan(
                    Path.of(taken(given, "--chasqui", "chasqui")),
                    litellm.isEmpty() ? null : Path.of(litellm),
                    Path.of(taken(given, "--logs", ".")),
                    Integer.parseInt(taken(given, "--probes", "200")),
                    Integer.parseInt(taken(given, "--rounds", "5")),
                    Integer.parseInt(taken(given, "--seconds", "10")),
                    Integer.parseInt(taken(given, "--streams", "2000")),
                    Arrays.stream(taken(given, "--loads", "1x50,8x30,32x10,32x50").split(","))
                            .map(load -> Arrays.stream(load.split("x")).mapToInt(Integer::parseInt).toArray())
                            .toArray(int[][]::new),
                    List.of(taken(given, "--parts", "idle,first,tokens,many,slow").split(",")));
            if (!given.isEmpty() || arguments.length % 2 != 0) {
                throw new IllegalArgumentException("unknown arguments: " + given.keySet());
            }
            return plan;
        }

        private static String taken(Map<String, String> given, String name, String otherwise) {
            String value = given.remove(name);
            return value == null ? otherwise : value;
        }
    }

    private final Plan plan;
    private final List<Upstreams.Server> servers;
    private final Upstreams.Server direct;
    private final Upstreams.Server ours;
    private final Map<String, Boolean> verdicts = new LinkedHashMap<>();

    private GatewayCost(Plan plan, List<Upstreams.Server> servers) {
        this.plan = plan;
        this.servers = servers;
        direct = servers.get(0);
        ours = servers.get(1);
    }

    public static void main(String[] arguments) throws Exception {
        Plan plan = Plan.of(arguments);
        Upstreams.Node node = Upstreams.startNode(plan.logs);
        List<Upstreams.Server> servers = new ArrayList<>(List.of(node.http()));
        boolean good;
        try {
            servers.add(Upstreams.startGateway(plan.chasqui, node, plan.logs));
            if (plan.litellm != null) {
                servers.add(Upstreams.startLiteLlm(plan.litellm, node, plan.logs));
            }
            good = new GatewayCost(plan, servers).run();
        } finally {
            servers.forEach(Upstreams.Server::close);
        }
        System.exit(good ? 0 : 1);
    }

    private boolean run() throws Exception {
        System.out.printf(
                "%d cores, Java %s, tokens of %d letters%n",
                Runtime.getRuntime().availableProcessors(), System.getProperty("java.version"), LETTERS);
        for (Upstreams.Server server : servers) {
            // The compilers of a JVM need some ten thousand tokens and some hundred requests.
            boolean quick = server == direct || server == ours;
            steady(server, 32, quick ? 100 : 10, 20);
            probe(server, new Histogram(60_000_000, 3), quick ? 3000 : 100);
        }
        for (String part : plan.parts) {
            switch (part) {
                case "first" -> firstBytes();
                case "tokens" -> tokens();
                case "many" -> many();
                case "slow" -> slowReaders();
                case "idle" -> idle();
                default -> throw new IllegalArgumentException("--parts: " + part);
            }
        }
        System.out.printf("%n| what | |%n|---|---|%n");
        verdicts.forEach((what, good) -> System.out.printf("| %s | %s |%n", what, good ? "yes" : "**no**"));
        return !verdicts.containsValue(false);
    }

    private void verdict(String what, boolean good) {
        verdicts.put(what, good);
    }

    /** One request after the other, of each server in turns. */
    private void firstBytes() throws Exception {
        Map<Upstreams.Server, Histogram> times = new LinkedHashMap<>();
        Map<Upstreams.Server, Long> cpu = new HashMap<>();
        for (Upstreams.Server server : servers) {
            times.put(server, new Histogram(60_000_000, 3));
        }
        Histogram early = new Histogram(60_000_000, 3);
        probe(ours, early, plan.probes);
        probe(ours, new Histogram(60_000_000, 3), SETTLED);
        for (int round = 0; round < plan.rounds; round++) {
            for (Upstreams.Server server : servers) {
                Watched.Sample before = server.watched().sample();
                probe(server, times.get(server), plan.probes);
                cpu.merge(server, server.watched().sample().cpuNanosSince(before), Long::sum);
            }
        }
        System.out.printf("%n| time to the first byte, ms | p50 | p99 | added p50 | added p99 | CPU a request, ms |%n|---|---|---|---|---|---|%n");
        Histogram base = times.get(direct);
        times.forEach((server, all) -> System.out.printf("| %s | %.2f | %.2f | %.2f | %.2f | %.2f |%n",
                server.name(), at(all, 50), at(all, 99), at(all, 50) - at(base, 50), at(all, 99) - at(base, 99),
                cpu.get(server) / 1e6 / all.getTotalCount()));
        System.out.printf("%nIts first %d requests one after the other, while its compilers work: p50 %.2f, p99 %.2f%n", plan.probes, at(early, 50), at(early, 99));
        verdict("adds at most 1 ms to the first byte at p50", at(times.get(ours), 50) - at(base, 50) <= 1);
        verdict("adds at most 3 ms to the first byte at p99", at(times.get(ours), 99) - at(base, 99) <= 3);
    }

    private void probe(Upstreams.Server server, Histogram times, int count) throws Exception {
        PacedNode.Wish wish = new PacedNode.Wish(2, LETTERS, 1000);
        try (Load load = new Load(server.port());
                Load.Client client = load.connect()) {
            for (int i = 0; i < count; i++) {
                Load.Result result = client.ask(wish).get(LIMIT.toSeconds(), TimeUnit.SECONDS);
                if (!result.complaint().isEmpty()) {
                    throw new IllegalStateException(server.name() + ": " + result.complaint());
                }
                times.recordValue((result.firstByte - result.asked) / 1000);
            }
        }
    }

    /** Processor time a token at loads that every server can bear. */
    private void tokens() throws Exception {
        System.out.printf("%n| streams x tokens/s | server | tokens/s | CPU a token, µs | wake-ups a token | gap p50 ms | gap p99 ms |%n|---|---|---|---|---|---|---|%n");
        for (int[] load : plan.loads) {
            double least = 0;
            for (Upstreams.Server server : servers) {
                if (server.name().equals("litellm") && load[0] * load[1] > 400) {
                    continue;
                }
                Run run = steady(server, load[0], load[1], plan.seconds);
                System.out.printf("| %d x %d | %s | %.0f | %.1f | %.2f | %.1f | %.1f |%n", load[0], load[1], server.name(),
                        run.perSecond(), run.cpuMicros(), run.wakeUps(), at(run.gaps, 50), at(run.gaps, 99));
                if (server == direct) {
                    least = run.cpuMicros();
                } else if (server == ours) {
                    // So few tokens a second cost a wake-up each, whoever sends them.
                    String most = least > 20 ? "20 µs of processor time a token, or what it takes without a gateway," : "20 µs of processor time a token";
                    verdict("at most " + most + " at " + load[0] + " streams of " + load[1] + " tokens/s", run.cpuMicros() <= Math.max(20, least));
                }
            }
        }
    }

    /** What was seen while a number of streams ran evenly. */
    private record Run(Watched.Sample from, Watched.Sample to, long tokens, Histogram gaps, List<Load.Result> results) {
        double perSecond() {
            return tokens / to.secondsSince(from);
        }

        double cpuMicros() {
            return to.cpuNanosSince(from) / 1e3 / tokens;
        }

        double wakeUps() {
            return to.wakeUpsSince(from) / (double) tokens;
        }

        long complaints() {
            return results.stream().filter(result -> !result.complaint().isEmpty()).count();
        }
    }

    private Run steady(Upstreams.Server server, int streams, int perSecond, int seconds) throws Exception {
        int begin = 2 + streams / 500;
        try (Load load = new Load(server.port())) {
            List<CompletableFuture<Load.Result>> answers = new ArrayList<>();
            for (int i = 0; i < streams; i++) {
                answers.add(load.connect().ask(new PacedNode.Wish((seconds + begin + 2) * perSecond, LETTERS, perSecond)));
            }
            Thread.sleep(begin * 1000L);
            Histogram gaps = load.measureGaps();
            long tokens = load.tokens();
            Watched.Sample from = server.watched().sample();
            Thread.sleep(seconds * 1000L);
            Watched.Sample to = server.watched().sample();
            tokens = load.tokens() - tokens;
            List<Load.Result> results = new ArrayList<>();
            for (CompletableFuture<Load.Result> answer : answers) {
                results.add(answer.get(LIMIT.toSeconds(), TimeUnit.SECONDS));
            }
            return new Run(from, to, tokens, gaps, results);
        }
    }

    /** Very many streams, three times over: the memory must not grow. */
    private void many() throws Exception {
        System.out.printf("%n| %d streams x 10 tokens/s | tokens/s | CPU a token, µs | wake-ups a token | gap p50 ms | gap p99 ms | memory MB | broken answers |%n|---|---|---|---|---|---|---|---|%n", plan.streams);
        long[] memory = new long[3];
        long broken = 0;
        double dearest = 0;
        double slowest = Double.MAX_VALUE;
        for (int i = 0; i < 3; i++) {
            Run run = steady(ours, plan.streams, 10, plan.seconds);
            memory[i] = run.to.residentBytes();
            broken += run.complaints();
            dearest = Math.max(dearest, run.cpuMicros());
            slowest = Math.min(slowest, run.perSecond());
            System.out.printf("| %d | %.0f | %.1f | %.2f | %.1f | %.1f | %d to %d | %d |%n", i + 1, run.perSecond(), run.cpuMicros(), run.wakeUps(),
                    at(run.gaps, 50), at(run.gaps, 99), run.from.residentBytes() / 1_000_000, memory[i] / 1_000_000, run.complaints());
        }
        verdict(plan.streams + " streams at once, no token lost", broken == 0);
        verdict(plan.streams + " streams get 10 tokens/s each", slowest >= 9.8 * plan.streams);
        verdict("at most 20 µs of processor time a token at " + plan.streams + " streams", dearest <= 20);
        verdict("memory does not grow from one such load to the next", memory[2] <= 1.1 * memory[1]);
    }

    /** The same load through the gateway and past it at the same time, so that what disturbs the machine disturbs both. */
    private record Pair(Run ours, Run direct) {
        double addedMs(double percentile) {
            return at(ours.gaps, percentile) - at(direct.gaps, percentile);
        }
    }

    private Pair pair(int streams, int perSecond) throws Exception {
        CompletableFuture<Run> past = CompletableFuture.supplyAsync(() -> {
            try {
                return steady(direct, streams, perSecond, plan.seconds);
            } catch (Exception e) {
                throw new CompletionException(e);
            }
        });
        Run through = steady(ours, streams, perSecond, plan.seconds);
        return new Pair(through, past.get(LIMIT.toSeconds(), TimeUnit.SECONDS));
    }

    /** Readers that stop, beside readers that read: rounds without them and rounds with them, in turns. */
    private void slowReaders() throws Exception {
        List<Pair> alone = new ArrayList<>();
        List<Pair> beside = new ArrayList<>();
        long complaints = 0;
        Stopped all = new Stopped(0, 0, 0, 0);
        System.out.printf("%n| 16 readers x 20 tokens/s through it, 16 past it | added to gaps at p50, ms | at p99, ms | CPU a token, µs |%n|---|---|---|---|%n");
        for (int round = 1; round <= SLOW_ROUNDS; round++) {
            alone.add(pair(16, 20));
            print("alone", alone.get(round - 1));
            try (Load load = new Load(ours.port())) {
                long before = ours.watched().sample().residentBytes();
                List<CompletableFuture<Load.Result>> answers = new ArrayList<>();
                List<Load.Client> clients = stopped(load, answers);
                beside.add(pair(16, 20));
                long grown = ours.watched().sample().residentBytes() - before;
                print("beside " + SLOW + " that stopped reading", beside.get(round - 1));
                clients.forEach(Load.Client::goOnReading);
                all = all.and(answers, grown);
            }
            complaints += alone.get(round - 1).ours.complaints() + beside.get(round - 1).ours.complaints();
        }
        PacedNode.Wish wish = unread();
        System.out.printf("%nThose who stopped, with %.1f MB of text for each: the gateway grew by %d MB at most; when they read on, %d of %d got all of it, %d tokens in %d events each.%n",
                wish.tokens() * wish.letters() / 1e6, all.grown / 1_000_000, all.readers - all.broken, all.readers, wish.tokens(), all.events / all.readers);
        verdict("readers that stop lose nothing", all.broken == 0);
        verdict("readers that stop cost the others nothing", complaints == 0 && median(beside) <= median(alone) + 10);
        verdict("readers that stop get large pieces when they read on", all.events / all.readers < wish.tokens() - 500);
        verdict("readers that stop take less than 1 MB each", all.grown < SLOW * 1_000_000L);
    }

    /** What became of readers that stopped, over all rounds; of memory the most. */
    private record Stopped(int readers, long broken, long events, long grown) {
        Stopped and(List<CompletableFuture<Load.Result>> answers, long grownNow) throws Exception {
            long brokenNow = 0;
            long eventsNow = 0;
            for (CompletableFuture<Load.Result> answer : answers) {
                Load.Result result = answer.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
                brokenNow += result.complaint().isEmpty() ? 0 : 1;
                eventsNow += result.events;
            }
            return new Stopped(readers + answers.size(), broken + brokenNow, events + eventsNow, Math.max(grown, grownNow));
        }
    }

    /** An answer of far more text than the buffers on the way take. */
    private PacedNode.Wish unread() {
        return new PacedNode.Wish(200 * (plan.seconds + 15), 2000, 200);
    }

    /** Readers of long answers who do not read, when no buffer takes more. */
    private List<Load.Client> stopped(Load load, List<CompletableFuture<Load.Result>> answers) throws Exception {
        List<Load.Client> clients = new ArrayList<>();
        for (int i = 0; i < SLOW; i++) {
            Load.Client client = load.connect();
            client.stopReading();
            clients.add(client);
            answers.add(client.ask(unread()));
        }
        Thread.sleep(10_000);
        return clients;
    }

    private static void print(String who, Pair pair) {
        System.out.printf("| %s | %.1f | %.1f | %.1f |%n", who, pair.addedMs(50), pair.addedMs(99), pair.ours.cpuMicros());
    }

    /** Of what the gateway adds to the longest gaps. */
    private static double median(List<Pair> pairs) {
        return pairs.stream().mapToDouble(pair -> pair.addedMs(99)).sorted().skip(pairs.size() / 2).findFirst().orElseThrow();
    }

    /** What it does when nobody asks. */
    private void idle() throws Exception {
        Thread.sleep(3000);
        System.out.printf("%n| idle | CPU, ms a second | wake-ups a second | memory MB |%n|---|---|---|---|%n");
        List<Watched.Sample> from = servers.stream().map(server -> server.watched().sample()).toList();
        Thread.sleep(plan.seconds * 1000L);
        for (int i = 1; i < servers.size(); i++) {
            Watched.Sample to = servers.get(i).watched().sample();
            double seconds = to.secondsSince(from.get(i));
            System.out.printf("| %s | %.2f | %.1f | %d |%n", servers.get(i).name(), to.cpuNanosSince(from.get(i)) / 1e6 / seconds,
                    to.wakeUpsSince(from.get(i)) / seconds, to.residentBytes() / 1_000_000);
        }
    }

    private static double at(Histogram micros, double percentile) {
        return micros.getValueAtPercentile(percentile) / 1000.0;
    }
}
