package dev.chasqui.cli;

import java.net.URI;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Which server a command speaks to, and as who. */
final class ServerOptions {
    @Mixin
    private AddressOption place;

    @Option(
            names = "--api-key",
            paramLabel = "KEY",
            description =
                    "A key that the server takes. Better given as CHASQUI_API_KEY, which other users of the machine cannot read."
                            + " Default: the session that chasqui session login began there, if any.")
    @Nullable
    private String apiKey;

    @Spec
    private CommandSpec spec;

    /** The server that was named, or the one that answers at the usual place. */
    Optional<ServerClient> find() {
        URI address = place.address();
        ServerClient client = new ServerClient(address);
        return place.isNamed() || client.answers() ? Optional.of(client.as(credential(address))) : Optional.empty();
    }

    /** @throws Failure where none answers */
    ServerClient required() {
        return find().orElseThrow(() -> new Failure(
                "no server answers at " + AddressOption.USUAL
                        + " (start one with: chasqui serve, or name one with --server)",
                1));
    }

    boolean isNamed() {
        return place.isNamed();
    }

    /** A session's token goes to nobody but the server that gave it. */
    private Credential credential(URI address) {
        if (apiKey != null) {
            return Credential.key(apiKey);
        }
        return EnvironmentDefaults.home(spec.findOption("--api-key").command())
                .sessions()
                .at(address)
                .map(session -> Credential.session(session.token()))
                .orElse(Credential.NONE);
    }
}
