package dev.chasqui.gateway;

import dev.chasqui.gateway.oauth.AppleApp;
import dev.chasqui.gateway.oauth.GitHubApp;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.DefaultValue;

/** Where people can sign in besides here. What is empty is not set; whether all is there that must be is asked at the start. */
public final class SignInSettings {
    private static final Pattern LOOPBACK = Pattern.compile("localhost|127\\.\\d+\\.\\d+\\.\\d+|\\[::1]");

    private SignInSettings() {}

    /**
     * An OAuth app of GitHub's, or of a GitHub Enterprise server's.
     *
     * @param clientId {@code chasqui.accounts.github.client-id}
     * @param clientSecret {@code chasqui.accounts.github.client-secret}
     * @param redirectUri {@code chasqui.accounts.github.redirect-uri}: this server's {@code /api/oauth/github/callback}, as browsers reach it
     * @param authUrl {@code chasqui.accounts.github.auth-url}
     * @param tokenUrl {@code chasqui.accounts.github.token-url}
     * @param apiUrl {@code chasqui.accounts.github.api-url}
     */
    public record GitHub(
            @DefaultValue("") String clientId,
            @DefaultValue("") String clientSecret,
            @DefaultValue("") String redirectUri,
            @DefaultValue(AUTH_URL) String authUrl,
            @DefaultValue(TOKEN_URL) String tokenUrl,
            @DefaultValue(API_URL) String apiUrl) {
        public static final String AUTH_URL = "https://github.com/login/oauth/authorize";
        public static final String TOKEN_URL = "https://github.com/login/oauth/access_token";
        public static final String API_URL = "https://api.github.com";

        private static final String PREFIX = "chasqui.accounts.github.";

        /** Nobody signs in there. */
        public static final GitHub NONE = new GitHub("", "", "", AUTH_URL, TOKEN_URL, API_URL);

        public GitHub {
            if (!redirectUri.isEmpty()) {
                requireAddress(PREFIX + "redirect-uri", redirectUri, true);
            }
            requireAddress(PREFIX + "auth-url", authUrl, false);
            requireAddress(PREFIX + "token-url", tokenUrl, false);
            requireAddress(PREFIX + "api-url", apiUrl, false);
        }

        /** Null where nothing is set. */
        @Nullable
        GitHubApp resolved() {
            Map<String, String> needed = new LinkedHashMap<>();
            needed.put("client-id", clientId);
            needed.put("client-secret", clientSecret);
            needed.put("redirect-uri", redirectUri);
            return isSet(PREFIX, needed)
                    ? new GitHubApp(clientId, clientSecret, redirectUri, authUrl, tokenUrl, apiUrl)
                    : null;
        }

        /** The secret stays out of logs. */
        @Override
        public String toString() {
            return "GitHub[" + clientId + "]";
        }
    }

    /**
     * A service of "Sign in with Apple".
     *
     * @param clientId {@code chasqui.accounts.apple.client-id}: the services' identifier
     * @param teamId {@code chasqui.accounts.apple.team-id}
     * @param keyId {@code chasqui.accounts.apple.key-id}
     * @param privateKey {@code chasqui.accounts.apple.private-key}: in PEM, or a file that holds it
     * @param clientSecret {@code chasqui.accounts.apple.client-secret}: one that was made before, instead of the three above
     * @param redirectUri {@code chasqui.accounts.apple.redirect-uri}: this server's {@code /api/oauth/apple/callback}, as browsers reach it
     * @param authUrl {@code chasqui.accounts.apple.auth-url}
     * @param tokenUrl {@code chasqui.accounts.apple.token-url}
     * @param keysUrl {@code chasqui.accounts.apple.keys-url}
     */
    public record Apple(
            @DefaultValue("") String clientId,
            @DefaultValue("") String teamId,
            @DefaultValue("") String keyId,
            @DefaultValue("") String privateKey,
            @DefaultValue("") String clientSecret,
            @DefaultValue("") String redirectUri,
            @DefaultValue(AUTH_URL) String authUrl,
            @DefaultValue(TOKEN_URL) String tokenUrl,
            @DefaultValue(KEYS_URL) String keysUrl) {
        public static final String AUTH_URL = "https://appleid.apple.com/auth/authorize";
        public static final String TOKEN_URL = "https://appleid.apple.com/auth/token";
        public static final String KEYS_URL = "https://appleid.apple.com/auth/keys";

        private static final String PREFIX = "chasqui.accounts.apple.";

        /** Nobody signs in there. */
        public static final Apple NONE = new Apple("", "", "", "", "", "", AUTH_URL, TOKEN_URL, KEYS_URL);

        public Apple {
            if (!redirectUri.isEmpty()) {
                requireAddress(PREFIX + "redirect-uri", redirectUri, false);
            }
            requireAddress(PREFIX + "auth-url", authUrl, false);
            requireAddress(PREFIX + "token-url", tokenUrl, false);
            requireAddress(PREFIX + "keys-url", keysUrl, false);
        }

        /** Null where nothing is set. */
        @Nullable
        AppleApp resolved() {
            Map<String, String> needed = new LinkedHashMap<>();
            needed.put("client-id", clientId);
            needed.put("redirect-uri", redirectUri);
            if (!clientSecret.isEmpty()) {
                needed.put("client-secret", clientSecret);
            } else {
                needed.put("team-id", teamId);
                needed.put("key-id", keyId);
                needed.put("private-key", privateKey);
            }
            return isSet(PREFIX, needed)
                    ? new AppleApp(clientId, secret(), redirectUri, authUrl, tokenUrl, keysUrl)
                    : null;
        }

        private AppleApp.Secret secret() {
            if (!clientSecret.isEmpty()) {
                return AppleApp.Secret.readyMade(clientSecret);
            }
            boolean here = privateKey.startsWith("-----BEGIN");
            try {
                return AppleApp.Secret.signed(teamId, keyId, here ? privateKey : Files.readString(Path.of(privateKey)));
            } catch (IOException | InvalidPathException unreadable) {
                throw new BadSettingsException(
                        PREFIX + "private-key: a file that cannot be read (expected: one that can, or PEM)");
            } catch (IllegalArgumentException unusable) {
                throw new BadSettingsException(PREFIX + "private-key: " + unusable.getMessage());
            }
        }

        /** Key and secret stay out of logs. */
        @Override
        public String toString() {
            return "Apple[" + clientId + "]";
        }
    }

    /** Whether all is there, or else nothing. */
    private static boolean isSet(String prefix, Map<String, String> needed) {
        String absent = needed.entrySet().stream()
                .filter(one -> one.getValue().isBlank())
                .map(one -> prefix + one.getKey())
                .collect(Collectors.joining(", "));
        long count = needed.values().stream().filter(String::isBlank).count();
        if (count > 0 && count < needed.size()) {
            String given = needed.entrySet().stream()
                    .filter(one -> !one.getValue().isBlank())
                    .map(one -> prefix + one.getKey())
                    .collect(Collectors.joining(", "));
            throw new BadSettingsException(absent + ": absent (expected: beside " + given + ")");
        }
        return count == 0;
    }

    /** @param plain whether it may go without TLS beyond this machine: a browser goes there, not we */
    private static void requireAddress(String name, String address, boolean plain) {
        if (!isAddress(address, plain)) {
            throw new BadSettingsException(name + ": \"" + address + "\" (expected: an address with https"
                    + (plain ? " or http" : ", or http on this machine") + ")");
        }
    }

    private static boolean isAddress(String address, boolean plain) {
        try {
            URI uri = URI.create(address);
            String host = uri.getHost();
            if (host == null || uri.getRawUserInfo() != null || uri.getRawFragment() != null) {
                return false;
            }
            return "https".equals(uri.getScheme())
                    || "http".equals(uri.getScheme())
                            && (plain || LOOPBACK.matcher(host).matches());
        } catch (IllegalArgumentException none) {
            return false;
        }
    }
}
