package dev.chasqui.node.store;

import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How the store reaches the outside.
 *
 * @param hubEndpoint the model hub: scheme and host, http or https
 * @param hubToken sent to the hub only, and only over https; null for none
 * @param connectTimeout to resolve a name, to connect, and to the first byte of an answer, each
 * @param stallTimeout without a byte before a download is given up or tried again
 * @param pipTimeout for one {@code pip download}
 * @param trustedOrigins such as {@code http://127.0.0.1:8000}: may be plain http or on a private network. Nothing but
 *     these and the hub's endpoint may.
 */
public record StoreSettings(
        URI hubEndpoint,
        @Nullable String hubToken,
        Duration connectTimeout,
        Duration stallTimeout,
        Duration pipTimeout,
        Set<URI> trustedOrigins) {

    private static final URI PUBLIC_HUB = URI.create("https://huggingface.co");

    /** The public hub without a token, and patience of seconds. */
    public static final StoreSettings DEFAULTS = new StoreSettings(
            PUBLIC_HUB, null, Duration.ofSeconds(5), Duration.ofSeconds(30), Duration.ofMinutes(30), Set.of());

    public StoreSettings {
        String scheme = hubEndpoint.getScheme();
        if (hubEndpoint.getHost() == null || !("https".equals(scheme) || "http".equals(scheme))) {
            throw new IllegalArgumentException("HF_ENDPOINT: " + FileNames.shown(hubEndpoint.toString())
                    + " (expected: an address such as " + PUBLIC_HUB + ")");
        }
        if (hubToken != null && !hubToken.matches("[\\x21-\\x7e]{1,500}")) {
            throw new IllegalArgumentException("HF_TOKEN: not shown (expected: letters and digits without spaces)");
        }
        trustedOrigins = Set.copyOf(trustedOrigins);
    }

    /**
     * The defaults with {@code HF_ENDPOINT} and {@code HF_TOKEN} of an environment; blank ones count as absent.
     *
     * @throws IllegalArgumentException where one of them makes no sense
     */
    public static StoreSettings fromEnvironment(Map<String, String> environment) {
        String endpoint = environment.getOrDefault("HF_ENDPOINT", "").strip();
        String token = environment.getOrDefault("HF_TOKEN", "").strip();
        return new StoreSettings(
                endpoint.isEmpty() ? PUBLIC_HUB : URI.create(endpoint),
                token.isEmpty() ? null : token,
                DEFAULTS.connectTimeout,
                DEFAULTS.stallTimeout,
                DEFAULTS.pipTimeout,
                Set.of());
    }

    @Override
    public String toString() {
        // The token stays out of logs.
        return "StoreSettings[hub=" + hubEndpoint + ", token=" + (hubToken == null ? "none" : "set") + "]";
    }
}
