package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import tools.jackson.databind.JsonNode;

/** A gateway that people sign in to, and what they send. */
abstract class PeopledGatewayTest extends GatewayTest {
    static final String HI = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";

    /** What a browser holds of somebody who has signed in. */
    record Person(String cookie, String csrf, JsonNode told) {
        String token() {
            return cookie.substring(cookie.indexOf('=') + 1);
        }
    }

    Person signedIn(HttpResponse<String> response) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        String cookie = response.headers().firstValue("set-cookie").orElseThrow();
        JsonNode data = json(response.body()).get("data");
        return new Person(
                cookie.substring(0, cookie.indexOf(';')), data.get("csrf_token").asString(), data);
    }

    Person register(String email) throws Exception {
        return signedIn(post("/api/auth/register", credentials(email, "a long password")));
    }

    static String credentials(String email, String password) {
        return "{\"email\":\"" + email + "\",\"password\":\"" + password + "\"}";
    }

    HttpResponse<String> as(Person person, String method, String path, String body)
            throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri(path))
                .header("cookie", person.cookie())
                .header("x-csrf-token", person.csrf())
                .method(method, HttpRequest.BodyPublishers.ofString(body));
        return send(body.isEmpty() ? request : request.header("content-type", "application/json"));
    }

    HttpResponse<String> withKey(String key, String method, String path, String body)
            throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(uri(path))
                .header("authorization", "Bearer " + key)
                .header("content-type", "application/json")
                .method(method, HttpRequest.BodyPublishers.ofString(body)));
    }

    String key(Person person, String draft) throws Exception {
        HttpResponse<String> made = as(person, "POST", "/api/keys", draft);
        assertThat(made.statusCode()).as(made.body()).isEqualTo(200);
        return json(made.body()).at("/data/key").asString();
    }

    static String code(HttpResponse<String> response) {
        return json(response.body()).path("code").asString("");
    }
}
