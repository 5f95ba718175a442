package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Keys on a server that asks nobody who he is. */
class KeysWithoutAccountsTest extends GatewayTest {
    @Test
    void aKeyIsNotWantedButCounts() throws Exception {
        JsonNode made = json(post("/api/keys", "{\"name\":\"laptop\",\"limits\":{\"requests_per_minute\":1}}")
                        .body())
                .get("data");
        String key = made.get("key").asString();

        assertThat(ask(key).statusCode()).isEqualTo(200);
        assertThat(ask(key).statusCode()).isEqualTo(429);
        assertThat(ask("sk-placeholder").statusCode()).isEqualTo(200);
        JsonNode listed = json(get("/api/keys").body()).at("/data/keys/0");
        assertThat(listed.get("hint").asString()).startsWith("chq_").hasSize(13);
        assertThat(listed.has("key")).isFalse();
        assertThat(listed.at("/usage/requests").asInt()).isEqualTo(1);
        await(() -> {
            try {
                return json(get("/api/usage").body()).at("/data/by").size() == 2;
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        for (JsonNode one : json(get("/api/usage").body()).at("/data/by")) {
            assertThat(one.get("kind").asString()).isIn("key", "local");
            assertThat(one.get("requests").asInt()).isEqualTo(1);
        }
        HttpResponse<String> slip = ask(key.substring(0, key.length() - 1) + "!");
        assertThat(slip.statusCode()).isEqualTo(401);
    }

    @Test
    void accountsAreOff() throws Exception {
        HttpResponse<String> refused =
                post("/api/auth/register", "{\"email\":\"ana@example.com\",\"password\":\"a long password\"}");
        JsonNode me = json(get("/api/auth/me").body()).get("data");

        assertThat(refused.statusCode()).isEqualTo(403);
        assertThat(json(refused.body()).get("code").asString()).isEqualTo("accounts_off");
        assertThat(me.get("signed_in_by").asString()).isEqualTo("nothing");
        assertThat(me.get("user_id").asString()).isEqualTo("local");
        assertThat(json(get("/api/health").body()).get("accounts").asBoolean()).isFalse();
    }

    @Test
    void badValuesAreNamed() throws Exception {
        assertThat(post("/api/keys", "{\"expires_in\":\"soon\"}").body())
                .contains("expires_in: \\\"soon\\\" (expected: a duration such as 30d or 12h");
        assertThat(post("/api/keys", "{\"scopes\":[\"all\"]}").body())
                .contains(
                        "scopes[0]: \\\"all\\\" (expected: inference, conversations, keys, models, metrics or admin)");
        assertThat(post("/api/keys", "{\"limits\":{\"parallel\":0}}").body())
                .contains("limits.parallel: 0 (expected: a whole");
        assertThat(json(get("/api/keys/key_none").body()).get("code").asString())
                .isEqualTo("key_not_found");
    }

    private HttpResponse<String> ask(String key) throws Exception {
        return send(HttpRequest.newBuilder(uri("/v1/chat/completions"))
                .header("authorization", "Bearer " + key)
                .header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString("{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}")));
    }
}
