package dev.chasqui.cli;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
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

    @Option(names = "--json", description = "Write JSON.")
    private boolean json;

    @Mixin
    private ServerOptions server;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        LogOptions.quiet();
        JsonNode shown = new RemoteKeys(server.required()).show(key);
        PrintWriter out = spec.commandLine().getOut();
        out.print(json ? shown.toPrettyString() + "\n" : KeyText.details(shown, Terminals.width()));
        out.flush();
        return 0;
    }
}
