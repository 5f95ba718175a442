package dev.chasqui.cli;

import java.util.Locale;

/**
 * How far something is, in one line: {@code name  48 %  47 of 98 MB  12.3 MB/s  0:04 left  [#####     ]}. What a narrow window cuts
 * off is what says least.
 */
final class Bar {
    private static final int WIDTH = 30;

    private Bar() {}

    /**
     * @param what such as {@code phi-2 downloads}
     * @param progress 0 to 1
     * @param total bytes; 0 where unknown
     * @param bytesPerSecond 0 where unknown
     */
    static String line(String what, double progress, long done, long total, double bytesPerSecond) {
        int filled = (int) Math.round(WIDTH * Math.max(0, Math.min(1, progress)));
        StringBuilder text = new StringBuilder(what).append(String.format(Locale.ROOT, " %3.0f %%", 100 * progress));
        if (total > 0) {
            text.append(String.format(Locale.ROOT, "  %.0f of %.0f MB", done / 1e6, total / 1e6));
        }
        if (bytesPerSecond > 0) {
            text.append(String.format(Locale.ROOT, "  %.1f MB/s", bytesPerSecond / 1e6));
            if (total > done) {
                long seconds = Math.round((total - done) / bytesPerSecond);
                text.append("  ").append(time(seconds)).append(" left");
            }
        }
        return text.append("  [")
                .append("#".repeat(filled))
                .append(" ".repeat(WIDTH - filled))
                .append(']')
                .toString();
    }

    private static String time(long seconds) {
        return seconds < 3600
                ? String.format(Locale.ROOT, "%d:%02d", seconds / 60, seconds % 60)
                : String.format(Locale.ROOT, "%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
}
