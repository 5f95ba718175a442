package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.MapConfigurationPropertySource;

/** Signing in by way of others where it is not, or not well, set up. */
class SignInNotSetUpTest extends GatewayTest {
    @Override
    GatewaySettings settings() {
        return peopled(
                new GatewaySettings.Accounts(true, "open", 0, 0, 0), List.of(), GatewaySettings.Stored.defaults());
    }

    @ParameterizedTest
    @CsvSource({"github,GITHUB_CLIENT_ID", "apple,APPLE_CLIENT_ID"})
    void whatIsToBeSetIsNamed(String provider, String variable) throws Exception {
        for (HttpResponse<String> answer : List.of(
                get("/api/oauth/" + provider),
                get("/api/oauth/" + provider + "/callback?code=x&state=y"),
                post("/api/oauth/" + provider + "/manual", "{\"code\":\"x\"}"))) {
            assertThat(answer.statusCode()).isEqualTo(404);
            assertThat(json(answer.body()).get("code").asString()).isEqualTo("sign_in_not_set_up");
            assertThat(json(answer.body()).get("error").asString()).contains(variable);
        }
        assertThat(json(get("/api/health").body()).get("sign_in").toString()).isEqualTo("[\"password\"]");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "github.client-id=x github.redirect-uri=https://a/b | chasqui.accounts.github.client-secret: absent"
                        + " (expected: beside chasqui.accounts.github.client-id, chasqui.accounts.github.redirect-uri)",
                "github.token-url=http://example.com/x | chasqui.accounts.github.token-url: \"http://example.com/x\""
                        + " (expected: an address with https, or http on this machine)",
                "github.redirect-uri=/here | chasqui.accounts.github.redirect-uri: \"/here\""
                        + " (expected: an address with https or http)",
                "apple.client-id=x apple.redirect-uri=https://a/b apple.team-id=T apple.key-id=K apple.private-key=nonesuch.p8"
                        + " | chasqui.accounts.apple.private-key: a file that cannot be read (expected: one that can, or PEM)",
                "apple.client-id=x apple.redirect-uri=https://a/b apple.team-id=T apple.key-id=K"
                        + " apple.private-key=-----BEGIN-NONSENSE | chasqui.accounts.apple.private-key: not readable"
                        + " (expected: a private key for ES256 in PEM, as Apple's .p8 file has it)",
                "apple.client-id=x apple.client-secret=y | chasqui.accounts.apple.redirect-uri: absent"
                        + " (expected: beside chasqui.accounts.apple.client-id, chasqui.accounts.apple.client-secret)",
            })
    void whatIsSetByHalvesIsNamed(String properties, String message) {
        List<String> arguments =
                new java.util.ArrayList<>(List.of("--chasqui.port=0", "--chasqui.accounts.enabled=true"));
        for (String property : properties.split(" ")) {
            arguments.add("--chasqui.accounts." + property);
        }

        assertThatThrownBy(() -> Gateway.start(arguments.toArray(String[]::new)).close())
                .isInstanceOf(BadSettingsException.class)
                .hasMessage(message);
    }

    @Test
    void propertiesAreRead() {
        MapConfigurationPropertySource source = new MapConfigurationPropertySource();
        source.put("chasqui.accounts.enabled", "true");
        source.put("chasqui.accounts.github.client-id", "our-app");
        source.put("chasqui.accounts.apple.client-secret", "hidden-secret");

        GatewaySettings.Accounts accounts = new Binder(source)
                .bind("chasqui", Bindable.of(GatewaySettings.class))
                .get()
                .accounts();

        assertThat(accounts.github().clientId()).isEqualTo("our-app");
        assertThat(accounts.github().authUrl()).isEqualTo("https://github.com/login/oauth/authorize");
        assertThat(accounts.apple().clientSecret()).isEqualTo("hidden-secret");
        assertThat(accounts.toString()).doesNotContain("hidden-secret");
    }
}
