package dev.chasqui.cli;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/** Finds what is wrong in a configuration file, with lines. Each setting is tried alone, then all of them together. */
final class ConfigCheck {
    private ConfigCheck() {}

    /** What cannot be read, names that nobody knows, and lists where one value is wanted. */
    static List<ConfigFile.Problem> names(ConfigFile file, ConfigKeys keys) {
        List<ConfigFile.Problem> problems = new ArrayList<>(file.problems());
        for (ConfigFile.Entry entry : file.entries()) {
            if (!keys.knows(entry.key())) {
                String near = keys.nearest(entry.key());
                String expected = near.isEmpty() ? "a name that chasqui config lists" : near;
                problems.add(new ConfigFile.Problem(
                        entry.line(), entry.key() + ": no such setting (expected: " + expected + ")"));
            } else if (entry.list() && !keys.takesSeveral(entry.key())) {
                problems.add(new ConfigFile.Problem(
                        entry.line(), entry.key() + ": [" + entry.value() + "] (expected: one value, not a list)"));
            }
        }
        return problems;
    }

    /** Everything: names, types and ranges. */
    static List<ConfigFile.Problem> all(ConfigFile file) {
        ConfigKeys keys = new ConfigKeys(program());
        List<ConfigFile.Problem> problems = names(file, keys);
        for (ConfigFile.Entry entry : file.entries()) {
            OptionSpec option = keys.options().get(entry.key());
            if (option != null && !entry.value().isEmpty() && (!entry.list() || option.isMultiValue())) {
                String problem = problem(option.command().name(), List.of(entry));
                if (!problem.isEmpty() && !hangsOnOthers(entry, file)) {
                    problems.add(new ConfigFile.Problem(entry.line(), problem));
                }
            }
        }
        if (problems.isEmpty()) {
            together(file, keys).forEach(problems::add);
        }
        problems.sort(Comparator.comparingInt(ConfigFile.Problem::line));
        return problems;
    }

    /** Beyond loopback is fine with a key or accounts, of which another line may tell. */
    private static boolean hangsOnOthers(ConfigFile.Entry entry, ConfigFile file) {
        Set<String> others = file.values().keySet();
        return entry.key().equals("host") && (others.contains("api-keys") || others.contains("accounts"));
    }

    /** Settings that are right alone and wrong together. */
    private static List<ConfigFile.Problem> together(ConfigFile file, ConfigKeys keys) {
        List<ConfigFile.Problem> problems = new ArrayList<>();
        Map<String, List<ConfigFile.Entry>> byCommand = file.entries().stream()
                .filter(entry -> keys.options().containsKey(entry.key())
                        && !entry.value().isEmpty())
                .collect(Collectors.groupingBy(
                        entry -> requireNonNull(keys.options().get(entry.key()))
                                .command()
                                .name()));
        byCommand.forEach((command, entries) -> {
            String problem = problem(command, entries);
            if (!problem.isEmpty()) {
                int line = entries.stream()
                        .filter(entry -> problem.startsWith(entry.key() + ":"))
                        .mapToInt(ConfigFile.Entry::line)
                        .findFirst()
                        .orElse(1);
                problems.add(new ConfigFile.Problem(line, problem));
            }
        });
        return problems;
    }

    /** What a command says to these settings; empty where it takes them. */
    private static String problem(String command, List<ConfigFile.Entry> entries) {
        List<String> arguments = new ArrayList<>(List.of(command));
        entries.forEach(entry -> arguments.add("--" + entry.key() + "=" + entry.value()));
        try {
            CommandLine.ParseResult parsed = program().parseArgs(arguments.toArray(String[]::new));
            ((ServerCommand) parsed.subcommand().commandSpec().userObject()).check();
            return "";
        } catch (ParameterException wrong) {
            ConfigFile.Entry entry = entries.get(0);
            return entry.key() + ": " + entry.value() + " (expected: " + UsageProblem.expected(wrong) + ")";
        } catch (Failure | IllegalArgumentException wrong) {
            return String.valueOf(wrong.getMessage()).replaceFirst("^--", "");
        }
    }

    /** Without environment and file, so that nothing but the given settings counts. */
    private static CommandLine program() {
        return Main.commandLine(Map.of(), Map::of);
    }

    /** {@code FILE:LINE: what}, a line each. */
    static String text(Path path, List<ConfigFile.Problem> problems) {
        return problems.stream()
                .map(problem -> path + ":" + problem.line() + ": " + problem.message())
                .collect(Collectors.joining("\n"));
    }
}
