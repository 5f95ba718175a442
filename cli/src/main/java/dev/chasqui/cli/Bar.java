package dev.chasqui.cli;

import java.util.Locale;

/**
 * How far something is, in one line: {@code name  48 %  47 of 98 MB  12.3 MB/s  0:04 left  [#####     ]}. A narrow window gets less of
 * it: first the rate goes, then the drawing, the time that is left, and the size.
 *
 * @param what such as {@code phi-2 downloads}
 * @param progress 0 to 1
 * @param total bytes; 0 where unknown
 * @param bytesPerSecond 0 where unknown
 */
record Bar(String what, double progress, long done, long total, double bytesPerSecond) {
    private static final int MOST_CELLS = 30;
    private static final int LEAST_CELLS = 10;

    /** So that a figure that grows by a digit does not move the drawing's end. */
    private static final int STEP = 5;

    private static final int MOST_SECONDS = 100 * 3600 - 1;

    private static final String BESIDE_CELLS = "  []";

    /** Without sizes. */
    static Bar of(String what, double progress) {
        return new Bar(what, progress, 0, 0, 0);
    }

    /** @param columns of the window, whose last one stays free; 0: all of it */
    String line(int columns) {
        int room = columns == 0 ? Integer.MAX_VALUE : columns - 1;
        String percent = String.format(Locale.ROOT, " %3.0f %%", Math.floor(100 * progress));
        String head = what.substring(0, Math.max(0, Math.min(what.length(), room - percent.length()))) + percent;
        String[] texts = {size() + rate() + left(), size() + left(), size(), ""};
        for (int i = 0; i < texts.length; i++) {
            String text = head + texts[i];
            int cells = Math.min(MOST_CELLS, (room - text.length() - BESIDE_CELLS.length()) / STEP * STEP);
            // The rate is worth less than the drawing, and all else is worth more.
            boolean drawn = cells >= LEAST_CELLS;
            if (drawn || (i > 0 && text.length() <= room)) {
                return drawn ? text + drawing(cells) : text;
            }
        }
        return head;
    }

    private String size() {
        return total <= 0 ? "" : String.format(Locale.ROOT, "  %.0f of %.0f MB", done / 1e6, total / 1e6);
    }

    private String rate() {
        return bytesPerSecond <= 0 ? "" : String.format(Locale.ROOT, "  %.1f MB/s", bytesPerSecond / 1e6);
    }

    private String left() {
        double seconds = bytesPerSecond <= 0 || total <= done ? 0 : (total - done) / bytesPerSecond;
        // Where it stands still nobody knows.
        return seconds == 0 || seconds > MOST_SECONDS ? "" : "  " + time(Math.round(seconds)) + " left";
    }

    private String drawing(int cells) {
        int filled = (int) (cells * Math.max(0, Math.min(1, progress)));
        return "  [" + "#".repeat(filled) + " ".repeat(cells - filled) + "]";
    }

    private static String time(long seconds) {
        return seconds < 3600
                ? String.format(Locale.ROOT, "%d:%02d", seconds / 60, seconds % 60)
                : String.format(Locale.ROOT, "%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
}
