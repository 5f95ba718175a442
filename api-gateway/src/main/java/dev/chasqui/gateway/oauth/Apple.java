package dev.chasqui.gateway.oauth;

import dev.chasqui.gateway.accounts.Identity;
import dev.chasqui.gateway.requests.RequestError;
import java.time.Clock;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import reactor.core.publisher.Mono;

/** "Sign in with Apple". */
final class Apple implements Site {
    private static final int LONGEST_NONCE = 200;
    private static final int SHORTEST_NONCE = 16;

    private final AppleApp app;
    private final Outgoing outgoing;
    private final AppleTokens tokens;

    Apple(AppleApp app, Outgoing outgoing, Clock clock) {
        this.app = app;
        this.outgoing = outgoing;
        tokens = new AppleTokens(app, outgoing, title(), clock);
    }

    @Override
    public String id() {
        return "apple";
    }

    @Override
    public String title() {
        return "Apple";
    }

    @Override
    public String redirectUri() {
        return app.redirectUri();
    }

    @Override
    public String authUrl() {
        return app.authUrl();
    }

    /** Apple knows no PKCE; the nonce in its signed answer does the same. It wants a form where name and e-mail are asked for. */
    @Override
    public Map<String, String> parameters(String state, String verifier, String nonce) {
        Map<String, String> parameters = new LinkedHashMap<>();
        parameters.put("client_id", app.clientId());
        parameters.put("redirect_uri", app.redirectUri());
        parameters.put("response_type", "code");
        parameters.put("response_mode", "form_post");
        parameters.put("scope", "name email");
        parameters.put("state", state);
        parameters.put("nonce", nonce);
        return parameters;
    }

    @Override
    public boolean postsBack() {
        return true;
    }

    @Override
    public void requireProof(Grant grant) {
        int length = grant.nonce().length();
        if (length < SHORTEST_NONCE || length > LONGEST_NONCE) {
            throw RequestError.badValue(
                    "nonce",
                    (length == 0 ? "absent" : "a string of " + length + " characters")
                            + " (expected: the one that was sent to Apple, "
                            + SHORTEST_NONCE + " to " + LONGEST_NONCE
                            + " characters; or state, with the cookie of its beginning)");
        }
    }

    @Override
    public Mono<Identity> identify(Grant grant) {
        return outgoing.post(title(), app.tokenUrl(), form(grant))
                .map(this::idToken)
                .flatMap(token -> tokens.identity(token, grant));
    }

    private Map<String, String> form(Grant grant) {
        Map<String, String> form = new HashMap<>();
        form.put("grant_type", "authorization_code");
        form.put("client_id", app.clientId());
        form.put("client_secret", tokens.clientSecret());
        form.put("code", grant.code());
        form.put("redirect_uri", grant.redirectUri());
        return form;
    }

    private String idToken(Outgoing.Answer answer) {
        String token = answer.text("id_token");
        if (answer.isGood() && !token.isEmpty()) {
            return token;
        }
        String error = answer.text("error");
        if (error.equals("invalid_grant")) {
            throw codeRefused();
        }
        throw Outgoing.failure(
                title(),
                error.equals("invalid_client") ? "does not take this server's client secret" : "gave no token");
    }
}
