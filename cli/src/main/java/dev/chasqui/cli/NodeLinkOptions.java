package dev.chasqui.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What gateway and node show each other, where they run apart. Both take the same options. */
final class NodeLinkOptions {

    @Option(
            names = "--token",
            paramLabel = "TOKEN",
            description =
                    "What the node wants to be brought as \"authorization: Bearer TOKEN\". Better given as CHASQUI_TOKEN,"
                            + " or in a file, which other users of the machine cannot read.")
    @Nullable
    private String token;

    @Option(names = "--token-file", paramLabel = "FILE", description = "The token as the only text of a file.")
    @Nullable
    private Path tokenFile;

    @Option(
            names = "--tls-ca",
            paramLabel = "FILE",
            description =
                    "Certificates, in PEM, that the other end's one must be signed by. \"chasqui certificates\" makes them.")
    @Nullable
    Path authority;

    @Option(names = "--tls-certificate", paramLabel = "FILE", description = "This end's certificate, in PEM.")
    @Nullable
    Path certificate;

    @Option(names = "--tls-key", paramLabel = "FILE", description = "Its private key, in PEM.")
    @Nullable
    Path key;

    /** @throws Failure where both are given, or the file cannot be read */
    @Nullable
    String token() {
        if (tokenFile == null) {
            return token;
        }
        if (token != null) {
            throw new Failure("--token-file: given together with --token (expected: one of them)", 2);
        }
        try {
            String text = Files.readString(tokenFile).strip();
            if (text.isEmpty()) {
                throw new Failure("--token-file: " + tokenFile + " is empty (expected: a token)", 2);
            }
            return text;
        } catch (IOException unreadable) {
            throw new Failure("--token-file: " + tokenFile + " (expected: a text file that can be read)", 2);
        }
    }
}
