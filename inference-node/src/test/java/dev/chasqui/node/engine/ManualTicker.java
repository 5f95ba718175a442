package dev.chasqui.node.engine;

import java.time.Duration;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/** A clock that stands still until it is told how much time went by. */
final class ManualTicker implements Ticker {
    private record Alarm(long nanos, Runnable task) {}

    private final Queue<Alarm> alarms = new PriorityQueue<>(Comparator.comparingLong(Alarm::nanos));
    private long now = 1_000_000_000_000L;

    @Override
    public synchronized long nanos() {
        return now;
    }

    @Override
    public synchronized void after(long nanos, Runnable task) {
        alarms.add(new Alarm(now + nanos, task));
    }

    void advance(long nanos) {
        for (Runnable due = pass(nanos); due != null; due = pass(0)) {
            due.run();
        }
    }

    void advance(Duration time) {
        advance(time.toNanos());
    }

    private synchronized @Nullable Runnable pass(long nanos) {
        now += nanos;
        Alarm first = alarms.peek();
        return first != null && first.nanos <= now ? alarms.remove().task : null;
    }
}
