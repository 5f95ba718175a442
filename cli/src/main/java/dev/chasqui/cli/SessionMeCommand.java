package dev.chasqui.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;

/** Says who the server takes one for. */
@Command(
        name = "me",
        description = "Says who the server takes this user for, and what he may do.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class SessionMeCommand implements Callable<Integer> {
    @Option(names = "--json", description = "Write JSON.")
    private boolean json;

    @Mixin
    private ServerOptions server;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        LogOptions.quiet();
        ServerClient client = server.required();
        JsonNode me = client.get("/api/auth/me");
        spec.commandLine()
                .getOut()
                .print(json ? me.toPrettyString() + "\n" : AccountText.details(client.base(), me, Terminals.width()));
        spec.commandLine().getOut().flush();
        return 0;
    }
}
