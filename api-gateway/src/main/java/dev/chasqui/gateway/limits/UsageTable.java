package dev.chasqui.gateway.limits;

import dev.chasqui.gateway.storage.StoredRow;
import dev.chasqui.gateway.storage.Transaction;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Usage in the database. */
final class UsageTable {
    private static final String COLUMNS = "subject, on_day, gateway, requests, prompt_tokens, cached_tokens,"
            + " completion_tokens, running, requests_full_at, tokens_full_at, updated_at";
    private static final String SUMS = "CAST(SUM(requests) AS BIGINT) AS requests,"
            + " CAST(SUM(prompt_tokens) AS BIGINT) AS prompt_tokens,"
            + " CAST(SUM(cached_tokens) AS BIGINT) AS cached_tokens,"
            + " CAST(SUM(completion_tokens) AS BIGINT) AS completion_tokens,"
            + " MAX(updated_at) AS updated_at";
    private static final int SUBJECTS_AT_ONCE = 100;

    /** What somebody has used in all. */
    record Sum(String subject, Usage usage) {}

    private UsageTable() {}

    /** Puts a row in the place of what it was. */
    static Mono<Long> write(Transaction transaction, UsageRow row) {
        Usage usage = row.usage();
        Object[] values = {
            usage.requests(),
            usage.promptTokens(),
            usage.cachedTokens(),
            usage.completionTokens(),
            row.running(),
            row.requestsFullAt(),
            row.tokensFullAt(),
            usage.lastUsedAt(),
            row.subject(),
            row.day(),
            row.gateway()
        };
        String update = "UPDATE usage_by_day SET requests = $1, prompt_tokens = $2, cached_tokens = $3,"
                + " completion_tokens = $4, running = $5, requests_full_at = $6, tokens_full_at = $7, updated_at = $8"
                + " WHERE subject = $9 AND on_day = $10 AND gateway = $11";
        String insert = "INSERT INTO usage_by_day (requests, prompt_tokens, cached_tokens, completion_tokens, running,"
                + " requests_full_at, tokens_full_at, updated_at, subject, on_day, gateway)"
                + " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        return transaction
                .update(update, values)
                .filter(rows -> rows > 0)
                .switchIfEmpty(Mono.defer(() -> transaction.update(insert, values)));
    }

    /** Rows of these subjects and days, of all gateways. */
    static Flux<UsageRow> between(Transaction transaction, Collection<String> subjects, long first, long last) {
        return each(subjects, some -> {
            List<Object> values = new ArrayList<>(some);
            values.add(first);
            values.add(last);
            return transaction.rows(
                    "SELECT " + COLUMNS + " FROM usage_by_day WHERE subject IN (" + places(some.size())
                            + ") AND on_day BETWEEN $" + (some.size() + 1) + " AND $" + (some.size() + 2),
                    UsageTable::read,
                    values.toArray());
        });
    }

    /** Removes all that is known of these subjects. */
    static Mono<Long> remove(Transaction transaction, Collection<String> subjects) {
        return each(
                        subjects,
                        some -> transaction
                                .update(
                                        "DELETE FROM usage_by_day WHERE subject IN (" + places(some.size()) + ")",
                                        some.toArray())
                                .flux())
                .reduce(0L, Long::sum);
    }

    /** What each of these subjects has used in all; none where it has used nothing. */
    static Flux<Sum> sums(Transaction transaction, Collection<String> subjects) {
        return each(
                subjects,
                some -> transaction.rows(
                        "SELECT subject, " + SUMS + " FROM usage_by_day WHERE subject IN (" + places(some.size())
                                + ") GROUP BY subject",
                        row -> new Sum(row.text("subject"), usage(row)),
                        some.toArray()));
    }

    /** What everybody has used on each of these days, the first day first. */
    static Flux<DayUse> days(Transaction transaction, long first, long last) {
        return transaction.rows(
                "SELECT subject, on_day, " + SUMS + " FROM usage_by_day WHERE on_day BETWEEN $1 AND $2"
                        + " GROUP BY subject, on_day ORDER BY on_day, subject",
                row -> new DayUse(row.text("subject"), row.number("on_day"), usage(row)),
                first,
                last);
    }

    private static <T> Flux<T> each(Collection<String> subjects, Function<List<String>, Flux<T>> query) {
        return Flux.fromIterable(subjects)
                .distinct()
                .buffer(SUBJECTS_AT_ONCE)
                .map(UsageTable::filled)
                .concatMap(query);
    }

    /** To one of few sizes, since databases keep each statement that they once prepared. */
    private static List<String> filled(List<String> subjects) {
        int size = 1;
        while (size < subjects.size()) {
            size *= 10;
        }
        List<String> filled = new ArrayList<>(subjects);
        filled.addAll(Collections.nCopies(size - subjects.size(), subjects.get(0)));
        return filled;
    }

    private static String places(int count) {
        return IntStream.rangeClosed(1, count).mapToObj(i -> "$" + i).collect(Collectors.joining(", "));
    }

    private static UsageRow read(StoredRow row) {
        return new UsageRow(
                row.text("subject"),
                row.number("on_day"),
                row.text("gateway"),
                usage(row),
                row.count("running"),
                row.number("requests_full_at"),
                row.number("tokens_full_at"));
    }

    private static Usage usage(StoredRow row) {
        return new Usage(
                row.number("requests"),
                row.number("prompt_tokens"),
                row.number("cached_tokens"),
                row.number("completion_tokens"),
                row.number("updated_at"));
    }
}
