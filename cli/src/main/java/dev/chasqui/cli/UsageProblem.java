package dev.chasqui.cli;

import dev.chasqui.node.store.Spelling;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/** What is wrong with a command line, in one sentence. */
final class UsageProblem {
    private static final Map<Class<?>, String> KINDS = Map.ofEntries(
            Map.entry(int.class, "a whole number"),
            Map.entry(Integer.class, "a whole number"),
            Map.entry(long.class, "a whole number"),
            Map.entry(Long.class, "a whole number"),
            Map.entry(Double.class, "a number"),
            Map.entry(Float.class, "a number"),
            Map.entry(boolean.class, "true or false"),
            Map.entry(Boolean.class, "true or false"),
            Map.entry(InetSocketAddress.class, "HOST:PORT"),
            Map.entry(Path.class, "a path"));

    private UsageProblem() {}

    static String sentence(ParameterException problem) {
        if (problem instanceof UnmatchedArgumentException unmatched
                && !unmatched.getUnmatched().isEmpty()) {
            return unmatched(
                    unmatched.getCommandLine(), unmatched.getUnmatched().get(0));
        }
        ArgSpec argument = problem.getArgSpec();
        return argument == null || problem.getValue() == null
                ? String.valueOf(problem.getMessage())
                : name(argument) + ": " + problem.getValue() + " (expected: " + expected(problem) + ")";
    }

    /** Who asks for help on a command that there is not would take the help of another for it. */
    static void refuseUnknownCommand(ParseResult parsed) {
        for (CommandLine command : parsed.asCommandLineList()) {
            List<String> unmatched = command.getUnmatchedArguments();
            boolean named = !unmatched.isEmpty() && !unmatched.get(0).startsWith("-");
            if (named && !command.getSubcommands().isEmpty()) {
                throw new UnmatchedArgumentException(command, unmatched);
            }
        }
    }

    private static String unmatched(CommandLine command, String written) {
        if (written.startsWith("-")) {
            return noSuchOption(command.getCommandSpec(), written.replaceFirst("=.*", ""));
        }
        if (!command.getSubcommands().isEmpty()) {
            return noSuchCommand(command, written);
        }
        boolean none = command.getCommandSpec().positionalParameters().isEmpty();
        String name = command.getCommandSpec().qualifiedName();
        return written + ": one argument too many (" + name + " takes " + (none ? "options only" : "fewer") + ")";
    }

    static String noSuchCommand(CommandLine parent, String written) {
        List<String> known = CompletionCommand.visible(parent).stream()
                .flatMap(command -> command.getCommandSpec().names().stream())
                .toList();
        return written + ": no such command" + of(parent.getCommandSpec())
                + meant(nearest(written, known), parent.getCommandSpec());
    }

    private static String noSuchOption(CommandSpec command, String written) {
        List<String> known = command.options().stream()
                .filter(option -> !option.hidden())
                .flatMap(option -> Stream.of(option.names()))
                .filter(name -> name.startsWith("--"))
                .map(name -> name.substring(2))
                .toList();
        String nearest = written.startsWith("--") ? nearest(written.substring(2), known) : "";
        return written + ": no such option of " + command.qualifiedName()
                + meant(nearest.isEmpty() ? "" : "--" + nearest, command);
    }

    /** The same letters in another order are the likeliest slip. */
    private static String nearest(String written, List<String> known) {
        int[] letters = written.chars().sorted().toArray();
        return known.stream()
                .filter(name -> Arrays.equals(name.chars().sorted().toArray(), letters))
                .findFirst()
                .orElseGet(() -> Spelling.nearest(written, known));
    }

    private static String of(CommandSpec parent) {
        return parent.parent() == null ? "" : " of " + parent.qualifiedName();
    }

    private static String meant(String nearest, CommandSpec command) {
        return nearest.isEmpty()
                ? " (" + command.qualifiedName() + " --help lists all)"
                : " (did you mean " + nearest + "?)";
    }

    /** What somebody has written: a flag, the variable that stands for it, an entry of the file, or an argument. */
    private static String name(ArgSpec argument) {
        if (!(argument instanceof OptionSpec option)) {
            return argument.paramLabel();
        }
        return option.command().defaultValueProvider() instanceof EnvironmentDefaults defaults
                ? defaults.source(option)
                : option.longestName();
    }

    /** What a value that was not understood should have been. */
    static String expected(ParameterException problem) {
        String said = problem.getCause() instanceof TypeConversionException own ? "" + own.getMessage() : "";
        int at = said.indexOf("(expected: ");
        if (at >= 0) {
            return said.substring(at + "(expected: ".length(), said.length() - 1);
        }
        ArgSpec argument = problem.getArgSpec();
        Class<?> type = argument == null ? String.class : argument.auxiliaryTypes()[0];
        if (type.isEnum()) {
            return Stream.of(type.getEnumConstants())
                    .map(value -> value.toString().toLowerCase(Locale.ROOT))
                    .collect(Collectors.joining(", "));
        }
        String kind = KINDS.getOrDefault(type, "another value");
        return argument != null && argument.isMultiValue() ? kind + ", or several with commas between" : kind;
    }
}
