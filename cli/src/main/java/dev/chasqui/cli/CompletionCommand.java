package dev.chasqui.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.Parameters;

/** Writes what makes a shell complete this program's commands and options. */
@Command(
        name = "completion",
        description = "Writes a script that lets a shell complete commands and options.",
        footer = {
            "",
            "  bash: source <(chasqui completion bash)",
            "  zsh:  source <(chasqui completion zsh)",
            "  fish: chasqui completion fish | source"
        },
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class CompletionCommand implements Callable<Integer> {
    /** Shells that are known. */
    enum Shell {
        BASH,
        ZSH,
        FISH;

        /** As it is written, and as shells complete it. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    @Parameters(paramLabel = "SHELL", description = "bash, zsh or fish.")
    private Shell shell;

    @Override
    public Integer call() {
        CommandLine program = Main.commandLine(Map.of(), Map::of);
        System.out.print(
                switch (shell) {
                    case BASH -> AutoComplete.bash("chasqui", program);
                    case ZSH ->
                        "autoload -Uz compinit bashcompinit && compinit -u && bashcompinit\n"
                                + AutoComplete.bash("chasqui", program);
                    case FISH -> fish(program);
                });
        return 0;
    }

    private static String fish(CommandLine program) {
        StringBuilder script = new StringBuilder("complete -c chasqui -f\n");
        commands(script, program, "__fish_use_subcommand");
        for (CommandLine command : visible(program)) {
            String seen = "__fish_seen_subcommand_from "
                    + String.join(" ", command.getCommandSpec().names());
            options(script, command.getCommandSpec(), seen);
            words(script, command.getCommandSpec(), seen);
            List<String> names = visible(command).stream()
                    .flatMap(sub -> sub.getCommandSpec().names().stream())
                    .toList();
            if (!names.isEmpty()) {
                commands(script, command, seen + "; and not __fish_seen_subcommand_from " + String.join(" ", names));
            }
            for (CommandLine sub : visible(command)) {
                options(
                        script,
                        sub.getCommandSpec(),
                        seen + "; and __fish_seen_subcommand_from " + sub.getCommandName());
            }
        }
        return script.toString();
    }

    /** Subcommands that help shows, each once. */
    static List<CommandLine> visible(CommandLine command) {
        return command.getSubcommands().values().stream()
                .distinct()
                .filter(sub -> !sub.getCommandSpec().usageMessage().hidden())
                .toList();
    }

    private static void commands(StringBuilder script, CommandLine parent, String condition) {
        for (CommandLine command : visible(parent)) {
            line(script, condition, "-a " + command.getCommandName(), description(command.getCommandSpec()));
        }
    }

    private static String description(CommandSpec command) {
        String[] lines = command.usageMessage().description();
        return lines.length == 0 ? "" : lines[0];
    }

    private static void options(StringBuilder script, CommandSpec command, String condition) {
        for (OptionSpec option : command.options()) {
            if (!option.hidden()) {
                String text = option.description().length == 0 ? "" : option.description()[0];
                line(script, condition, "-l " + option.longestName().substring(2) + value(option), text);
            }
        }
    }

    /** What a command takes that is no option, where that is known beforehand. */
    private static void words(StringBuilder script, CommandSpec command, String condition) {
        for (PositionalParamSpec word : command.positionalParameters()) {
            Iterable<String> known = word.completionCandidates();
            if (known != null) {
                line(script, condition, "-a '" + String.join(" ", known) + "'", "");
            }
        }
    }

    /** How fish completes an option's value: a file, one of a few words, or nothing that it could know. */
    private static String value(OptionSpec option) {
        if (option.arity().max() == 0) {
            return "";
        }
        if (option.type() == Path.class) {
            return " -r -F";
        }
        if (!option.type().isEnum()) {
            return " -x";
        }
        return Stream.of(option.type().getEnumConstants())
                .map(word -> word.toString().toLowerCase(Locale.ROOT))
                .collect(Collectors.joining(" ", " -x -a '", "'"));
    }

    private static void line(StringBuilder script, String condition, String what, String description) {
        String sentence = description
                .replaceAll("(?<=[.;]) .*", "")
                .replaceAll("[.;]$", "")
                .replace("'", "\\'");
        script.append("complete -c chasqui -n '").append(condition).append("' ").append(what);
        script.append(sentence.isEmpty() ? "\n" : " -d '" + sentence + "'\n");
    }
}
