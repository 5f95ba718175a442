package dev.chasqui.node.engine;

import java.time.Duration;

/**
 * Tells those who are refused when to come back. Each is told a time of his own, one place after the other as they become
 * free: told the same time, all would come at once, and all but a few be refused again. Any thread.
 */
final class Comeback {
    static final Duration SHORTEST = Duration.ofSeconds(1);
    static final Duration LONGEST = Duration.ofSeconds(60);

    private static final double WEIGHT = 0.1;

    /** Steps of this fraction, taken modulo 1, stay evenly spread however many there are. */
    private static final double GOLDEN = 0.6180339887;

    private final int slots;
    private double serviceNanos;
    private long promisedNanos = Long.MIN_VALUE;
    private double spread;

    Comeback(int slots) {
        this.slots = slots;
    }

    /** Learns how long a request had its slot. */
    synchronized void served(long nanos) {
        serviceNanos = serviceNanos == 0 ? nanos : serviceNanos + WEIGHT * (nanos - serviceNanos);
    }

    /** Nobody is here any more, so whoever was promised a place and did not come yet will find one at any time. */
    synchronized void idle() {
        promisedNanos = Long.MIN_VALUE;
    }

    /**
     * When so many places will be free that are promised to nobody else. Requests that began together end together, so that a
     * place may come later than the average says, but no more than one request's time. Where all places are promised until the
     * longest time that is told, times are spread over its second half: most of such a crowd never comes back, but who does must
     * not meet all the others.
     */
    synchronized Duration after(int requests, long now) {
        long latest = now + LONGEST.toNanos();
        double free = Math.max(promisedNanos, now) + requests * serviceNanos / slots;
        promisedNanos = (long) Math.min(free, latest);
        if (free >= latest) {
            Duration earlier = Duration.ofNanos((long) (spread * LONGEST.toNanos() / 2));
            spread = (spread + GOLDEN) % 1;
            return LONGEST.minus(earlier);
        }
        Duration wait = Duration.ofNanos((long) Math.min(free + serviceNanos, latest) - now);
        return wait.compareTo(SHORTEST) < 0 ? SHORTEST : wait;
    }
}
