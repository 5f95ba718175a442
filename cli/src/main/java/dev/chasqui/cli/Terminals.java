package dev.chasqui.cli;

/** What the standard streams are connected to. The launcher looks, as Java cannot tell one from the other. */
final class Terminals {
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

    static boolean error() {
        return System.getenv("CHASQUI_TERMINAL") != null;
    }
}
