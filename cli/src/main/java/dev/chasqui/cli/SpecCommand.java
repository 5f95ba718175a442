package dev.chasqui.cli;

import dev.chasqui.gateway.Gateway;
import java.io.PrintStream;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** Prints what can be asked over HTTP. No server has to run. */
@Command(
        name = "spec",
        description = "Prints the description of the HTTP interface (OpenAPI 3.1, JSON).",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class SpecCommand implements Callable<Integer> {

    @Override
    public Integer call() {
        PrintStream out = System.out;
        byte[] description = Gateway.description();
        out.write(description, 0, description.length);
        out.flush();
        return out.checkError() ? 1 : 0;
    }
}
