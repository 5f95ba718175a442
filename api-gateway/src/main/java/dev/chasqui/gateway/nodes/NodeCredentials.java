package dev.chasqui.gateway.nodes;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What this gateway brings to its nodes, and what it wants to see of them. The files are PEM, and read anew when they
 * change.
 *
 * @param token sent to each node as a bearer token; null: none
 * @param authority certificates that a node's one must be signed by; null: no TLS
 * @param certificate the gateway's own, where nodes want one, and after it those between it and the CA
 * @param key its private key, PKCS #8 without a password; there where the certificate is
 */
public record NodeCredentials(
        @Nullable String token,
        @Nullable Path authority,
        @Nullable Path certificate,
        @Nullable Path key) {
    /** Nothing at all, which a node on loopback may let in. */
    public static final NodeCredentials NONE = new NodeCredentials(null, null, null, null);

    public NodeCredentials {
        if (certificate == null && key != null) {
            throw new IllegalArgumentException("key: without a certificate (expected: both or neither)");
        }
        if (certificate != null && key == null) {
            throw new IllegalArgumentException("certificate: without a key (expected: both or neither)");
        }
        if (certificate != null && authority == null) {
            throw new IllegalArgumentException("certificate: without a CA for the nodes' ones (expected: ca as well)");
        }
        // Anything else does not survive the way through a header.
        if (token != null && (token.isEmpty() || !token.chars().allMatch(c -> c > ' ' && c < 127))) {
            throw new IllegalArgumentException("token: not usable (expected: visible ASCII characters)");
        }
    }

    /** Tokens stay out of logs. */
    @Override
    public String toString() {
        return "NodeCredentials[" + (token == null ? "no token" : "a token") + ", " + authority + ", " + certificate
                + "]";
    }
}
