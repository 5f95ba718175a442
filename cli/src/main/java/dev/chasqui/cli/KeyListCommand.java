package dev.chasqui.cli;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
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

    @Option(names = "--json", description = "Write JSON.")
    private boolean json;

    @Mixin
    private ServerOptions server;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        LogOptions.quiet();
        JsonNode keys = new RemoteKeys(server.required()).list(all, revoked);
        PrintWriter out = spec.commandLine().getOut();
        out.print(json ? keys.toPrettyString() + "\n" : KeyText.table(keys, all, Terminals.width()));
        out.flush();
        return 0;
    }
}
