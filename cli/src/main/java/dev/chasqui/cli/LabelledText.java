package dev.chasqui.cli;

import java.util.Locale;

/** Lines of a label and what is said of it; what is too long for a terminal's line goes on below itself. */
final class LabelledText {
    private static final int LABEL = 14;
    private static final int LEAST_VALUE = 20;

    private final int width;
    private final StringBuilder text = new StringBuilder();

    /** @param width of a line; 0: no line is too long */
    LabelledText(int width) {
        this.width = width == 0 ? Integer.MAX_VALUE : Math.max(width, LABEL + 1 + LEAST_VALUE);
    }

    /** Adds nothing where there is nothing to say. */
    LabelledText line(String label, String value) {
        if (value.isEmpty()) {
            return this;
        }
        String indent = " ".repeat(LABEL + 1);
        StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%-" + LABEL + "s ", label));
        boolean begun = false;
        for (String word : value.split(" ")) {
            if (begun && line.length() + 1 + word.length() > width) {
                text.append(line).append('\n');
                line.setLength(0);
                line.append(indent);
                begun = false;
            }
            line.append(begun ? " " : "").append(word);
            begun = true;
        }
        text.append(line).append('\n');
        return this;
    }

    LabelledText blank() {
        text.append('\n');
        return this;
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
