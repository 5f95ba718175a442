package dev.chasqui.gateway.oauth;

import dev.chasqui.gateway.nodes.EventLoop;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.storage.Database;
import java.nio.charset.StandardCharsets;
import java.security.interfaces.ECPrivateKey;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The places that were set up to sign in at. Without one there is no connection to anywhere. */
public final class OAuth implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Map<String, String> HINTS = Map.of(
            "github",
            "GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET and GITHUB_REDIRECT_URI",
            "apple",
            "APPLE_CLIENT_ID, APPLE_REDIRECT_URI and either APPLE_CLIENT_SECRET or APPLE_TEAM_ID, APPLE_KEY_ID and"
                    + " APPLE_PRIVATE_KEY");

    private final Map<String, Provider> providers = new LinkedHashMap<>();
    private final @Nullable Outgoing outgoing;

    /**
     * @param github null: nobody signs in there
     * @param apple likewise
     */
    public OAuth(@Nullable GitHubApp github, @Nullable AppleApp apple, Database database, EventLoop loop, Clock clock) {
        if (github == null && apple == null) {
            outgoing = null;
            return;
        }
        Outgoing requests = new Outgoing(loop, PATIENCE);
        outgoing = requests;
        UsedStates used = new UsedStates(database, clock);
        if (github != null) {
            add(new GitHub(github, requests), bytes(github.clientSecret()), used, clock);
        }
        if (apple != null) {
            add(new Apple(apple, requests, clock), secret(apple.secret()), used, clock);
        }
    }

    private void add(Site site, byte[] secret, UsedStates used, Clock clock) {
        providers.put(site.id(), new Provider(site, new RoundTrips(secret, clock), used));
    }

    private static byte[] secret(AppleApp.Secret secret) {
        ECPrivateKey key = secret.key();
        return key == null ? bytes(secret.readyMade()) : key.getEncoded();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** What they are called in addresses. */
    public List<String> names() {
        return List.copyOf(providers.keySet());
    }

    /** @throws RequestError where it was not set up, with what that takes */
    public Provider provider(String name) {
        Provider provider = providers.get(name);
        if (provider != null) {
            return provider;
        }
        String variables = HINTS.get(name);
        throw variables == null
                ? RequestError.http(404, "There is nothing at this path.", "not_found", null)
                : RequestError.http(
                        404,
                        "Nobody can sign in with " + name + " here (expected: " + variables
                                + " in the server's environment).",
                        "sign_in_not_set_up",
                        null);
    }

    @Override
    public void close() {
        if (outgoing != null) {
            outgoing.close();
        }
    }
}
