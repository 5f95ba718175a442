package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** What somebody might try who wants more than is his. */
class AccountGuardsTest extends PeopledGatewayTest {
    private static final List<String> FORBIDDEN = List.of(
            "GET //api/keys",
            "GET /api/keys/",
            "HEAD /api/keys",
            "OPTIONS /api/keys",
            "GET ///api/accounts//",
            "DELETE /api/accounts/local/",
            "PATCH //api/accounts/local",
            "GET /metrics/",
            "GET //metrics",
            "POST /api/models/x/load/");
    private static final List<String> NOWHERE =
            List.of("/api//keys", "/api/%6beys", "/api/keys;a=b", "/api/x/../keys", "/api/auth/../keys", "/API/keys");

    @Override
    GatewaySettings settings() {
        return peopled(
                new GatewaySettings.Accounts(true, "open", 3, 0, 0), List.of(), GatewaySettings.Stored.defaults());
    }

    @Test
    void manyGuessesAtOnceAreNoMoreThanOneAfterTheOther() throws Exception {
        register("ana@example.com");
        List<CompletableFuture<HttpResponse<String>>> guesses = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            guesses.add(HTTP.sendAsync(
                    login("ana@example.com", "a guess of " + i).build(), HttpResponse.BodyHandlers.ofString()));
        }

        List<Integer> answers = new ArrayList<>();
        for (CompletableFuture<HttpResponse<String>> guess : guesses) {
            answers.add(guess.get().statusCode());
        }
        assertThat(answers).containsOnly(401, 429);
        assertThat(answers.stream().filter(status -> status == 401)).hasSize(5);
    }

    @Test
    void thatThereIsNoAccountTakesAsLong() throws Exception {
        register("ana@example.com");
        long known = Long.MAX_VALUE;
        long unknown = Long.MAX_VALUE;
        for (int i = 0; i < 3; i++) {
            known = Math.min(known, nanos("ana@example.com"));
            unknown = Math.min(unknown, nanos("nobody@example.com"));
        }

        assertThat(unknown).isGreaterThan(known / 3);
    }

    private long nanos(String email) throws Exception {
        long start = System.nanoTime();
        assertThat(code(send(login(email, "not this one")))).isEqualTo("wrong_password");
        return System.nanoTime() - start;
    }

    private HttpRequest.Builder login(String email, String password) {
        return HttpRequest.newBuilder(uri("/api/auth/login"))
                .header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(credentials(email, password)));
    }

    @Test
    void whatIsNoEmailAddressIsNotRemembered() throws Exception {
        for (String email : List.of("a".repeat(100_000) + "@example.com", "ana", "a\\u0000b@example.com")) {
            HttpResponse<String> refused = send(login(email, "a long password"));

            assertThat(refused.statusCode()).isEqualTo(400);
            assertThat(refused.body()).contains("\"email: ").hasSizeLessThan(300);
        }
        String grown = "İ".repeat(64) + "@" + "İ".repeat(120);
        assertThat(send(login(grown, "a long password")).statusCode()).isEqualTo(400);
    }

    @Test
    void aPasswordThatIsNoStringIsNotQuoted() throws Exception {
        HttpResponse<String> refused = post("/api/auth/login", "{\"email\":\"ana@example.com\",\"password\":12345678}");

        assertThat(json(refused.body()).get("error").asString()).isEqualTo("password: a number (expected: a string)");
    }

    @Test
    void aCookieOfHttpsStaysOneOfHttps() throws Exception {
        HttpResponse<String> made = send(HttpRequest.newBuilder(uri("/api/auth/register"))
                .header("content-type", "application/json")
                .header("origin", "https://127.0.0.1:" + gateway.port())
                .POST(HttpRequest.BodyPublishers.ofString(credentials("ana@example.com", "a long password"))));
        assertThat(made.headers().firstValue("set-cookie").orElse("")).startsWith("__Host-chasqui_session=chs_");
        Person ana = signedIn(made);

        HttpResponse<String> me = as(ana, "GET", "/api/auth/me", "");
        HttpResponse<String> out = as(ana, "POST", "/api/auth/logout", "");

        assertThat(me.headers().firstValue("set-cookie").orElse(""))
                .startsWith(ana.cookie() + ";")
                .containsIgnoringCase("HttpOnly")
                .contains("; Secure", "SameSite=Lax", "Path=/");
        assertThat(out.headers().allValues("set-cookie"))
                .singleElement()
                .satisfies(cookie -> assertThat(cookie)
                        .startsWith("__Host-chasqui_session=;")
                        .contains("Secure", "Max-Age=0"));
    }

    @Test
    void onlyTheSessionsOwnCookieLivesOn() throws Exception {
        Person ana = register("ana@example.com");
        HttpResponse<String> me = send(HttpRequest.newBuilder(uri("/api/auth/me"))
                .header("authorization", "Bearer " + ana.token())
                .header("cookie", "chasqui_session=somebody-elses"));

        assertThat(me.statusCode()).isEqualTo(200);
        assertThat(me.headers().firstValue("set-cookie")).isEmpty();
    }

    @Test
    void anAccountsKeysTakeTogetherNoMoreThanOne() throws Exception {
        register("ana@example.com");
        Person ben = register("ben@example.com");
        String one = key(ben, "{}");
        String other = key(ben, "{\"limits\":{\"requests_per_minute\":9}}");

        assertThat(withKey(one, "POST", "/v1/chat/completions", HI).statusCode())
                .isEqualTo(200);
        assertThat(withKey(other, "POST", "/v1/chat/completions", HI).statusCode())
                .isEqualTo(200);
        assertThat(withKey(one, "POST", "/v1/chat/completions", HI).statusCode())
                .isEqualTo(200);
        assertThat(withKey(other, "POST", "/v1/chat/completions", HI).statusCode())
                .isEqualTo(429);
    }

    @ParameterizedTest
    @CsvSource({
        "{},3",
        "{\"limits\":{\"requests_per_minute\":1000}},3",
        "{\"limits\":{\"parallel\":9}},3",
        "{\"limits\":{\"requests_per_minute\":1}},1"
    })
    void aUsersKeyTakesNoMoreThanTheServerGives(String draft, String most) throws Exception {
        register("ana@example.com");
        String key = key(register("ben@example.com"), draft);

        HttpResponse<String> answer = withKey(key, "POST", "/v1/chat/completions", HI);

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.headers().firstValue("x-ratelimit-limit-requests")).hasValue(most);
    }

    @Test
    void aKeyMakesNoneThatIsMoreThanItself() throws Exception {
        Person ana = register("ana@example.com");
        String limited = key(ana, "{\"scopes\":[\"inference\",\"keys\"],\"limits\":{\"parallel\":1}}");
        String short_ = key(ana, "{\"scopes\":[\"inference\",\"keys\"],\"expires_in\":\"1h\"}");

        assertThat(code(withKey(limited, "POST", "/api/keys", "{}"))).isEqualTo("insufficient_scope");
        for (String draft : List.of("{}", "{\"expires_in\":\"30d\"}")) {
            JsonNode made =
                    json(withKey(short_, "POST", "/api/keys", draft).body()).get("data");
            assertThat(Instant.parse(made.get("expires_at").asString()))
                    .isBefore(Instant.now().plus(Duration.ofHours(2)));
        }
    }

    /** Whatever a path looks like, it asks for what its route asks. */
    @Test
    void aPathIsNoWayAround() throws Exception {
        String key = key(register("ana@example.com"), "{}");
        String unknown = "chq_" + "0".repeat(38);

        for (String asked : FORBIDDEN) {
            assertThat(withKey(key, method(asked), path(asked), "").statusCode())
                    .as(asked)
                    .isEqualTo(403);
            assertThat(withKey(unknown, method(asked), path(asked), "").statusCode())
                    .as(asked)
                    .isEqualTo(401);
        }
        for (String path : NOWHERE) {
            assertThat(withKey(key, "GET", path, "").statusCode()).as(path).isEqualTo(404);
        }
    }

    private static String method(String asked) {
        return asked.substring(0, asked.indexOf(' '));
    }

    private static String path(String asked) {
        return asked.substring(asked.indexOf(' ') + 1);
    }
}
