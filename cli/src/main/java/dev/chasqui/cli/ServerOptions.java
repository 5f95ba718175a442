package dev.chasqui.cli;

import java.net.URI;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which server a command speaks to. */
final class ServerOptions {
    private static final String USUAL = "http://127.0.0.1:8080";

    @Option(
            names = "--server",
            paramLabel = "URL",
            description = "A running server. Default: " + USUAL + " where one answers there.")
    @Nullable
    private String server;

    @Option(
            names = "--api-key",
            paramLabel = "KEY",
            description =
                    "The server's key. Better given as CHASQUI_API_KEY, which other users of the machine cannot read.")
    @Nullable
    private String apiKey;

    /** The server that was named, or the one that answers at the usual place. */
    Optional<ServerClient> find() {
        ServerClient client = new ServerClient(address(), apiKey);
        return server != null || client.answers() ? Optional.of(client) : Optional.empty();
    }

    /** @throws Failure where none answers */
    ServerClient required() {
        return find().orElseThrow(() -> new Failure(
                "no server answers at " + USUAL + " (start one with: chasqui serve, or name one with --server)", 1));
    }

    boolean isNamed() {
        return server != null;
    }

    private URI address() {
        String text = server == null ? USUAL : server.contains("://") ? server : "http://" + server;
        try {
            URI uri = URI.create(text);
            if (uri.getHost() != null && ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))) {
                return uri;
            }
        } catch (IllegalArgumentException malformed) {
            // Told below.
        }
        throw new Failure("server: " + server + " (expected: an address such as " + USUAL + ")", 2);
    }
}
