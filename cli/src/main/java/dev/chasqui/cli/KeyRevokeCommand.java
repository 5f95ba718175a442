package dev.chasqui.cli;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Revokes keys. One that is not there keeps no other from it. */
@Command(
        name = "revoke",
        description = "Revokes API keys: requests that bring one are refused from then on.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class KeyRevokeCommand implements Callable<Integer> {
    @Parameters(arity = "1..*", paramLabel = "ID", description = "Its id, or its name or hint where no other has it.")
    private List<String> keys;

    @Mixin
    private ServerOptions server;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        LogOptions.quiet();
        RemoteKeys remote = new RemoteKeys(server.required());
        int code = 0;
        for (String key : keys) {
            try {
                spec.commandLine().getOut().println(KeyText.name(remote.revoke(key)) + " is revoked");
            } catch (Failure failed) {
                spec.commandLine().getErr().println("chasqui: " + failed.getMessage());
                code = failed.exitCode();
            }
        }
        return code;
    }
}
