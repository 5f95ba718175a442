package dev.chasqui.cli;

import java.io.PrintWriter;
import java.util.function.Supplier;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;

/** What a command tells, for people or as JSON. */
final class JsonOption {
    @Option(names = "--json", description = "Write JSON.")
    private boolean json;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    /** @param text the same for people, with its line end */
    void print(JsonNode told, Supplier<String> text) {
        PrintWriter out = command.commandLine().getOut();
        out.print(json ? told.toPrettyString() + "\n" : text.get());
        out.flush();
    }
}
