package dev.chasqui.gateway.oauth;

/**
 * An OAuth app of GitHub's.
 *
 * @param redirectUri where GitHub sends browsers back to: this server's callback, as browsers reach it
 * @param authUrl where people sign in
 * @param tokenUrl where a code becomes a token
 * @param apiUrl what the token is shown to
 */
public record GitHubApp(
        String clientId, String clientSecret, String redirectUri, String authUrl, String tokenUrl, String apiUrl) {
    /** The secret stays out of logs. */
    @Override
    public String toString() {
        return "GitHubApp[" + clientId + "]";
    }
}
