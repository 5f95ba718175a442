package dev.chasqui.gateway.access;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;

/** The keys that are let in, kept as hashes. Comparing takes the same time whatever is offered. */
final class ApiKeys {
    private static final String BEARER = "bearer ";

    private final List<byte[]> hashes;

    ApiKeys(Collection<String> keys) {
        hashes = keys.stream().map(ApiKeys::hash).toList();
    }

    boolean required() {
        return !hashes.isEmpty();
    }

    boolean accept(HttpHeaders headers) {
        String key = offered(headers);
        if (key == null) {
            return false;
        }
        byte[] hash = hash(key);
        boolean found = false;
        for (byte[] known : hashes) {
            found |= MessageDigest.isEqual(known, hash);
        }
        return found;
    }

    private static @Nullable String offered(HttpHeaders headers) {
        String authorization = headers.getFirst("authorization");
        if (authorization != null && authorization.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
            return authorization.substring(BEARER.length()).strip();
        }
        return headers.getFirst("x-api-key");
    }

    private static byte[] hash(String key) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
    }
}
