package dev.chasqui.node.grpc;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What callers of a node must bring. With both, both are asked for.
 *
 * @param token what they bring as {@code authorization: Bearer …}; null: nothing
 * @param tls the files for TLS; null: connections are not encrypted
 */
public record NodeAccess(@Nullable String token, @Nullable Tls tls) {
    /** Anybody who reaches the port. */
    public static final NodeAccess OPEN = new NodeAccess(null, null);

    /**
     * Files in PEM, read anew when they change: certificate and key together, within {@link NodeTls#RELOAD_SECONDS}.
     *
     * @param certificate the node's own, and after it those between it and the CA
     * @param key its private key, PKCS #8 without a password
     * @param authority certificates that callers' ones must be signed by; null: callers need none
     */
    public record Tls(Path certificate, Path key, @Nullable Path authority) {}

    public NodeAccess {
        // Anything else does not survive the way through a header.
        if (token != null && (token.isEmpty() || !token.chars().allMatch(c -> c > ' ' && c < 127))) {
            throw new IllegalArgumentException("token: not usable (expected: visible ASCII characters)");
        }
    }

    /** Whether callers must show who they are. */
    public boolean asksCallers() {
        return token != null || (tls != null && tls.authority() != null);
    }

    /** Tokens stay out of logs. */
    @Override
    public String toString() {
        return "NodeAccess[" + (token == null ? "no token" : "a token") + ", " + tls + "]";
    }
}
