package dev.chasqui.gateway.limits;

import dev.chasqui.gateway.nodes.EventLoop;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.storage.Database;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoSink;

/**
 * Writes counts to the database and looks there what others counted, in rounds of which one runs at a time. There is
 * none while there is nothing to write and nobody to look for; where one fails, all is kept for the next.
 */
final class Sharing {
    private static final Logger log = LoggerFactory.getLogger(Sharing.class);
    private static final long RETRY_MS = 2000;
    /** So much slower are rounds for which there is no reason but that others may have one. */
    private static final int QUIET_FACTOR = 6;
    /** How old what is running may become in the database, or a round less. */
    private static final long TELL_AGAIN_MS = 2500;

    private static final int ROWS_AT_ONCE = 200;

    /** A count as it is being written. */
    private record Writing(DayCount count, long version, UsageRow row) {}

    private final Database database;
    private final EventLoop loop;
    private final String gateway;
    private final Clock clock;
    private final Map<String, Subject> subjects;
    private final boolean shared;
    private final long intervalMillis;
    private final Set<DayCount> changed = new LinkedHashSet<>();
    private List<MonoSink<Void>> waiting = new ArrayList<>();
    private Runnable cancelTimer = () -> {};
    private boolean started;
    private boolean running;
    /** Whether there is reason for a round. */
    private boolean due;

    private boolean failing;

    /**
     * @param subjects all that are known; those of whom there is nothing more to know are removed
     * @param shared whether there may be other gateways
     */
    Sharing(
            Database database,
            EventLoop loop,
            String gateway,
            Clock clock,
            Map<String, Subject> subjects,
            boolean shared,
            Duration interval) {
        this.database = database;
        this.loop = loop;
        this.gateway = gateway;
        this.clock = clock;
        this.subjects = subjects;
        this.shared = shared;
        intervalMillis = interval.toMillis();
    }

    void start() {
        started = true;
        if (!running) {
            next();
        }
    }

    /** No more rounds but those that somebody waits for. */
    void stop() {
        started = false;
        cancelTimer.run();
    }

    /** The count is to be written. */
    void changed(DayCount count) {
        changed.add(count);
        soon();
    }

    /** There is reason for a round: something to write, or somebody of whom others may know more. */
    void soon() {
        if (!due) {
            due = true;
            if (started && !running) {
                next();
            }
        }
    }

    /** Writes all that is counted by now; done when it is in the database. */
    Mono<Void> settled() {
        return Mono.create(sink -> loop.execute(() -> {
            waiting.add(sink);
            if (!running) {
                round();
            }
        }));
    }

    private void next() {
        if (failing) {
            schedule(RETRY_MS);
        } else if (due || !changed.isEmpty()) {
            schedule(intervalMillis);
        } else if (!subjects.isEmpty()) {
            schedule(intervalMillis * QUIET_FACTOR);
        }
    }

    private void schedule(long delayMillis) {
        cancelTimer.run();
        cancelTimer = loop.schedule(this::round, delayMillis);
    }

    private void round() {
        cancelTimer.run();
        List<MonoSink<Void>> asked = waiting;
        waiting = new ArrayList<>();
        running = true;
        tidy(clock.millis());
        due = false;
        learn().then(Mono.defer(this::exchange))
                .subscribe(done -> {}, error -> ended(asked, error), () -> ended(asked, null));
    }

    private void ended(List<MonoSink<Void>> asked, @Nullable Throwable error) {
        running = false;
        if (error != null && !failing && !(error instanceof RequestError)) {
            log.warn(
                    "usage could not be written, and is kept ({})",
                    error.getClass().getSimpleName());
        }
        failing = error != null;
        asked.forEach(error == null ? MonoSink::success : sink -> sink.error(error));
        if (!running && !waiting.isEmpty()) {
            round();
        } else if (!running && started) {
            next();
        }
    }

    /** Tells again what goes on, and forgets who is not there any more. */
    private void tidy(long now) {
        Set<Subject> unwritten = changed.stream().map(count -> count.subject).collect(Collectors.toSet());
        subjects.values().removeIf(subject -> !unwritten.contains(subject) && subject.isIdle(now));
        if (shared) {
            subjects.values().forEach(subject -> subject.tellAgain(TELL_AGAIN_MS, now));
        }
    }

    /** Reads what there was before, of whom it is not known. */
    private Mono<Void> learn() {
        List<DayCount> unread =
                changed.stream().filter(count -> !count.isRead()).toList();
        Set<Subject> unknown =
                unread.stream().map(count -> count.subject).collect(Collectors.toCollection(HashSet::new));
        subjects.values().stream()
                .filter(subject -> subject.isLimited() && !subject.isKnown())
                .forEach(unknown::add);
        if (unknown.isEmpty()) {
            return Mono.empty();
        }
        long today = UsageRow.day(clock.millis());
        long first = unread.stream().mapToLong(count -> count.day).min().orElse(today);
        List<String> names = unknown.stream().map(subject -> subject.name).toList();
        return database.transaction(transaction -> UsageTable.between(transaction, names, first - 1, today + 1)
                        .collectList())
                .doOnNext(rows -> learned(unread, unknown, bySubject(rows)))
                .then();
    }

    private void learned(List<DayCount> unread, Set<Subject> unknown, Map<String, List<UsageRow>> rows) {
        for (DayCount count : unread) {
            count.read(rows.getOrDefault(count.subject.name, List.of()).stream()
                    .filter(row -> row.day() == count.day && row.gateway().equals(gateway))
                    .map(UsageRow::usage)
                    .findFirst()
                    .orElse(Usage.NONE));
        }
        for (Subject subject : unknown) {
            if (!subject.isKnown()) {
                subject.resume(rows.getOrDefault(subject.name, List.of()), gateway, clock.millis());
            }
        }
    }

    /** Writes what changed, and reads what others did. */
    private Mono<Void> exchange() {
        long now = clock.millis();
        List<Writing> rows = changed.stream()
                .filter(DayCount::isRead)
                .map(count -> new Writing(count, count.version(), count.row(gateway, now)))
                .toList();
        Set<String> limited = limited();
        if (rows.isEmpty() && limited.isEmpty()) {
            return Mono.empty();
        }
        int parts = Math.max(1, (rows.size() + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE);
        return Flux.range(0, parts)
                .concatMap(i -> exchange(
                        rows.subList(i * ROWS_AT_ONCE, Math.min(rows.size(), (i + 1) * ROWS_AT_ONCE)),
                        i == 0 ? limited : Set.of(),
                        UsageRow.day(now)))
                .then();
    }

    private Set<String> limited() {
        return !shared
                ? Set.of()
                : subjects.values().stream()
                        .filter(subject -> subject.isKnown() && subject.isLimited())
                        .map(subject -> subject.name)
                        .collect(Collectors.toCollection(HashSet::new));
    }

    private Mono<Void> exchange(List<Writing> rows, Set<String> limited, long today) {
        return database.transaction(transaction -> Flux.fromIterable(rows)
                        .concatMap(one -> UsageTable.write(transaction, one.row()))
                        .thenMany(UsageTable.between(transaction, limited, today - 1, today + 1))
                        .filter(row -> !row.gateway().equals(gateway))
                        .collectList())
                .doOnNext(others -> {
                    rows.forEach(this::written);
                    looked(limited, bySubject(others));
                })
                .then();
    }

    private void written(Writing one) {
        one.count().written(clock.millis());
        if (one.count().version() == one.version()) {
            changed.remove(one.count());
        }
    }

    private void looked(Set<String> limited, Map<String, List<UsageRow>> rows) {
        long now = clock.millis();
        for (String name : limited) {
            Subject subject = subjects.get(name);
            if (subject != null) {
                subject.look(rows.getOrDefault(name, List.of()), now);
            }
        }
    }

    private static Map<String, List<UsageRow>> bySubject(List<UsageRow> rows) {
        return rows.stream().collect(Collectors.groupingBy(UsageRow::subject));
    }
}
