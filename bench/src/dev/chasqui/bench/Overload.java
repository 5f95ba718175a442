package dev.chasqui.bench;

import dev.chasqui.proto.v1.EngineStatus;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Ten times what the server can do. First a flood: requests at ten times the rate at which it answers, from clients who do not
 * come back. Then a crowd: as many clients as it would take it some time to serve, each of whom wants one answer and comes back
 * just when he is told to.
 */
final class Overload {
    private static final int SLOTS = 8;
    private static final int QUEUE = 16;
    private static final int PLACES = SLOTS + QUEUE;
    private static final int TIMES = 10;
    private static final int MAX_TOKENS = 24;
    private static final int MOST_TRIES = 20;

    /** Longer waits are not told, so that more clients than are served within this time cannot be told the truth. */
    private static final int MOST_CROWD_S = 45;

    /** A connection, a request and its refusal, on the cores that compute. */
    private static final double REFUSAL_MS = 5;

    private static final double LEAST_HONEST = 0.8;

    private final Client client;
    private final Node node;
    private final Verdict verdict = new Verdict();

    private Overload(Server server, Node node) {
        this.client = new Client(server);
        this.node = node;
    }

    static Verdict run(Options options) throws Exception {
        Setting setting = Setting.of(options);
        int seconds = options.number("seconds", 60);
        options.done();
        try (Server server = setting.chasqui(SLOTS, 512, "--queue", "" + QUEUE);
                Node node = new Node(server)) {
            Overload overload = new Overload(server, node);
            double rate = overload.rate();
            System.out.printf("it answers %.2f requests a second%n", rate);
            overload.verdict.row(
                    "load | answered | refused | first text ms, median / p99 | longest queue | came back in time and got in");
            overload.verdict.row("---|---|---|---|---|---");
            overload.flood(rate, seconds);
            overload.node.idle();
            overload.crowd(rate);
            EngineStatus end = node.idle();
            overload.verdict.check(
                    end.getSlotsInUse() + end.getQueued() == 0,
                    "nothing is left behind",
                    "%d slots in use, %d queued",
                    end.getSlotsInUse(),
                    end.getQueued());
            return overload.verdict;
        }
    }

    /** Requests a second, with all slots busy. */
    private double rate() throws Exception {
        int each = 4;
        measure(0, 1);
        long began = System.nanoTime();
        measure(1, each);
        return SLOTS * each * 1000 / Client.millisSince(began);
    }

    private void measure(int seed, int each) throws Exception {
        Crowd.all(SLOTS, worker -> () -> {
            for (int i = 0; i < each; i++) {
                client.ask(Client.CHAT, request(1_000_000L * (seed + 1) + 1000L * worker + i));
            }
            return true;
        });
    }

    /** Requests at ten times the rate at which they are answered, from clients who do not come back. */
    private void flood(double rate, int seconds) throws InterruptedException {
        int count = (int) (TIMES * rate * seconds);
        Flood flood = new Flood(client);
        AtomicBoolean over = new AtomicBoolean();
        AtomicInteger longest = watchQueue(over);
        ExecutorService clients = Executors.newCachedThreadPool(Crowd::daemon);
        long began = System.nanoTime();
        for (int i = 0; i < count; i++) {
            Pause.millis(Math.max(0, (long) (i * 1000 / (TIMES * rate) - Client.millisSince(began))));
            String body = request(i);
            clients.execute(() -> flood.ask(body));
        }
        clients.shutdown();
        boolean ended = clients.awaitTermination(3, TimeUnit.MINUTES);
        over.set(true);
        double took = Client.millisSince(began) / 1000;
        List<Double> firsts = flood.answers.stream().map(Answer::firstTextMs).toList();
        verdict.row(
                "%d requests in %.0f s, %d times what it can do | %d | %d | %,.0f / %,.0f | %d of %d | ",
                count,
                took,
                TIMES,
                firsts.size(),
                flood.refused.get(),
                Verdict.median(firsts),
                Verdict.percentile(firsts, 99),
                longest.get(),
                QUEUE);
        flood.judge(verdict, count, ended);
        verdict.check(longest.get() <= QUEUE, "the queue is bounded", "%d of %d", longest.get(), QUEUE);
        double bound = 2000.0 * PLACES / rate + 1000;
        verdict.check(
                Verdict.percentile(firsts, 99) <= bound,
                "p99 of the first text is at most twice what the places in front take",
                "%,.0f ms of %,.0f",
                Verdict.percentile(firsts, 99),
                bound);
        double lostMs = 1000 * (took - firsts.size() / rate) / Math.max(1, flood.refused.get());
        verdict.check(
                lostMs <= REFUSAL_MS,
                "a refusal and its client take little of the machine's time from the answers",
                "%.1f ms each; %.2f answers a second of %.2f",
                lostMs,
                firsts.size() / took,
                rate);
    }

    /** What came of a flood's requests. */
    private static final class Flood {
        final List<Answer> answers = Collections.synchronizedList(new ArrayList<>());
        final AtomicInteger refused = new AtomicInteger();
        private final List<String> failures = Collections.synchronizedList(new ArrayList<>());
        private final Client client;

        Flood(Client client) {
            this.client = client;
        }

        void ask(String body) {
            try {
                answers.add(client.ask(Client.CHAT, body));
            } catch (Client.Refused no) {
                if ((no.status == 429 || no.status == 503) && no.retryAfterS >= 1) {
                    refused.incrementAndGet();
                } else {
                    failures.add(no.getMessage() + ", retry-after " + no.retryAfterS);
                }
            } catch (IOException | InterruptedException problem) {
                failures.add(problem.toString());
            }
        }

        void judge(Verdict verdict, int count, boolean ended) {
            verdict.check(
                    ended && failures.isEmpty() && answers.size() + refused.get() == count,
                    "each gets an answer or 429 or 503 with a time",
                    "%d + %d of %d, %d others %s",
                    answers.size(),
                    refused.get(),
                    count,
                    failures.size(),
                    failures.stream().distinct().limit(3).toList());
        }
    }

    /** Each wants one answer; who is refused comes back when he is told to. */
    private void crowd(double rate) throws Exception {
        int clients = (int) Math.min(TIMES * PLACES, PLACES + MOST_CROWD_S * rate);
        AtomicInteger cameBack = new AtomicInteger();
        AtomicInteger gotIn = new AtomicInteger();
        AtomicInteger refused = new AtomicInteger();
        long began = System.nanoTime();
        List<Double> firsts = Crowd.all(clients, i -> () -> {
            Pause.millis(i * 2000L / clients);
            for (int tries = 0; tries < MOST_TRIES; tries++) {
                cameBack.addAndGet(tries > 0 ? 1 : 0);
                try {
                    double first =
                            client.ask(Client.CHAT, request(2_000_000L + i)).firstTextMs();
                    gotIn.addAndGet(tries > 0 ? 1 : 0);
                    return first;
                } catch (Client.Refused no) {
                    refused.incrementAndGet();
                    Pause.millis(1000L * Math.max(1, no.retryAfterS));
                }
            }
            return Double.NaN;
        });
        List<Double> served = firsts.stream().filter(first -> !first.isNaN()).toList();
        double honest = cameBack.get() == 0 ? 1 : (double) gotIn.get() / cameBack.get();
        verdict.row(
                "%d clients want one answer each | %d after %.0f s | %d | %,.0f / %,.0f | | %d of %d",
                clients,
                served.size(),
                Client.millisSince(began) / 1000,
                refused.get(),
                Verdict.median(served),
                Verdict.percentile(served, 99),
                gotIn.get(),
                cameBack.get());
        verdict.check(
                served.size() == clients,
                "everybody gets in who comes back when told",
                "%d of %d",
                served.size(),
                clients);
        verdict.check(honest >= LEAST_HONEST, "who comes back when told mostly gets in", "%.2f", honest);
    }

    private AtomicInteger watchQueue(AtomicBoolean over) {
        AtomicInteger longest = new AtomicInteger();
        Crowd.daemon(() -> {
                    while (!over.get()) {
                        longest.accumulateAndGet(node.engine().getQueued(), Math::max);
                        Pause.millis(100);
                    }
                })
                .start();
        return longest;
    }

    private static String request(long seed) {
        return Client.JSON.writeValueAsString(Map.of(
                "messages",
                List.of(Map.of("role", "user", "content", Prompts.tale(seed, 12))),
                "max_tokens",
                MAX_TOKENS,
                "temperature",
                0,
                "ignore_eos",
                true,
                "stream",
                true,
                "stream_options",
                Map.of("include_usage", true)));
    }
}
