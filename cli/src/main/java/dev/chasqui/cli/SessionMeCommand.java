package dev.chasqui.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import tools.jackson.databind.JsonNode;

/** Says who the server takes one for. */
@Command(
        name = "me",
        description = "Says who the server takes this user for, and what he may do.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class SessionMeCommand implements Callable<Integer> {
    @Mixin
    private JsonOption output;

    @Mixin
    private ServerOptions server;

    @Override
    public Integer call() {
        LogOptions.quiet();
        ServerClient client = server.required();
        JsonNode me = client.get("/api/auth/me");
        output.print(me, () -> AccountText.details(client.base(), me, Terminals.width()));
        return 0;
    }
}
