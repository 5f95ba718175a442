package dev.chasqui.cli;

/** What the standard streams are connected to. The launcher looks, as Java cannot tell one from the other. */
final class Terminals {
    private static final int USUAL_COLUMNS = 80;

    private Terminals() {}

    static boolean input() {
        return System.getenv("CHASQUI_LAUNCHER") == null
                ? System.console() != null
                : System.getenv("CHASQUI_TERMINAL_IN") != null;
    }

    static boolean output() {
        return System.getenv("CHASQUI_LAUNCHER") == null
                ? System.console() != null
                : System.getenv("CHASQUI_TERMINAL_OUT") != null;
    }

    /** Whether nothing is to be coloured or emphasised, as NO_COLOR says to all programs. */
    static boolean plain() {
        return !System.getenv().getOrDefault("NO_COLOR", "").isEmpty() || "dumb".equals(System.getenv("TERM"));
    }

    /** What others have named is to be one line, and must not move the cursor, or worse. */
    static String printable(String text) {
        return text.codePoints()
                .filter(c -> !Character.isISOControl(c))
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }

    /** Columns of the window that output goes to; 0 where it goes elsewhere, or nobody knows. */
    static int width() {
        return output() ? columns(0) : 0;
    }

    /** Columns of the window that errors and progress go to; 0 where they go elsewhere. */
    static int errorWidth() {
        return error() ? columns(USUAL_COLUMNS) : 0;
    }

    private static int columns(int unknown) {
        String columns = System.getenv("CHASQUI_COLUMNS");
        return columns != null && columns.matches("[1-9][0-9]{0,3}") ? Integer.parseInt(columns) : unknown;
    }

    static boolean error() {
        return System.getenv("CHASQUI_TERMINAL") != null;
    }
}
