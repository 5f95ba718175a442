package dev.chasqui.gateway.limits;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Somebody who uses this gateway: his buckets, what he has running, and what others said of him. On the event loop. */
final class Subject {
    /** How long others' running requests count without a word from there. */
    private static final long ALIVE_MS = 10_000;
    /** Who comes back sooner is still known, with what he has running elsewhere. */
    private static final long IDLE_MS = 60_000;

    /** Where a row comes from. */
    private record Origin(String gateway, long day) {}

    /** @param aliveAt when it was last seen to change, by this gateway's clock */
    private record Seen(UsageRow row, long aliveAt) {}

    final String name;
    final Bucket requests = new Bucket();
    final Bucket tokens = new Bucket();
    private final Consumer<DayCount> changes;
    private @Nullable DayCount today;
    private int parallel;
    private int running;
    private long usedAt;
    /** What others had written when they were last looked at; null: never yet. */
    private @Nullable Map<Origin, Seen> others;

    /** @param changes is told each count that is to be written */
    Subject(String name, Consumer<DayCount> changes) {
        this.name = name;
        this.changes = changes;
    }

    void limit(Quota quota, long now) {
        if (!isLimited() && !quota.isNone()) {
            // Nobody looked meanwhile, and what was taken without a limit is not held against him.
            others = null;
        }
        requests.resize(quota.requestsPerMinute(), now);
        tokens.resize(quota.tokensPerMinute(), now);
        parallel = quota.parallel();
    }

    boolean isLimited() {
        return requests.isLimited() || tokens.isLimited() || parallel > 0;
    }

    /** Requests that may run at the same time; 0: no limit. */
    int parallel() {
        return parallel;
    }

    void begin(long now) {
        running++;
        requests.take(1, now);
        add(new Usage(1, 0, 0, 0, now), now);
    }

    void used(long promptTokens, long cachedTokens, long completionTokens, long now) {
        Usage usage = new Usage(0, promptTokens, cachedTokens, completionTokens, now);
        tokens.take(usage.tokens(), now);
        add(usage, now);
    }

    void end(long now) {
        running = Math.max(0, running - 1);
        add(new Usage(0, 0, 0, 0, now), now);
    }

    /** This gateway ends: nobody shall wait for what it had running. */
    void abandon(long now) {
        if (running > 0) {
            running = 1;
            end(now);
        }
    }

    private void add(Usage usage, long now) {
        usedAt = now;
        DayCount count = count(now);
        count.add(usage);
        changes.accept(count);
    }

    private DayCount count(long now) {
        DayCount count = today;
        if (count != null && count.day == UsageRow.day(now)) {
            return count;
        }
        if (count != null && running > 0) {
            // What runs goes on in the new day's row only.
            count.touch();
            changes.accept(count);
        }
        count = new DayCount(this, UsageRow.day(now));
        today = count;
        return count;
    }

    /** Requests that have not ended, if the count is the one of today. */
    int running(DayCount count) {
        return count == today ? running : 0;
    }

    /** All requests that have not ended, here and elsewhere. */
    int running(long now) {
        int all = running;
        for (Seen seen : others == null ? List.<Seen>of() : others.values()) {
            all += now - seen.aliveAt() <= ALIVE_MS ? seen.row().running() : 0;
        }
        return all;
    }

    /** Says again what is running, where others have not been told for so long and may count on it. */
    void tellAgain(long afterMillis, long now) {
        if (running > 0 && parallel > 0 && now - count(now).writtenAt() >= afterMillis) {
            DayCount count = count(now);
            count.touch();
            changes.accept(count);
        }
    }

    /** Whether there is nothing to know of it, if all is written. */
    boolean isIdle(long now) {
        return running == 0 && now - usedAt > IDLE_MS && requests.untilFull(now) == 0 && tokens.untilFull(now) == 0;
    }

    /** Whether others were looked at. */
    boolean isKnown() {
        return others != null;
    }

    /**
     * The first look: what was taken before, here and elsewhere, is missing in the buckets.
     *
     * @param rows of all gateways
     */
    void resume(List<UsageRow> rows, String gateway, long now) {
        Map<Origin, Seen> seen = new HashMap<>();
        long requestsFullAt = 0;
        long tokensFullAt = 0;
        for (UsageRow row : rows) {
            requestsFullAt = Math.max(requestsFullAt, row.requestsFullAt());
            tokensFullAt = Math.max(tokensFullAt, row.tokensFullAt());
            if (!row.gateway().equals(gateway)) {
                long written = row.usage().lastUsedAt();
                seen.put(new Origin(row.gateway(), row.day()), new Seen(row, Math.min(now, written)));
            }
        }
        requests.resume(requestsFullAt, now);
        tokens.resume(tokensFullAt, now);
        others = seen;
    }

    /**
     * A later look: what others took since the last one is missing here too.
     *
     * @param rows of other gateways
     */
    void look(List<UsageRow> rows, long now) {
        Map<Origin, Seen> before = others;
        if (before == null) {
            return;
        }
        Map<Origin, Seen> seen = new HashMap<>();
        for (UsageRow row : rows) {
            Origin origin = new Origin(row.gateway(), row.day());
            Seen last = before.get(origin);
            long aliveAt = now;
            if (last != null) {
                take(row, last.row().usage(), now);
                aliveAt = last.row().usage().lastUsedAt() == row.usage().lastUsedAt() ? last.aliveAt() : now;
            } else if (row.day() >= UsageRow.day(now)) {
                // It was not there yet. An old one was not asked for when there were later ones.
                take(row, Usage.NONE, now);
            }
            seen.put(origin, new Seen(row, aliveAt));
        }
        others = seen;
    }

    private void take(UsageRow row, Usage before, long now) {
        requests.tookElsewhere(row.usage().requests() - before.requests(), row.requestsFullAt(), now);
        tokens.tookElsewhere(row.usage().tokens() - before.tokens(), row.tokensFullAt(), now);
    }
}
