package dev.chasqui.cli;

import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The same as {@code --help}, for those who say it first. */
@Command(
        name = "help",
        description = "Says what a command does and takes, as its --help does.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class HelpCommand implements Callable<Integer> {
    @Parameters(
            arity = "0..*",
            paramLabel = "COMMAND",
            completionCandidates = CommandNames.class,
            description = "Such as serve, or model pull. Without one: chasqui itself.")
    private List<String> names = List.of();

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        find(names).usage(spec.commandLine().getOut());
        return 0;
    }

    /**
     * A command by its names from outside in; the program itself where there are none.
     *
     * @throws Failure where there is no such command
     */
    static CommandLine find(List<String> names) {
        CommandLine command = Main.commandLine(Map.of(), Map::of);
        for (String name : names) {
            CommandLine inner = command.getSubcommands().get(name);
            if (inner == null) {
                throw new Failure(UsageProblem.noSuchCommand(command, name), 2);
            }
            command = inner;
        }
        return command;
    }
}
