package dev.chasqui.cli;

import java.net.URI;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where the server is that a command speaks to. */
final class AddressOption {
    static final String USUAL = "http://127.0.0.1:8080";

    @Option(
            names = "--server",
            paramLabel = "URL",
            description = "A running server. Default: " + USUAL + " where one answers there.")
    @Nullable
    private String server;

    boolean isNamed() {
        return server != null;
    }

    /** One spelling for each server, as sessions are kept by it: no path, and no port that goes without saying. */
    URI address() {
        String text = server == null ? USUAL : server.contains("://") ? server : "http://" + server;
        try {
            URI uri = URI.create(text);
            String scheme = String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT);
            if (uri.getHost() != null && (scheme.equals("http") || scheme.equals("https"))) {
                int usual = scheme.equals("http") ? 80 : 443;
                String port = uri.getPort() < 0 || uri.getPort() == usual ? "" : ":" + uri.getPort();
                return URI.create(scheme + "://" + uri.getHost().toLowerCase(Locale.ROOT) + port);
            }
        } catch (IllegalArgumentException malformed) {
            // Told below.
        }
        throw new Failure("server: " + server + " (expected: an address such as " + USUAL + ")", 2);
    }
}
