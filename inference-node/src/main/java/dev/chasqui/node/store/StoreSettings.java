package dev.chasqui.node.store;

import java.net.URI;
import java.net.URISyntaxException;
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
            throw noAddress(hubEndpoint.toString());
        }
        trustedOrigins = Set.copyOf(trustedOrigins);
    }

    private static IllegalArgumentException noAddress(String endpoint) {
        return new IllegalArgumentException(
                "HF_ENDPOINT: " + FileNames.shown(endpoint) + " (expected: an https address)");
    }

    /**
     * The token, for who needs it; null for none.
     *
     * @throws StoreException UNREACHABLE where it is none that can be sent
     */
    @Nullable
    String usableToken() {
        if (hubToken != null && !hubToken.matches("[\\x21-\\x7e]{1,500}")) {
            throw new StoreException(
                    StoreException.Reason.UNREACHABLE,
                    "HF_TOKEN: not shown (expected: letters and digits without spaces)");
        }
        return hubToken;
    }

    /**
     * The defaults with {@code HF_ENDPOINT} and {@code HF_TOKEN} of an environment; blank ones count as absent.
     *
     * @throws IllegalArgumentException where the endpoint makes no sense; the token is looked at when it is needed
     */
    public static StoreSettings fromEnvironment(Map<String, String> environment) {
        String endpoint = environment.getOrDefault("HF_ENDPOINT", "").strip();
        String token = environment.getOrDefault("HF_TOKEN", "").strip();
        return new StoreSettings(
                endpoint.isEmpty() ? PUBLIC_HUB : address(endpoint),
                token.isEmpty() ? null : token,
                DEFAULTS.connectTimeout,
                DEFAULTS.stallTimeout,
                DEFAULTS.pipTimeout,
                Set.of());
    }

    private static URI address(String endpoint) {
        try {
            return new URI(endpoint);
        } catch (URISyntaxException e) {
            throw noAddress(endpoint);
        }
    }

    @Override
    public String toString() {
        // The token stays out of logs.
        return "StoreSettings[hub=" + hubEndpoint + ", token=" + (hubToken == null ? "none" : "set") + "]";
    }
}
