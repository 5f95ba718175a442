package dev.chasqui.gateway.limits;

/**
 * A minute's worth of something, which fills evenly. More may be taken than it holds, and is then missing for longer.
 * It counts in parts that one millisecond fills, so that nothing is lost by rounding.
 */
final class Bucket {
    /** Parts of one. */
    private static final long PARTS = 60_000;

    private static final long MOST_AT_ONCE = 1_000_000_000_000L;
    private static final long MOST_MISSING = Long.MAX_VALUE / 4;

    /** For one minute, which is also the parts that fill in a millisecond; 0: no limit. */
    private long capacity;
    /** Parts that are missing to a full one, at that time. */
    private long missing;

    private long at;

    /**
     * Changes the limit. Who gets more has it at once; who gets less waits no longer than before until it is full.
     *
     * @param perMinute 0: no limit
     */
    void resize(long perMinute, long now) {
        if (perMinute == capacity) {
            return;
        }
        flow(now);
        missing = perMinute < capacity ? (long) ((double) missing * perMinute / capacity) : missing;
        capacity = perMinute;
    }

    boolean isLimited() {
        return capacity > 0;
    }

    long capacity() {
        return capacity;
    }

    void take(long units, long now) {
        flow(now);
        lose(parts(units));
    }

    /**
     * Others took something from theirs, perhaps a while ago.
     *
     * @param fullAt when theirs is full again: what has come back to it is not missing here; 0: not known
     */
    void tookElsewhere(long units, long fullAt, long now) {
        flow(now);
        lose(fullAt == 0 ? parts(units) : Math.min(parts(units), filled(fullAt - now)));
    }

    /** It was used before, here or elsewhere, and was to be full at that time. */
    void resume(long fullAt, long now) {
        flow(now);
        lose(filled(fullAt - now));
    }

    /** Milliseconds until one whole is there; 0: it is. */
    long untilOne(long now) {
        return until(PARTS, now);
    }

    /** Milliseconds until it is above zero; 0: it is. */
    long untilAny(long now) {
        return until(1, now);
    }

    /** Milliseconds until it is full; 0: it is. */
    long untilFull(long now) {
        return until(capacity * PARTS, now);
    }

    /** Whole ones that are there. */
    long remaining(long now) {
        flow(now);
        return Math.max(0, capacity * PARTS - missing) / PARTS;
    }

    /** When it is full again, if nothing more is taken; 0 where there is no limit. */
    long fullAt(long now) {
        return isLimited() ? now + untilFull(now) : 0;
    }

    private long until(long wanted, long now) {
        if (!isLimited()) {
            return 0;
        }
        flow(now);
        long lacking = missing + wanted - capacity * PARTS;
        return lacking <= 0 ? 0 : ceil(lacking, capacity);
    }

    /** Brings it up to this time. A clock that went back fills nothing, and takes nothing away. */
    private void flow(long now) {
        long passed = now - at;
        at = now;
        if (missing > 0 && passed > 0) {
            missing = passed >= ceil(missing, capacity) ? 0 : missing - passed * capacity;
        }
    }

    private void lose(long parts) {
        if (isLimited()) {
            missing = Math.min(MOST_MISSING, missing + parts);
        }
    }

    private static long parts(long units) {
        return Math.max(0, Math.min(units, MOST_AT_ONCE)) * PARTS;
    }

    private long filled(long millis) {
        return (long) Math.min((double) MOST_MISSING, Math.max(0.0, (double) millis * capacity));
    }

    private static long ceil(long value, long by) {
        return (value + by - 1) / by;
    }
}
