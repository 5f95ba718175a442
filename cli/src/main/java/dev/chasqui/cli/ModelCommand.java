package dev.chasqui.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Models on disk and in the catalogue: of a running server, else of this machine's models folder. */
@Command(
        name = "model",
        description = "Lists, fetches, describes and removes models: a running server's, else this machine's.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            ModelListCommand.class,
            ModelShowCommand.class,
            ModelPullCommand.class,
            ModelDeleteCommand.class,
            ModelLoadCommand.class,
            ModelUnloadCommand.class,
            ModelOptimizeCommand.class
        })
final class ModelCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "Say what to do: chasqui model list, show, pull, delete, load, unload or optimize.");
    }
}
