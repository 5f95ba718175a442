package dev.chasqui.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/** Says what is known of a key. */
@Command(
        name = "show",
        description = "Says what is known of an API key, and how much it was used.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class KeyShowCommand implements Callable<Integer> {
    @Parameters(paramLabel = "ID", description = "Its id, or its name or hint where no other has it.")
    private String key;

    @Mixin
    private JsonOption output;

    @Mixin
    private ServerOptions server;

    @Override
    public Integer call() {
        LogOptions.quiet();
        JsonNode shown = new RemoteKeys(server.required()).show(key);
        output.print(shown, () -> KeyText.details(shown, Terminals.width()));
        return 0;
    }
}
