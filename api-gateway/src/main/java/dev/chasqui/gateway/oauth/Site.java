package dev.chasqui.gateway.oauth;

import dev.chasqui.gateway.accounts.Identity;
import dev.chasqui.gateway.requests.RequestError;
import java.util.Map;
import reactor.core.publisher.Mono;

/** What providers do each in its own way. */
interface Site {
    /** In addresses and in the database. */
    String id();

    /** For people. */
    String title();

    String redirectUri();

    /** Where people sign in. */
    String authUrl();

    /** What they take there. */
    Map<String, String> parameters(String state, String verifier, String nonce);

    /** Whether it sends people back with a form, which is a request from another site. */
    boolean postsBack();

    /** @throws RequestError where nothing shows that the code was given to whoever brings it */
    void requireProof(Grant grant);

    /** Asks who it is. */
    Mono<Identity> identify(Grant grant);

    /** The code is wrong, too old, used, or somebody else's. */
    default RequestError codeRefused() {
        return RequestError.http(400, title() + " does not take this code.", "code_refused", null);
    }
}
