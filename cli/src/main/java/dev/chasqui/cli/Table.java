package dev.chasqui.cli;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import org.jline.utils.WCWidth;

/** Rows below headings. Where a terminal's lines are too short for all, the columns that say least are left out. */
final class Table {
    private static final String GAP = "  ";
    /** Shorter than that a cell is cut only where no other column can go. */
    private static final int FAIR_CUT = 16;

    private static final int LEAST_CUT = 8;

    private final List<Column> columns;
    private final List<List<String>> rows = new ArrayList<>();

    Table(List<Column> columns) {
        this.columns = List.copyOf(columns);
        rows.add(columns.stream().map(Column::heading).toList());
    }

    /**
     * One of them.
     *
     * @param isRight whether it ends in line, as numbers do
     * @param leftOut the one with 1 is left out first; 0: it stays
     * @param isCut whether its cells are cut where the lines are still too long
     */
    record Column(String heading, boolean isRight, int leftOut, boolean isCut) {
        Column(String heading) {
            this(heading, false, 0, false);
        }

        Column right() {
            return new Column(heading, true, leftOut, isCut);
        }

        Column leftOut(int place) {
            return new Column(heading, isRight, place, isCut);
        }

        Column cut() {
            return new Column(heading, isRight, leftOut, true);
        }
    }

    /** @param cells of all columns */
    void row(List<String> cells) {
        rows.add(List.copyOf(cells));
    }

    /** @param width of a line; 0: no line is too long */
    String text(int width) {
        int most = width == 0 ? Integer.MAX_VALUE : width;
        int[] widths = widths();
        List<Integer> shown = shown(most, widths);
        int over = total(shown, widths) - most;
        for (int i : shown) {
            if (over > 0 && columns.get(i).isCut()) {
                widths[i] = Math.max(Math.min(LEAST_CUT, widths[i]), widths[i] - over);
            }
        }
        return rows.stream().map(row -> line(row, widths, shown)).collect(Collectors.joining());
    }

    /** Which columns there is room for, if long cells that may be cut are; those that say most come in first. */
    private List<Integer> shown(int most, int[] widths) {
        int[] least = widths.clone();
        List<Integer> shown = new ArrayList<>();
        List<Integer> others = new ArrayList<>();
        for (int i = 0; i < least.length; i++) {
            least[i] = columns.get(i).isCut() ? Math.min(least[i], FAIR_CUT) : least[i];
            (columns.get(i).leftOut() == 0 ? shown : others).add(i);
        }
        others.sort(Comparator.comparing(i -> -columns.get(i).leftOut()));
        for (int other : others) {
            if (total(shown, least) + GAP.length() + least[other] <= most) {
                shown.add(other);
            }
        }
        Collections.sort(shown);
        return shown;
    }

    private int[] widths() {
        int[] widths = new int[columns.size()];
        for (List<String> row : rows) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], width(row.get(i)));
            }
        }
        return widths;
    }

    private static int total(List<Integer> shown, int[] widths) {
        return shown.stream().mapToInt(i -> widths[i] + GAP.length()).sum() - GAP.length();
    }

    private String line(List<String> row, int[] widths, List<Integer> shown) {
        StringBuilder line = new StringBuilder();
        for (int i : shown) {
            String cell = cut(row.get(i), widths[i]);
            String space = " ".repeat(widths[i] - width(cell));
            line.append(columns.get(i).isRight() ? space + cell : cell + space).append(GAP);
        }
        return line.toString().stripTrailing() + "\n";
    }

    private static String cut(String cell, int width) {
        if (width(cell) <= width) {
            return cell;
        }
        StringBuilder begin = new StringBuilder(cell);
        while (width(begin.toString()) >= width) {
            begin.setLength(begin.offsetByCodePoints(begin.length(), -1));
        }
        return begin.toString().stripTrailing() + '…';
    }

    /** Columns of a terminal, of which some signs take two. */
    private static int width(String cell) {
        return cell.codePoints().map(c -> Math.max(0, WCWidth.wcwidth(c))).sum();
    }
}
