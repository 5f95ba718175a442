package dev.chasqui.cli;

import dev.chasqui.node.store.FileFaults;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Writes manual pages, made of what {@code --help} shows. */
@Command(
        name = "man",
        description = "Writes manual pages: one of a command to the terminal, or all of them into a folder.",
        footer = {
            "",
            "  read one:      chasqui man serve | man -l -",
            "  install them:  chasqui man --to ~/.local/share/man/man1"
        },
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class ManCommand implements Callable<Integer> {
    @Parameters(
            arity = "0..*",
            paramLabel = "COMMAND",
            completionCandidates = CommandNames.class,
            description = "Such as serve, or model pull. Without one: chasqui itself.")
    private List<String> names = List.of();

    @Option(names = "--to", paramLabel = "DIR", description = "Write the pages of all commands there.")
    @Nullable
    private Path to;

    @Override
    public Integer call() {
        if (to == null) {
            System.out.print(ManPage.of(HelpCommand.find(names).getCommandSpec()));
            return 0;
        }
        try {
            Files.createDirectories(to);
            writeAll(HelpCommand.find(List.of()), to);
        } catch (IOException e) {
            throw new Failure("manual pages cannot be written to " + to + ": " + FileFaults.reason(e), 1);
        }
        return 0;
    }

    private static void writeAll(CommandLine command, Path folder) throws IOException {
        String name = command.getCommandSpec().qualifiedName("-");
        Files.writeString(folder.resolve(name + ".1"), ManPage.of(command.getCommandSpec()));
        for (CommandLine sub : CompletionCommand.visible(command)) {
            writeAll(sub, folder);
        }
    }
}
