package dev.chasqui.cli;

import dev.chasqui.gateway.SignInSettings;
import picocli.CommandLine.Option;

/**
 * Where people can sign in besides here. Secrets, and addresses that are hardly ever other ones, are for the environment or the configuration
 * file: as flags they are not told of.
 */
final class SignInOptions {

    @Option(
            names = "--github-client-id",
            paramLabel = "ID",
            defaultValue = "",
            description =
                    "Lets people sign in with GitHub: the OAuth app's client id. Its secret is GITHUB_CLIENT_SECRET.")
    private String githubClientId;

    @Option(
            names = "--github-client-secret",
            hidden = true,
            paramLabel = "SECRET",
            defaultValue = "",
            description = "The OAuth app's secret.")
    private String githubClientSecret;

    @Option(
            names = "--github-redirect-uri",
            paramLabel = "URL",
            defaultValue = "",
            description = "This server's /api/oauth/github/callback, as browsers reach it and GitHub has it.")
    private String githubRedirectUri;

    @Option(
            names = "--github-auth-url",
            hidden = true,
            paramLabel = "URL",
            defaultValue = SignInSettings.GitHub.AUTH_URL,
            description = "Where people sign in; another for GitHub Enterprise. Default: ${DEFAULT-VALUE}.")
    private String githubAuthUrl;

    @Option(
            names = "--github-token-url",
            hidden = true,
            paramLabel = "URL",
            defaultValue = SignInSettings.GitHub.TOKEN_URL,
            description = "Where a code becomes a token, likewise. Default: ${DEFAULT-VALUE}.")
    private String githubTokenUrl;

    @Option(
            names = "--github-api-url",
            hidden = true,
            paramLabel = "URL",
            defaultValue = SignInSettings.GitHub.API_URL,
            description = "What is asked who it is, likewise. Default: ${DEFAULT-VALUE}.")
    private String githubApiUrl;

    @Option(
            names = "--apple-client-id",
            paramLabel = "ID",
            defaultValue = "",
            description = "Lets people sign in with Apple: the services' identifier. Its key is APPLE_PRIVATE_KEY.")
    private String appleClientId;

    @Option(
            names = "--apple-team-id",
            paramLabel = "ID",
            defaultValue = "",
            description = "The team that the key belongs to.")
    private String appleTeamId;

    @Option(names = "--apple-key-id", paramLabel = "ID", defaultValue = "", description = "The name of the key.")
    private String appleKeyId;

    @Option(
            names = "--apple-private-key",
            hidden = true,
            paramLabel = "PEM",
            defaultValue = "",
            description = "The key in PEM, or a file that holds it.")
    private String applePrivateKey;

    @Option(
            names = "--apple-client-secret",
            hidden = true,
            paramLabel = "TOKEN",
            defaultValue = "",
            description = "A client secret that was made before, instead of team, key id and key.")
    private String appleClientSecret;

    @Option(
            names = "--apple-redirect-uri",
            paramLabel = "URL",
            defaultValue = "",
            description = "This server's /api/oauth/apple/callback, as browsers reach it and Apple has it.")
    private String appleRedirectUri;

    @Option(
            names = "--apple-auth-url",
            hidden = true,
            paramLabel = "URL",
            defaultValue = SignInSettings.Apple.AUTH_URL,
            description = "Where people sign in. Default: ${DEFAULT-VALUE}.")
    private String appleAuthUrl;

    @Option(
            names = "--apple-token-url",
            hidden = true,
            paramLabel = "URL",
            defaultValue = SignInSettings.Apple.TOKEN_URL,
            description = "Where a code becomes a token. Default: ${DEFAULT-VALUE}.")
    private String appleTokenUrl;

    @Option(
            names = "--apple-keys-url",
            hidden = true,
            paramLabel = "URL",
            defaultValue = SignInSettings.Apple.KEYS_URL,
            description = "The keys that Apple signs with. Default: ${DEFAULT-VALUE}.")
    private String appleKeysUrl;

    SignInSettings.GitHub github() {
        return new SignInSettings.GitHub(
                githubClientId, githubClientSecret, githubRedirectUri, githubAuthUrl, githubTokenUrl, githubApiUrl);
    }

    SignInSettings.Apple apple() {
        return new SignInSettings.Apple(
                appleClientId,
                appleTeamId,
                appleKeyId,
                applePrivateKey,
                appleClientSecret,
                appleRedirectUri,
                appleAuthUrl,
                appleTokenUrl,
                appleKeysUrl);
    }
}
