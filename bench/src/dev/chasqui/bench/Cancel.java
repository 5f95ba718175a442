package dev.chasqui.bench;

import dev.chasqui.proto.v1.EngineStatus;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Clients that leave at random moments while one stream runs. How long a place stays taken is seen from outside: from the moment
 * when the client hangs up until the node's status counts it as cancelled, which it does when the slot is free.
 */
final class Cancel {
    private static final int SLOTS = 4;
    private static final int CONTEXT = 4096;
    private static final int STREAM_TOKENS = 1500;
    private static final int CLIENTS_AT_ONCE = 6;
    private static final long POLL_MS = 3;
    private static final double DECODE_LIMIT_MS = 50;

    /** The prompt's chunk beside running answers takes 150 ms, or one tile of attention where that takes longer. */
    private static final double CHUNK_MS = 150;

    private static final double MOST_GROWTH = 0.05;
    private static final long MOST_GROWTH_BYTES = 24L << 20;

    private final Client client;
    private final Node node;
    private final AtomicInteger left = new AtomicInteger();
    private final List<Double> decodeMs = Collections.synchronizedList(new ArrayList<>());
    private final List<Double> earlierMs = Collections.synchronizedList(new ArrayList<>());
    private volatile long cancelled;
    private volatile boolean over;

    private Cancel(Server server, Node node) {
        this.client = new Client(server);
        this.node = node;
    }

    static Verdict run(Options options) throws Exception {
        Setting setting = Setting.of(options);
        int clients = options.number("clients", 200);
        options.done();
        List<Answer> streams;
        Verdict verdict = new Verdict();
        List<Integer> prompt;
        try (Alone alone = new Alone(setting, CONTEXT)) {
            prompt = alone.node().tokens(Prompts.chatMl(Prompts.tale(0, 20)));
            try (Server server = setting.chasqui(SLOTS, CONTEXT, "--prompt-cache", "0");
                    Node node = new Node(server)) {
                streams = new Cancel(server, node).measure(setting, server, prompt, clients, verdict);
            }
            double worst = 0;
            for (Answer stream : streams) {
                worst = Math.max(worst, alone.worst(prompt, stream.pieces()));
            }
            verdict.check(
                    worst <= Alone.MARGIN,
                    "the running stream says what it says alone, within 0.1 nats",
                    "%.4f, %s",
                    worst,
                    alone.summary());
        }
        return verdict;
    }

    /** Returns what the stream said that ran beside them, begun anew as often as it ended. */
    private List<Answer> measure(Setting setting, Server server, List<Integer> prompt, int clients, Verdict verdict)
            throws Exception {
        client.fill(SLOTS, CONTEXT);
        AtomicBoolean enough = new AtomicBoolean();
        List<Answer> streams = Collections.synchronizedList(new ArrayList<>());
        Thread stream = Crowd.daemon(() -> {
            while (!enough.get()) {
                try {
                    streams.add(client.ask(Client.RAW, Overcommit.greedy(prompt, STREAM_TOKENS)));
                } catch (IOException | InterruptedException problem) {
                    verdict.check(false, "the running stream goes on", "%s", problem);
                    return;
                }
            }
        });
        stream.start();
        Thread watcher = Crowd.daemon(this::watch);
        watcher.start();
        crowd(clients / 4, 1);
        long before = server.memoryBeyond(setting.model());
        crowd(clients - clients / 4, 2);
        long after = server.memoryBeyond(setting.model());
        enough.set(true);
        stream.join();
        EngineStatus end = node.idle();
        over = true;
        watcher.join();
        judge(verdict, clients, streams, before, after, end);
        return streams;
    }

    private void crowd(int clients, int seed) throws Exception {
        AtomicInteger number = new AtomicInteger();
        Crowd.all(CLIENTS_AT_ONCE, worker -> () -> {
            Random random = new Random(100L * seed + worker);
            while (number.getAndIncrement() < clients) {
                visit(random);
            }
            return true;
        });
    }

    /** More clients than slots, so that some wait; long and short prompts. */
    private void visit(Random random) throws IOException, InterruptedException {
        boolean isLong = random.nextInt(3) == 0;
        String text = Prompts.chatMl(Prompts.tale(random.nextLong(), isLong ? 700 : 12));
        Map<String, Object> body =
                Map.of("prompt", text, "max_tokens", 1000, "ignore_eos", true, "temperature", 0.8, "stream", true);
        Client.Stream stream = client.open(Client.RAW, body);
        if (random.nextInt(3) == 0) {
            Pause.millis(random.nextInt(400));
        } else {
            stream.readPieces(1 + random.nextInt(25));
        }
        leave(stream);
    }

    private void leave(Client.Stream stream) throws IOException {
        long began;
        int number;
        synchronized (this) {
            began = System.nanoTime();
            number = left.incrementAndGet();
            stream.close();
        }
        while (cancelled < number && Client.millisSince(began) < 60_000) {
            Pause.millis(1);
        }
        (stream.count() > 0 ? decodeMs : earlierMs).add(Client.millisSince(began));
    }

    private void watch() {
        while (!over) {
            cancelled = left.get() > cancelled ? node.engine().getRequestsCancelled() : cancelled;
            Pause.millis(POLL_MS);
        }
    }

    private void judge(Verdict verdict, int clients, List<Answer> streams, long before, long after, EngineStatus end) {
        List<Double> gaps =
                streams.stream().flatMap(stream -> stream.gapsMs().stream()).toList();
        double gap = Verdict.most(gaps);
        verdict.row(
                "load | decode: free after ms, median / p95 / worst | before the first text | worst gap of the stream ms | memory MB");
        verdict.row("---|---|---|---|---");
        verdict.row(
                "%d clients leave beside a stream | %.0f / %.0f / %.0f | %.0f / %.0f / %.0f | %.0f | %d to %d",
                clients,
                Verdict.median(decodeMs),
                Verdict.percentile(decodeMs, 95),
                Verdict.most(decodeMs),
                Verdict.median(earlierMs),
                Verdict.percentile(earlierMs, 95),
                Verdict.most(earlierMs),
                gap,
                before / 1_000_000,
                after / 1_000_000);
        judgeTimes(verdict, gap);
        verdict.check(
                end.getRequestsCancelled() == clients,
                "all that left are counted",
                "%d of %d",
                end.getRequestsCancelled(),
                clients);
        long growth = after - before;
        verdict.check(
                growth <= Math.max(MOST_GROWTH_BYTES, before * MOST_GROWTH),
                "memory is flat",
                "%+d MB",
                growth / 1_000_000);
        verdict.check(
                end.getSlotsInUse() + end.getQueued() == 0,
                "nothing is left behind",
                "%d slots in use, %d queued",
                end.getSlotsInUse(),
                end.getQueued());
    }

    private void judgeTimes(Verdict verdict, double gap) {
        verdict.check(
                Verdict.percentile(decodeMs, 95) <= DECODE_LIMIT_MS,
                "in decode the slot is free within 50 ms (p95)",
                "%.0f ms, %d clients",
                Verdict.percentile(decodeMs, 95),
                decodeMs.size());
        double chunk = Math.max(CHUNK_MS, gap);
        verdict.check(
                Verdict.percentile(earlierMs, 95) <= chunk,
                "before that within one chunk (p95)",
                "%.0f ms of %.0f, %d clients",
                Verdict.percentile(earlierMs, 95),
                chunk,
                earlierMs.size());
    }
}
