package dev.chasqui.node.model;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * How long a model that nobody uses stays in memory.
 *
 * @param time zero: it goes as soon as nobody uses it; null: until its memory is needed
 */
public record KeepAlive(@Nullable Duration time) {
    /** Until its memory is needed. */
    public static final KeepAlive FOREVER = new KeepAlive(null);

    private static final Pattern SECONDS = Pattern.compile("-?\\d{1,12}(\\.\\d{1,9})?");
    private static final Pattern UNITS = Pattern.compile("(?:(\\d{1,9})h)?(?:(\\d{1,9})m)?(?:(\\d{1,9})s)?");

    /**
     * Reads {@code 300}, {@code 5m}, {@code 1h30m}, {@code 0}, or a negative number for ever.
     *
     * @throws IllegalArgumentException where it is none of them
     */
    public static KeepAlive parse(String text) {
        if (SECONDS.matcher(text).matches()) {
            return ofSeconds(Double.parseDouble(text));
        }
        Matcher units = UNITS.matcher(text);
        if (text.isEmpty() || !units.matches()) {
            throw new IllegalArgumentException(
                    "keep-alive: " + text + " (expected: seconds, a time such as 5m or 1h30m, 0 or -1)");
        }
        return new KeepAlive(Duration.ofHours(number(units.group(1)))
                .plusMinutes(number(units.group(2)))
                .plusSeconds(number(units.group(3))));
    }

    /** @param seconds negative: for ever */
    public static KeepAlive ofSeconds(double seconds) {
        // Longer than 30 years is for ever, and fits nanoseconds.
        return seconds < 0 || seconds > 1e9 ? FOREVER : new KeepAlive(Duration.ofMillis(Math.round(seconds * 1000)));
    }

    /** Negative: for ever. */
    public double seconds() {
        return time == null ? -1 : time.toMillis() / 1000.0;
    }

    @Override
    public String toString() {
        return time == null ? "-1" : time.toSeconds() + "s";
    }

    private static long number(@Nullable String digits) {
        return digits == null ? 0 : Long.parseLong(digits);
    }
}
