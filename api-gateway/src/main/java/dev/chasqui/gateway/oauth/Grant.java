package dev.chasqui.gateway.oauth;

/**
 * What a provider gave to whoever signed in there, and what shows that it was given to him who brings it.
 *
 * @param code becomes a token, once
 * @param redirectUri where the provider sent it
 * @param verifier the secret behind the challenge that was sent along; empty: none
 * @param nonce the word that must be in the provider's answer; empty: none
 * @param name that the provider told beside it; may be empty
 */
public record Grant(String code, String redirectUri, String verifier, String nonce, String name) {
    /** It stays out of logs. */
    @Override
    public String toString() {
        return "Grant";
    }
}
