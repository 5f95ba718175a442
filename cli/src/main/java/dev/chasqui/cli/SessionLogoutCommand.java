package dev.chasqui.cli;

import java.net.URI;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Ends the session at a server. Whatever the server says, it is forgotten here. */
@Command(
        name = "logout",
        description = "Ends the session at a server, and forgets it.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class SessionLogoutCommand implements Callable<Integer> {
    @Option(names = "--everywhere", description = "End all sessions of the account, also those of other machines.")
    private boolean everywhere;

    @Mixin
    private AddressOption server;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        LogOptions.quiet();
        URI address = server.address();
        Sessions sessions = EnvironmentDefaults.home(spec).sessions();
        Sessions.Session session = sessions.at(address)
                .orElseThrow(() -> new Failure(
                        "there is no session at " + address + " (begin one with: chasqui session login)", 1));
        try {
            end(new ServerClient(address).as(Credential.session(session.token())));
            say("signed out of " + address + (everywhere ? ", everywhere" : ""));
        } catch (Credential.Ended already) {
            if (everywhere) {
                throw new Failure(
                        "the session at " + address + " had ended already and is forgotten here; to end others sign in"
                                + " again first",
                        1);
            }
            say("the session at " + address + " had ended already, and is forgotten here");
        } catch (Failure failed) {
            throw new Failure(
                    failed.getMessage()
                            + "; the session is forgotten here, and ends there thirty days after its last use",
                    1);
        } finally {
            sessions.remove(address);
        }
        return 0;
    }

    private void end(ServerClient client) {
        ObjectNode request = JsonNodeFactory.instance.objectNode();
        client.post("/api/auth/logout", everywhere ? request.put("everywhere", true) : request);
    }

    private void say(String sentence) {
        spec.commandLine().getOut().println(sentence);
    }
}
