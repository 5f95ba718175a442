package dev.chasqui.gateway.limits;

import dev.chasqui.gateway.nodes.EventLoop;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.storage.Database;
import dev.chasqui.gateway.storage.Transaction;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import reactor.core.publisher.Mono;

/**
 * Counts what keys and accounts take, and lets in whoever is below his limits. The database never stands in the way: a
 * request is decided on by what is known here, and what was counted is written when it can be.
 */
public final class Metering implements AutoCloseable {
    private static final Duration LAST_WRITE = Duration.ofSeconds(2);

    private final Database database;
    private final EventLoop loop;
    private final Clock clock;
    private final Refusals refusals;
    private final Sharing sharing;
    private final Map<String, Subject> subjects = new HashMap<>();

    /**
     * Shares nothing yet.
     *
     * @param gateway what no other gateway of the database is called; with the same name it goes on after a restart
     */
    public Metering(Database database, EventLoop loop, String gateway, Clock clock, MeterRegistry registry) {
        this(database, loop, gateway, clock, registry, !database.isOursAlone(), interval(database));
    }

    Metering(
            Database database,
            EventLoop loop,
            String gateway,
            Clock clock,
            MeterRegistry registry,
            boolean shared,
            Duration interval) {
        this.database = database;
        this.loop = loop;
        this.clock = clock;
        refusals = new Refusals(registry);
        sharing = new Sharing(database, loop, gateway, clock, subjects, shared, interval);
    }

    /** From one gateway's round to another's: half a second until it is written, and half until it is read. */
    private static Duration interval(Database database) {
        return Duration.ofMillis(database.isOursAlone() ? 1000 : 500);
    }

    /** Begins to write what is counted, and to look what other gateways count. */
    public void start() {
        loop.execute(sharing::start);
    }

    /**
     * Takes a request into account; on the event loop.
     *
     * @param subject a key or an account
     * @throws RequestError 429, where one more is over a limit
     */
    public Admission admit(String subject, Quota quota) {
        long now = clock.millis();
        Subject known = checked(subject, quota, now);
        known.begin(now);
        return new Admitted(known);
    }

    /**
     * The same for two at once, such as a key and its account: counted for both, or for none.
     *
     * @param subject stands in the headers, where it has a limit
     */
    public Admission admit(String subject, Quota quota, String other, Quota otherQuota) {
        long now = clock.millis();
        Subject one = checked(subject, quota, now);
        Subject two = checked(other, otherQuota, now);
        one.begin(now);
        two.begin(now);
        return Admission.both(new Admitted(one), new Admitted(two));
    }

    /** Who can ask once more. */
    private Subject checked(String subject, Quota quota, long now) {
        Subject known = subject(subject);
        known.limit(quota, now);
        if (!quota.isNone()) {
            sharing.soon();
            refusals.check(known, now);
        }
        return known;
    }

    /** Where a subject stands now, for the headers of an answer; empty where it has no limit. On the event loop. */
    public Map<String, String> headers(String subject, Quota quota) {
        if (quota.isNone()) {
            return Map.of();
        }
        long now = clock.millis();
        Subject known = subjects.get(subject);
        if (known == null) {
            known = new Subject(subject, sharing::changed);
        }
        known.limit(quota, now);
        return Standing.headers(known, now);
    }

    /**
     * All that each subject has used, through this gateway until now, through others until they last wrote; none where
     * it has used nothing.
     */
    public Mono<Map<String, Usage>> usage(Collection<String> subjects) {
        List<String> names = List.copyOf(subjects);
        return sharing.settled()
                .then(database.transaction(transaction -> UsageTable.sums(transaction, names)
                        .collectMap(UsageTable.Sum::subject, UsageTable.Sum::usage)));
    }

    /** The same of one; {@link Usage#NONE} where it has used nothing. */
    public Mono<Usage> usage(String subject) {
        return usage(List.of(subject)).map(all -> all.getOrDefault(subject, Usage.NONE));
    }

    /**
     * What everybody has used on each of these days, the first day first; through this gateway until now, through others until
     * they last wrote.
     *
     * @param first since 1970, UTC
     * @param last the same
     */
    public Mono<List<DayUse>> usage(long first, long last) {
        return sharing.settled()
                .then(database.transaction(
                        transaction -> UsageTable.days(transaction, first, last).collectList()));
    }

    /** Removes what subjects have used, who are no more. What still runs for one is written when it ends. */
    public static Mono<Void> remove(Transaction transaction, Collection<String> subjects) {
        return UsageTable.remove(transaction, subjects).then();
    }

    /** Writes what is not written yet, for as long as that is bearable. */
    @Override
    public void close() {
        Mono<Void> written = Mono.<Void>fromRunnable(() -> loop.execute(this::abandon))
                .then(sharing.settled())
                .timeout(LAST_WRITE)
                .onErrorComplete();
        if (loop.isCurrent()) {
            written.subscribe();
        } else {
            written.block();
        }
    }

    /** How many subjects are known now. */
    int known() {
        return subjects.size();
    }

    private void abandon() {
        sharing.stop();
        subjects.values().forEach(subject -> subject.abandon(clock.millis()));
    }

    private Subject subject(String name) {
        Subject known = subjects.get(name);
        if (known == null) {
            known = new Subject(name, sharing::changed);
            subjects.put(name, known);
        }
        return known;
    }

    private final class Admitted implements Admission {
        private final Subject subject;
        private boolean ended;

        Admitted(Subject subject) {
            this.subject = subject;
        }

        @Override
        public Map<String, String> headers() {
            return Standing.headers(subject, clock.millis());
        }

        @Override
        public void used(long promptTokens, long cachedTokens, long completionTokens) {
            // After the end its subject may have been forgotten, and have come back as another object.
            Subject current = ended ? subject(subject.name) : subject;
            current.used(promptTokens, cachedTokens, completionTokens, clock.millis());
        }

        @Override
        public void end() {
            if (!ended) {
                ended = true;
                subject.end(clock.millis());
            }
        }
    }
}
