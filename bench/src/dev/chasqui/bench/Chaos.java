package dev.chasqui.bench;

import java.io.File;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A gateway in front of two nodes to which, under load, everything happens that happens to machines: they are killed, stopped for a
 * while, cut off, and told to end, at random. Each request must be answered in full, and each token of an answer be what the model
 * says alone behind those before it, so that nothing is lost or doubled where another node took over.
 */
final class Chaos {
    private static final int SLOTS = 4;
    private static final int CONTEXT = 1024;
    private static final int CLIENTS = 10;
    private static final int MAX_TOKENS = 80;
    private static final int MOST_SCORED = 60;
    private static final long BACK_LIMIT_S = 180;
    private static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private final Alone alone;
    private final Machine[] machines;
    private final Server gateway;
    private final long endNanos;
    private final List<Told> told = Collections.synchronizedList(new ArrayList<>());
    private final List<String> failures = Collections.synchronizedList(new ArrayList<>());
    private final Map<String, Integer> accidents = Collections.synchronizedMap(new TreeMap<>());

    /** An answer, to be scored. */
    private record Told(List<Integer> prompt, Answer answer) {}

    private Chaos(Alone alone, Machine[] machines, Server gateway, long endNanos) {
        this.alone = alone;
        this.machines = machines;
        this.gateway = gateway;
        this.endNanos = endNanos;
    }

    static Verdict run(Options options) throws Exception {
        Setting setting = Setting.of(options);
        int minutes = options.number("minutes", 10);
        int seed = options.number("seed", 1);
        options.done();
        try (Alone alone = new Alone(setting, CONTEXT);
                Machine first = new Machine(setting);
                Machine second = new Machine(setting);
                Server gateway = setting.gateway(
                        List.of(first.address(), second.address()),
                        "--node-silence",
                        "4",
                        "--takeover-patience",
                        "" + BACK_LIMIT_S)) {
            Machine[] machines = {first, second};
            Chaos chaos = new Chaos(alone, machines, gateway, System.nanoTime() + minutes * 60_000_000_000L);
            chaos.awaitAll();
            Thread fate = Crowd.daemon(() -> chaos.befall(new Random(seed)));
            fate.start();
            Crowd.all(CLIENTS, worker -> () -> chaos.work(worker));
            fate.join(TimeUnit.SECONDS.toMillis(BACK_LIMIT_S));
            return chaos.judge(minutes);
        }
    }

    /** One client: asks, and asks again. */
    private boolean work(int worker) throws InterruptedException {
        Client client = new Client(gateway);
        for (int i = 0; System.nanoTime() < endNanos; i++) {
            List<Integer> prompt = alone.node().tokens(Prompts.chatMl(Prompts.tale(1000L * worker + i, 12 + i % 60)));
            try {
                Answer answer = client.ask(Client.RAW, Overcommit.greedy(prompt, MAX_TOKENS));
                if (answer.pieces().size() != MAX_TOKENS || answer.tokens() != MAX_TOKENS) {
                    failures.add(answer.pieces().size() + " tokens, " + answer.tokens() + " counted");
                }
                told.add(new Told(prompt, answer));
            } catch (IOException failed) {
                failures.add(String.valueOf(failed.getMessage()));
            }
        }
        return true;
    }

    private void befall(Random random) {
        try {
            while (System.nanoTime() < endNanos) {
                Pause.millis(2_000 + random.nextInt(6_000));
                Machine machine = machines[random.nextInt(machines.length)];
                String accident = List.of("kill", "stop", "cut", "end").get(random.nextInt(4));
                accidents.merge(accident, 1, Integer::sum);
                System.out.printf("%s at %s, %d answers so far%n", accident, machine.address(), told.size());
                switch (accident) {
                    case "kill" -> machine.kill();
                    case "stop" -> machine.stop(1_000 + random.nextInt(9_000));
                    case "cut" -> machine.wire.cut();
                    default -> machine.end();
                }
                awaitAll();
            }
        } catch (IOException | InterruptedException | RuntimeException problem) {
            failures.add("the test itself: " + problem);
        }
    }

    /** Both nodes are well, and have the model. */
    private void awaitAll() throws IOException, InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(BACK_LIMIT_S);
        while (metrics("chasqui_nodes\\{state=\"up\"} (.*)") < machines.length
                || metrics("chasqui_engine_slots\\{.*} (.*)") < machines.length * SLOTS) {
            if (System.nanoTime() > end) {
                throw new IllegalStateException("a node did not come back");
            }
            Pause.millis(200);
        }
    }

    /** The sum of what a pattern finds. */
    private double metrics(String pattern) throws IOException, InterruptedException {
        HttpRequest request =
                HttpRequest.newBuilder(gateway.base().resolve("/metrics")).build();
        Matcher sample = Pattern.compile("^" + pattern, Pattern.MULTILINE)
                .matcher(
                        HTTP.send(request, HttpResponse.BodyHandlers.ofString()).body());
        double sum = 0;
        while (sample.find()) {
            sum += Double.parseDouble(sample.group(1));
        }
        return sum;
    }

    private Verdict judge(int minutes) throws IOException, InterruptedException {
        double goneOn = metrics("chasqui_answer_takeovers_total\\{outcome=\"gone_on\"} (.*)");
        double pauses = metrics("chasqui_answer_takeover_pause_seconds_sum (.*)");
        double longest = metrics("chasqui_answer_takeover_pause_seconds_max (.*)");
        List<Told> sample = new ArrayList<>(told);
        Collections.shuffle(sample, new Random(1));
        double worst = 0;
        for (Told one : sample.subList(0, Math.min(MOST_SCORED, sample.size()))) {
            worst = Math.max(worst, alone.worst(one.prompt(), one.answer().pieces()));
        }
        Verdict verdict = new Verdict();
        verdict.row(
                "load | accidents | answered | failures | went on elsewhere | mean pause s | furthest from the best token");
        verdict.row("---|---|---|---|---|---|---");
        verdict.row(
                "%d minutes, %d clients, 2 nodes | %s | %d | %d | %.0f | %.2f | %.3f nats",
                minutes, CLIENTS, accidents, told.size(), failures.size(), goneOn, pauses / Math.max(1, goneOn), worst);
        verdict.check(
                failures.isEmpty() && !told.isEmpty(),
                "every request is answered in full",
                "%d answered, %d failures %s",
                told.size(),
                failures.size(),
                failures.stream().limit(5).toList());
        verdict.check(
                goneOn > 0,
                "answers went on at another node",
                "%.0f, the longest pause lately %.1f s",
                goneOn,
                longest);
        verdict.check(
                worst <= Alone.MARGIN,
                "nothing is lost or doubled: each token is the best one or within 0.1 nats",
                "%.4f, %s",
                worst,
                alone.summary());
        return verdict;
    }

    /** A node that accidents happen to, and the wire to it. */
    private static final class Machine implements AutoCloseable {
        private final Setting setting;
        private final int port;
        private final Wire wire;
        private Process process;

        Machine(Setting setting) throws IOException {
            this.setting = setting;
            this.port = Setting.freePort();
            this.wire = new Wire(port);
            this.process = start();
        }

        String address() {
            return "127.0.0.1:" + wire.port();
        }

        private Process start() throws IOException {
            Process started = new ProcessBuilder(setting.node(port, SLOTS, CONTEXT))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(
                            new File(System.getProperty("bench.logs"), "node-" + port + ".log")))
                    .start();
            Runtime.getRuntime().addShutdownHook(new Thread(started::destroyForcibly));
            return started;
        }

        void kill() throws IOException, InterruptedException {
            process.destroyForcibly().waitFor();
            process = start();
        }

        /** As a machine that hangs. */
        void stop(long millis) throws IOException, InterruptedException {
            signal("STOP");
            Pause.millis(millis);
            signal("CONT");
        }

        private void signal(String name) throws IOException, InterruptedException {
            new ProcessBuilder("kill", "-" + name, "" + process.pid()).start().waitFor();
        }

        /** Told to, it ends when its answers have. */
        void end() throws IOException, InterruptedException {
            process.destroy();
            process.waitFor();
            process = start();
        }

        @Override
        public void close() throws IOException {
            process.destroyForcibly();
            wire.close();
        }
    }
}
