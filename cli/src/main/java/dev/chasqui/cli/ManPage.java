package dev.chasqui.cli;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** A command's manual page in troff, with the macros of man(7). */
final class ManPage {
    private final StringBuilder text = new StringBuilder();
    private final CommandSpec command;

    private ManPage(CommandSpec command) {
        this.command = command;
    }

    static String of(CommandSpec command) {
        return new ManPage(command).write();
    }

    private String write() {
        String name = command.qualifiedName("-");
        text.append(".TH ").append(escaped(name).toUpperCase(Locale.ROOT)).append(" 1 \"\" \"Chasqui\" \"Chasqui\"\n");
        // A word that is cut is no flag to copy, and both margins in line tear holes.
        text.append(".nh\n.ad l\n");
        section("NAME");
        List<String> description = plain(command.usageMessage().description());
        paragraph(name + " - " + (description.isEmpty() ? "" : sentence(description.get(0))));
        section("SYNOPSIS");
        paragraph(".B", command.commandLine().getHelp().synopsis(0).replaceAll("\\s+", " "));
        section("DESCRIPTION");
        description.forEach(this::paragraph);
        parameters();
        options();
        commands();
        List<String> footer = plain(command.usageMessage().footer());
        if (footer.stream().anyMatch(line -> !line.isBlank())) {
            section("NOTES");
            text.append(".nf\n");
            footer.stream().filter(line -> !line.isBlank()).forEach(this::line);
            text.append(".fi\n");
        }
        return text.toString();
    }

    private void parameters() {
        List<PositionalParamSpec> parameters = command.positionalParameters();
        if (!parameters.isEmpty()) {
            section("ARGUMENTS");
            for (PositionalParamSpec parameter : parameters) {
                item(parameter.paramLabel(), String.join(" ", plain(parameter.description())));
            }
        }
    }

    private void options() {
        List<OptionSpec> options = command.options().stream()
                .filter(option -> !option.hidden())
                .sorted(Comparator.comparing(option -> option.longestName().replaceFirst("^-+", "")))
                .toList();
        if (!options.isEmpty()) {
            section("OPTIONS");
            for (OptionSpec option : options) {
                String names = String.join(", ", option.names());
                String label = option.arity().max() > 0 ? " " + option.paramLabel() : "";
                String usual = option.defaultValue() == null ? "" : option.defaultValue();
                item(
                        names + label,
                        String.join(" ", plain(option.description())).replace("${DEFAULT-VALUE}", usual));
            }
        }
    }

    private void commands() {
        List<CommandLine> commands = CompletionCommand.visible(command.commandLine());
        if (commands.isEmpty()) {
            return;
        }
        section("COMMANDS");
        for (CommandLine sub : commands) {
            List<String> says = plain(sub.getCommandSpec().usageMessage().description());
            item(String.join(", ", sub.getCommandSpec().names()), says.isEmpty() ? "" : says.get(0));
        }
        section("SEE ALSO");
        paragraph(commands.stream()
                .map(sub -> sub.getCommandSpec().qualifiedName("-") + "(1)")
                .collect(Collectors.joining(", ")));
    }

    /** Without the marks that picocli makes colours of. */
    private static List<String> plain(String[] lines) {
        return Arrays.stream(lines).map(line -> Ansi.OFF.string(line)).toList();
    }

    private static String sentence(String line) {
        String first = line.replaceAll("\\.$", "");
        return first.isEmpty() ? first : first.substring(0, 1).toLowerCase(Locale.ROOT) + first.substring(1);
    }

    private void section(String name) {
        text.append(".SH ").append(name).append('\n');
    }

    private void item(String name, String description) {
        text.append(".TP\n.B ").append(escaped(name)).append('\n');
        line(description);
    }

    private void paragraph(String line) {
        text.append(".PP\n");
        line(line);
    }

    private void paragraph(String macro, String line) {
        text.append(".PP\n")
                .append(macro)
                .append(' ')
                .append(escaped(line.strip()))
                .append('\n');
    }

    private void line(String line) {
        // A point or an apostrophe at the begin of a line would be a request.
        text.append(line.startsWith(".") || line.startsWith("'") ? "\\&" : "")
                .append(escaped(line))
                .append('\n');
    }

    private static String escaped(String value) {
        return value.replace("\\", "\\e").replace("-", "\\-").replace("\"", "\\(dq");
    }
}
