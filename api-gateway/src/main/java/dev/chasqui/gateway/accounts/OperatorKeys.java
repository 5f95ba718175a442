package dev.chasqui.gateway.accounts;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Collection;
import java.util.List;

/** The operator's own keys, kept as hashes. Comparing takes the same time whatever is offered. */
final class OperatorKeys {
    private final List<byte[]> hashes;

    OperatorKeys(Collection<String> keys) {
        hashes = keys.stream().map(OperatorKeys::hash).toList();
    }

    boolean accept(String offered) {
        if (hashes.isEmpty()) {
            return false;
        }
        byte[] hash = hash(offered);
        boolean found = false;
        for (byte[] known : hashes) {
            found |= MessageDigest.isEqual(known, hash);
        }
        return found;
    }

    private static byte[] hash(String key) {
        return Secrets.hash(key).getBytes(StandardCharsets.US_ASCII);
    }
}
