package dev.chasqui.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Keys that a running server stores. */
@Command(
        name = "key",
        description = "Makes, lists and revokes the API keys of a running server.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {KeyCreateCommand.class, KeyListCommand.class, KeyShowCommand.class, KeyRevokeCommand.class})
final class KeyCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Say what to do: chasqui key create, list, show or revoke.");
    }
}
