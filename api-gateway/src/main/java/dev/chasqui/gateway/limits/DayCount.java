package dev.chasqui.gateway.limits;

import org.jspecify.annotations.Nullable;

/** What a subject has used through this gateway in one day. On the event loop. */
final class DayCount {
    final Subject subject;
    final long day;
    /** Of the same day, before this process or this object was there; null: not read yet. */
    private @Nullable Usage before;

    private Usage since = Usage.NONE;
    /** Goes up with each change, so that what changes while it is written is written again. */
    private long version;

    private long writtenAt;

    DayCount(Subject subject, long day) {
        this.subject = subject;
        this.day = day;
    }

    void add(Usage usage) {
        since = since.plus(usage);
        version++;
    }

    /** What goes with it has changed. */
    void touch() {
        version++;
    }

    boolean isRead() {
        return before != null;
    }

    void read(Usage stored) {
        before = stored;
    }

    long version() {
        return version;
    }

    long writtenAt() {
        return writtenAt;
    }

    void written(long now) {
        writtenAt = now;
    }

    /** As it is to be stored; once the earlier part is read. */
    UsageRow row(String gateway, long now) {
        Usage all = before == null ? since : before.plus(since);
        int running = subject.running(this);
        return new UsageRow(
                subject.name,
                day,
                gateway,
                running > 0 ? all.plus(new Usage(0, 0, 0, 0, now)) : all,
                running,
                subject.requests.fullAt(now),
                subject.tokens.fullAt(now));
    }
}
