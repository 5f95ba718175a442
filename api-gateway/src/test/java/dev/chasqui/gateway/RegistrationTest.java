package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Who can register where registration is closed, and how the cookie looks over https. */
class RegistrationTest extends GatewayTest {
    private static final String ANA = "{\"email\":\"ana@example.com\",\"password\":\"a long password\"}";
    private static final String BEN = "{\"email\":\"ben@example.com\",\"password\":\"a long password\"}";

    @Override
    GatewaySettings settings() {
        return peopled(
                new GatewaySettings.Accounts(true, "closed", 0, 0, 0), List.of(), GatewaySettings.Stored.defaults());
    }

    @Test
    void onlyTheFirstOneRegistersWhereItIsClosed() throws Exception {
        HttpResponse<String> first = post("/api/auth/register", ANA);
        HttpResponse<String> second = post("/api/auth/register", BEN);

        assertThat(first.statusCode()).isEqualTo(200);
        assertThat(second.statusCode()).isEqualTo(403);
        assertThat(json(second.body()).get("code").asString()).isEqualTo("registration_closed");
        assertThat(json(get("/api/health").body()).get("registration").asString())
                .isEqualTo("closed");
    }

    @Test
    void aCookieThatCameOverHttpsGoesOverHttpsOnly() throws Exception {
        HttpResponse<String> made = send(HttpRequest.newBuilder(uri("/api/auth/register"))
                .header("content-type", "application/json")
                .header("origin", "https://127.0.0.1:" + gateway.port())
                .POST(HttpRequest.BodyPublishers.ofString(ANA)));

        assertThat(made.headers().firstValue("set-cookie").orElse("")).contains("Secure");
    }
}
