package dev.chasqui.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What was promised and what was seen. Any thread. */
final class Verdict {
    private final List<String> rows = new ArrayList<>();
    private final List<String> checks = new ArrayList<>();
    private boolean breached;

    /** @param seen as printf takes it */
    synchronized void check(boolean holds, String promised, String seen, Object... values) {
        breached |= !holds;
        checks.add((holds ? "holds   " : "BREACH  ") + promised + ": " + String.format(Locale.ROOT, seen, values));
    }

    /** A row of the table in docs/performance.md; cells are apart by {@code |}. */
    synchronized void row(String cells, Object... values) {
        rows.add("| " + String.format(Locale.ROOT, cells, values) + " |");
    }

    /** Returns the exit code. */
    synchronized int print() {
        System.out.println();
        rows.forEach(System.out::println);
        if (!checks.isEmpty()) {
            System.out.println();
            checks.forEach(System.out::println);
        }
        return breached ? 1 : 0;
    }

    /** The value that so many percent of the values do not exceed; NaN of none. */
    static double percentile(List<Double> values, int percent) {
        if (values.isEmpty()) {
            return Double.NaN;
        }
        List<Double> sorted = values.stream().sorted().toList();
        return sorted.get(Math.min(sorted.size() - 1, sorted.size() * percent / 100));
    }

    static double median(List<Double> values) {
        return percentile(values, 50);
    }

    static double mean(List<Double> values) {
        return values.stream().mapToDouble(value -> value).average().orElse(Double.NaN);
    }

    static double most(List<Double> values) {
        return values.stream().mapToDouble(value -> value).max().orElse(Double.NaN);
    }
}
