package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.nodes.EventLoop;
import dev.chasqui.gateway.nodes.NodeRouter;
import dev.chasqui.gateway.nodes.NodeView;
import dev.chasqui.proto.v1.EngineStatus;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The last ten minutes in numbers, for charts: a point every two seconds. On the event loop. */
public final class History implements AutoCloseable {
    static final int INTERVAL_MS = 2_000;
    private static final int MOST_POINTS = 300;
    /** Of the first tokens of an interval; the others change its median by little. */
    private static final int MOST_FIRST_TOKENS = 1_000;

    private static final double LATE = 0.95;
    private static final double NANOS_PER_MS = 1e6;

    /**
     * What was so at one moment, or in the interval before it.
     *
     * @param at to the millisecond
     * @param tokensPerSecond that all nodes generated
     * @param firstTokenMs after which the answers of this gateway had begun that ended, the median; -1: none did
     * @param lateFirstTokenMs that 95 of 100 were not later than; -1: none ended
     * @param running answers that are computed
     * @param queued requests that wait for a place
     */
    record Point(
            Instant at,
            double tokensPerSecond,
            double firstTokenMs,
            double lateFirstTokenMs,
            int running,
            int queued) {}

    private record Engine(String node, String model) {}

    private final NodeRouter nodes;
    private final EventLoop loop;
    private final Clock clock;
    private final Deque<Point> points = new ArrayDeque<>();
    private final long[] firstTokens = new long[MOST_FIRST_TOKENS];
    private int firstTokenCount;
    private Map<Engine, Long> generated = new HashMap<>();
    /** When the last point was made; 0: none was. */
    private long lookedNanos;

    private Runnable cancel = () -> {};
    private boolean closed;

    public History(NodeRouter nodes, EventLoop loop, Clock clock) {
        this.nodes = nodes;
        this.loop = loop;
        this.clock = clock;
    }

    /** Begins to look. */
    public void start() {
        loop.execute(this::schedule);
    }

    /** An answer has ended that began so many nanoseconds after it was asked for. */
    public void firstToken(long nanos) {
        loop.execute(() -> {
            if (firstTokenCount < MOST_FIRST_TOKENS) {
                firstTokens[firstTokenCount++] = nanos;
            }
        });
    }

    /** Those later than a moment, the oldest first. */
    List<Point> after(Instant moment) {
        return points.stream().filter(point -> point.at().isAfter(moment)).toList();
    }

    private void schedule() {
        if (!closed) {
            cancel = loop.schedule(this::tick, INTERVAL_MS);
        }
    }

    private void tick() {
        look();
        schedule();
    }

    /** Adds a point. */
    private void look() {
        int running = 0;
        int queued = 0;
        long tokens = 0;
        Map<Engine, Long> now = new HashMap<>();
        for (NodeView node : nodes.views()) {
            if (!node.reachable()) {
                continue;
            }
            for (EngineStatus engine : node.status().getEnginesList()) {
                running += engine.getSlotsInUse();
                queued += engine.getQueued();
                Engine key = new Engine(node.address().toString(), engine.getModel());
                long total = engine.getCompletionTokensTotal();
                long before = generated.getOrDefault(key, total);
                // A model that was loaded anew begins to count anew.
                tokens += total >= before ? total - before : total;
                now.put(key, total);
            }
        }
        generated = now;
        Instant at = Instant.ofEpochMilli(clock.millis());
        long nanos = System.nanoTime();
        double seconds = lookedNanos == 0 ? INTERVAL_MS / 1e3 : Math.max(1, nanos - lookedNanos) / 1e9;
        lookedNanos = nanos;
        Arrays.sort(firstTokens, 0, firstTokenCount);
        points.add(new Point(
                at, tokens / seconds, firstTokenMs(0.5), firstTokenMs(LATE), running, queued + nodes.waiting()));
        firstTokenCount = 0;
        if (points.size() > MOST_POINTS) {
            points.remove();
        }
    }

    /** That of the sorted ones which so great a part of them is not above. */
    private double firstTokenMs(double part) {
        int index = Math.max(0, (int) Math.ceil(part * firstTokenCount) - 1);
        return firstTokenCount == 0 ? -1 : firstTokens[index] / NANOS_PER_MS;
    }

    @Override
    public void close() {
        loop.execute(() -> {
            closed = true;
            cancel.run();
        });
    }
}
