package dev.chasqui.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;

/** Lists keys, the newest first. */
@Command(
        name = "list",
        description = "Lists one's API keys at a running server, the newest first.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class KeyListCommand implements Callable<Integer> {
    @Option(names = "--all", description = "Those of all accounts, for administrators.")
    private boolean all;

    @Option(names = "--revoked", description = "Those that were revoked, too.")
    private boolean revoked;

    @Mixin
    private JsonOption output;

    @Mixin
    private ServerOptions server;

    @Override
    public Integer call() {
        LogOptions.quiet();
        JsonNode keys = new RemoteKeys(server.required()).list(all, revoked);
        output.print(keys, () -> KeyText.table(keys, all, Terminals.width()));
        return 0;
    }
}
