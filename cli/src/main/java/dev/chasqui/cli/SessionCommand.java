package dev.chasqui.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Who one is at a server that has accounts. */
@Command(
        name = "session",
        description = "Signs in at a server that has accounts, and out again.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {SessionLoginCommand.class, SessionMeCommand.class, SessionLogoutCommand.class})
final class SessionCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Say what to do: chasqui session login, me or logout.");
    }
}
