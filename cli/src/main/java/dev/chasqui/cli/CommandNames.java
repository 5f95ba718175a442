package dev.chasqui.cli;

import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import picocli.CommandLine;

/** What shells complete behind a command that takes the names of others: those of the first two levels. */
final class CommandNames implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
        List<CommandLine> commands = CompletionCommand.visible(Main.commandLine(Map.of(), Map::of));
        return commands.stream()
                .flatMap(command -> Stream.concat(Stream.of(command), CompletionCommand.visible(command).stream()))
                .map(CommandLine::getCommandName)
                .distinct()
                .sorted()
                .iterator();
    }
}
