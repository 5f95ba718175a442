package dev.chasqui.gateway.oauth;

import dev.chasqui.gateway.accounts.Identity;
import dev.chasqui.gateway.requests.RequestError;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import reactor.core.publisher.Mono;
import tools.jackson.databind.JsonNode;

/** GitHub, and GitHub Enterprise where the addresses are its. */
final class GitHub implements Site {
    private static final Pattern VERIFIER = Pattern.compile("[A-Za-z0-9._~-]{43,128}");
    private static final Set<String> CODES_FAULT = Set.of("bad_verification_code", "redirect_uri_mismatch");

    private final GitHubApp app;
    private final Outgoing outgoing;

    GitHub(GitHubApp app, Outgoing outgoing) {
        this.app = app;
        this.outgoing = outgoing;
    }

    @Override
    public String id() {
        return "github";
    }

    @Override
    public String title() {
        return "GitHub";
    }

    @Override
    public String redirectUri() {
        return app.redirectUri();
    }

    @Override
    public String authUrl() {
        return app.authUrl();
    }

    @Override
    public Map<String, String> parameters(String state, String verifier, String nonce) {
        Map<String, String> parameters = new LinkedHashMap<>();
        parameters.put("client_id", app.clientId());
        parameters.put("redirect_uri", app.redirectUri());
        parameters.put("scope", "user:email");
        parameters.put("state", state);
        parameters.put("code_challenge", RoundTrips.challenge(verifier));
        parameters.put("code_challenge_method", "S256");
        return parameters;
    }

    @Override
    public boolean postsBack() {
        return false;
    }

    @Override
    public void requireProof(Grant grant) {
        if (!VERIFIER.matcher(grant.verifier()).matches()) {
            throw RequestError.badValue(
                    "code_verifier",
                    (grant.verifier().isEmpty() ? "absent" : "not one")
                            + " (expected: 43 to 128 letters, digits or -._~; or state, with the cookie of its beginning)");
        }
    }

    @Override
    public Mono<Identity> identify(Grant grant) {
        return outgoing.post(title(), app.tokenUrl(), form(grant))
                .map(this::token)
                .flatMap(token -> api(token, "/user")
                        .flatMap(user -> api(token, "/user/emails").map(emails -> identity(user, emails))));
    }

    private Map<String, String> form(Grant grant) {
        return Map.of(
                "client_id", app.clientId(),
                "client_secret", app.clientSecret(),
                "code", grant.code(),
                "redirect_uri", grant.redirectUri(),
                "code_verifier", grant.verifier());
    }

    /** It says 200 to refusals as well. */
    private String token(Outgoing.Answer answer) {
        String token = answer.text("access_token");
        if (answer.isGood() && !token.isEmpty()) {
            return token;
        }
        String error = answer.text("error");
        if (CODES_FAULT.contains(error)) {
            throw codeRefused();
        }
        throw Outgoing.failure(
                title(),
                error.equals("incorrect_client_credentials")
                        ? "does not take this server's client id and secret"
                        : "gave no token");
    }

    private Mono<JsonNode> api(String token, String path) {
        Map<String, String> headers = Map.of(
                "authorization", "Bearer " + token,
                "accept", "application/vnd.github+json",
                "x-github-api-version", "2022-11-28");
        return outgoing.get(title(), app.apiUrl() + path, headers).map(answer -> {
            if (!answer.isGood()) {
                throw Outgoing.failure(title(), "does not say who it is");
            }
            return answer.json();
        });
    }

    private Identity identity(JsonNode user, JsonNode emails) {
        JsonNode id = user.path("id");
        if (!id.isIntegralNumber()) {
            throw Outgoing.failure(title(), "does not say who it is");
        }
        String name = user.path("name").asString("");
        return new Identity(
                id(),
                id.asString(),
                email(emails),
                name.isBlank() ? user.path("login").asString("") : name);
    }

    private static String email(JsonNode emails) {
        for (JsonNode one : emails) {
            if (one.path("primary").asBoolean(false) && one.path("verified").asBoolean(false)) {
                return one.path("email").asString("");
            }
        }
        return "";
    }
}
