package dev.chasqui.bench;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/** The program: {@code COMMAND --option value …}. Exits with 0 where what was measured holds, with 1 where it does not. */
final class Bench {
    private Bench() {}

    /** One measurement. */
    @FunctionalInterface
    private interface Command {
        Verdict run(Options options) throws Exception;
    }

    private static final Map<String, Command> COMMANDS = new TreeMap<>(Map.of(
            "compare", Compare::run,
            "chaos", Chaos::run,
            "overcommit", Overcommit::run,
            "cancel", Cancel::run,
            "overload", Overload::run,
            "speculation", Speculation::run,
            "models", Loads::run,
            "soak", Soak::run));

    public static void main(String[] arguments) throws Exception {
        Command command = arguments.length == 0 ? null : COMMANDS.get(arguments[0]);
        if (command == null) {
            System.err.println("bench: expected one of " + COMMANDS.keySet());
            System.exit(2);
            return;
        }
        try {
            Verdict verdict = command.run(Options.parse(Arrays.asList(arguments).subList(1, arguments.length)));
            System.exit(verdict.print());
        } catch (IllegalArgumentException wrong) {
            System.err.println("bench: " + wrong.getMessage());
            System.exit(2);
        }
    }
}
