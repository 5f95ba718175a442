package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** Accounts, sessions and keys, whatever the database. */
abstract class AccountsContract extends PeopledGatewayTest {
    private static final String OPERATOR = "operators-own-key";

    /** The address of an empty database. */
    abstract String database() throws Exception;

    @Override
    GatewaySettings settings() {
        return people("open");
    }

    GatewaySettings people(String registration) {
        try {
            GatewaySettings.Stored usual = GatewaySettings.Stored.defaults();
            return peopled(
                    new GatewaySettings.Accounts(true, registration, 0, 0, 0),
                    List.of(OPERATOR),
                    new GatewaySettings.Stored(
                            database(),
                            usual.maxHistoryMessages(),
                            false,
                            usual.undo(),
                            usual.retention(),
                            usual.mostEvents(),
                            usual.queue(),
                            usual.backpressure()));
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private JsonNode health() {
        try {
            return json(get("/api/health").body());
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void theFirstAccountIsTheAdministrators() throws Exception {
        await(() -> health().get("registration").asString().equals("first"));

        Person ana = register("Ana@Example.com");
        Person ben = register("ben@example.com");

        assertThat(ana.told().at("/account/role").asString()).isEqualTo("admin");
        assertThat(ana.told().at("/account/id").asString()).isEqualTo("local");
        assertThat(ben.told().at("/account/role").asString()).isEqualTo("user");
        assertThat(ben.told().get("scopes").toString()).isEqualTo("[\"inference\",\"conversations\",\"keys\"]");
        assertThat(health().get("registration").asString()).isEqualTo("open");
        assertThat(code(post("/api/auth/register", credentials("ANA@example.com", "a long password"))))
                .isEqualTo("email_taken");
    }

    @Test
    void oneSignsInAndOut() throws Exception {
        register("ana@example.com");
        HttpResponse<String> login = post("/api/auth/login", credentials("ana@EXAMPLE.com", "a long password"));
        assertThat(login.headers().firstValue("set-cookie"))
                .hasValueSatisfying(cookie -> assertThat(cookie)
                        .containsIgnoringCase("HttpOnly")
                        .contains("SameSite=Lax", "Path=/", "Max-Age=2592000")
                        .doesNotContain("Secure"));
        Person ana = signedIn(login);

        JsonNode me = json(as(ana, "GET", "/api/auth/me", "").body()).get("data");
        assertThat(me.at("/account/email").asString()).isEqualTo("ana@example.com");
        assertThat(me.get("signed_in_by").asString()).isEqualTo("session");
        assertThat(me.get("csrf_token").asString()).isEqualTo(ana.csrf());

        assertThat(as(ana, "POST", "/api/auth/logout", "").statusCode()).isEqualTo(200);
        assertThat(as(ana, "GET", "/api/auth/me", "").statusCode()).isEqualTo(401);
    }

    @Test
    void aWrongPasswordIsRefusedAndTooManyAreMadeToWait() throws Exception {
        register("ana@example.com");

        for (int i = 0; i < 5; i++) {
            HttpResponse<String> wrong = post("/api/auth/login", credentials("ana@example.com", "not this one"));
            assertThat(wrong.statusCode()).isEqualTo(401);
            assertThat(code(wrong)).isEqualTo("wrong_password");
        }
        HttpResponse<String> refused = post("/api/auth/login", credentials("ana@example.com", "a long password"));

        assertThat(refused.statusCode()).isEqualTo(429);
        assertThat(refused.headers().firstValueAsLong("retry-after")).isPresent();
        assertThat(code(post("/api/auth/login", credentials("nobody@example.com", "not this one"))))
                .isEqualTo("wrong_password");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "ana | a long password | email: \"ana\" (expected: an e-mail address, such as ana@example.com)",
                "a@b c | a long password | email: \"a@b c\" (expected: an e-mail address, such as ana@example.com)",
                "ana@example.com | short | password: a string of 5 characters (expected: 8 to 200)",
            })
    void whatCannotBeIsNamed(String email, String password, String error) throws Exception {
        HttpResponse<String> refused = post("/api/auth/register", credentials(email, password));

        assertThat(refused.statusCode()).isEqualTo(400);
        assertThat(json(refused.body()).get("error").asString()).isEqualTo(error);
        assertThat(refused.body()).doesNotContain(password);
    }

    @Test
    void aPasswordThatIsTooLongIsNamedByItsLength() throws Exception {
        HttpResponse<String> refused = post("/api/auth/register", credentials("ana@example.com", "x".repeat(201)));

        assertThat(refused.statusCode()).isEqualTo(400);
        assertThat(json(refused.body()).get("error").asString())
                .isEqualTo("password: a string of 201 characters (expected: 8 to 200)");
    }

    @Test
    void withoutShowingWhoOneIsThereIsOnlyWhatIsOpen() throws Exception {
        register("ana@example.com");

        for (String path : List.of("/v1/models", "/api/conversations", "/api/auth/me", "/metrics", "/api/keys")) {
            assertThat(get(path).statusCode()).as(path).isEqualTo(401);
        }
        for (String path : List.of("/", "/api/health", "/healthz", "/openapi.json")) {
            assertThat(get(path).statusCode()).as(path).isEqualTo(200);
        }
        assertThat(withKey("chs_made-up", "GET", "/v1/models", "").statusCode()).isEqualTo(401);
        assertThat(withKey("sk-placeholder", "GET", "/v1/models", "").statusCode())
                .isEqualTo(401);
    }

    @Test
    void anotherPagesRequestLacksTheToken() throws Exception {
        Person ana = register("ana@example.com");
        Person forged = new Person(ana.cookie(), "0".repeat(64), ana.told());

        assertThat(code(as(forged, "POST", "/api/conversations", "{}"))).isEqualTo("csrf_token_missing");
        assertThat(as(forged, "GET", "/api/conversations", "").statusCode()).isEqualTo(200);
        assertThat(withKey(ana.token(), "POST", "/api/conversations", "{}").statusCode())
                .as("programs bring the token itself")
                .isEqualTo(200);
    }

    @Test
    void nobodySeesAnothersChats() throws Exception {
        Person ana = register("ana@example.com");
        Person ben = register("ben@example.com");
        String id = json(as(ana, "POST", "/api/conversations", "{\"title\":\"Mine\"}")
                        .body())
                .at("/data/id")
                .asString();

        assertThat(as(ana, "GET", "/api/conversations/" + id, "").statusCode()).isEqualTo(200);
        for (String path : List.of("", "/messages", "/export")) {
            assertThat(as(ben, "GET", "/api/conversations/" + id + path, "").statusCode())
                    .isEqualTo(404);
        }
        assertThat(as(ben, "PATCH", "/api/conversations/" + id, "{\"title\":\"Ben's\"}")
                        .statusCode())
                .isEqualTo(404);
        assertThat(as(ben, "POST", "/api/conversations/" + id + "/messages", "{\"content\":\"Hi\"}")
                        .statusCode())
                .isEqualTo(404);
        assertThat(as(ben, "DELETE", "/api/conversations/" + id, "").statusCode())
                .isEqualTo(404);
        assertThat(json(as(ben, "GET", "/api/conversations", "").body()).at("/data/conversations"))
                .isEmpty();
        assertThat(code(as(ben, "GET", "/api/stream/local", ""))).isEqualTo("user_not_found");
    }

    @Test
    void theOperatorsKeyIsTheLocalUsers() throws Exception {
        Person ana = register("ana@example.com");
        withKey(OPERATOR, "POST", "/api/conversations", "{\"title\":\"From before\"}");

        assertThat(as(ana, "GET", "/api/conversations", "").body()).contains("From before");
        JsonNode me = json(withKey(OPERATOR, "GET", "/api/auth/me", "").body()).get("data");
        assertThat(me.get("signed_in_by").asString()).isEqualTo("operator_key");
        assertThat(me.get("account").isNull()).isTrue();
    }

    @Test
    void aPasswordIsChangedAndEndsOtherSessions() throws Exception {
        Person here = register("ana@example.com");
        Person elsewhere = signedIn(post("/api/auth/login", credentials("ana@example.com", "a long password")));

        HttpResponse<String> wrong = as(
                here, "POST", "/api/auth/password", "{\"current_password\":\"no\",\"password\":\"another password\"}");
        HttpResponse<String> changed = as(
                here,
                "POST",
                "/api/auth/password",
                "{\"current_password\":\"a long password\",\"password\":\"another password\"}");

        assertThat(wrong.statusCode()).isEqualTo(400);
        assertThat(changed.statusCode()).as(changed.body()).isEqualTo(200);
        assertThat(as(here, "GET", "/api/auth/me", "").statusCode()).isEqualTo(200);
        assertThat(as(elsewhere, "GET", "/api/auth/me", "").statusCode()).isEqualTo(401);
        assertThat(post("/api/auth/login", credentials("ana@example.com", "another password"))
                        .statusCode())
                .isEqualTo(200);
    }

    @Test
    void anAdministratorLooksAfterAccounts() throws Exception {
        Person ana = register("ana@example.com");
        HttpResponse<String> made = as(
                ana,
                "POST",
                "/api/accounts",
                "{\"email\":\"ben@example.com\",\"password\":\"bens password\",\"name\":\"Ben\"}");
        String id = json(made.body()).at("/data/id").asString();
        Person ben = signedIn(post("/api/auth/login", credentials("ben@example.com", "bens password")));
        String key = key(ben, "{}");

        assertThat(as(ben, "GET", "/api/accounts", "").statusCode()).isEqualTo(403);
        as(ana, "PATCH", "/api/accounts/" + id, "{\"disabled\":true}");
        assertThat(as(ben, "GET", "/api/auth/me", "").statusCode()).isEqualTo(401);
        assertThat(withKey(key, "GET", "/v1/models", "").statusCode()).isEqualTo(401);
        assertThat(code(post("/api/auth/login", credentials("ben@example.com", "bens password"))))
                .isEqualTo("account_disabled");
        as(ana, "PATCH", "/api/accounts/" + id, "{\"disabled\":false,\"role\":\"admin\",\"password\":\"a newer one\"}");
        Person admin = signedIn(post("/api/auth/login", credentials("ben@example.com", "a newer one")));
        assertThat(json(as(admin, "GET", "/api/accounts", "").body()).at("/data/accounts"))
                .extracting(account -> account.get("role").asString())
                .containsExactly("admin", "admin");
        assertThat(as(ana, "DELETE", "/api/accounts/" + id, "").statusCode()).isEqualTo(200);
        assertThat(as(admin, "GET", "/api/auth/me", "").statusCode()).isEqualTo(401);
    }

    @Test
    void theLastAdministratorStays() throws Exception {
        Person ana = register("ana@example.com");

        for (String change : List.of("{\"role\":\"user\"}", "{\"disabled\":true}")) {
            assertThat(code(as(ana, "PATCH", "/api/accounts/local", change))).isEqualTo("last_administrator");
        }
        assertThat(code(as(ana, "DELETE", "/api/accounts/local", ""))).isEqualTo("last_administrator");
        assertThat(as(ana, "GET", "/api/auth/me", "").statusCode()).isEqualTo(200);
    }

    @Test
    void whatWasStoredForAnAccountGoesWithIt() throws Exception {
        Person ana = register("ana@example.com");
        Person ben = register("ben@example.com");
        String id = ben.told().at("/account/id").asString();
        String chat = json(as(ben, "POST", "/api/conversations", "{}").body())
                .at("/data/id")
                .asString();
        String key = key(ben, "{\"name\":\"bens\"}");

        as(ana, "DELETE", "/api/accounts/" + id, "");

        assertThat(withKey(key, "GET", "/v1/models", "").statusCode()).isEqualTo(401);
        assertThat(as(ana, "GET", "/api/keys?all=true", "").body()).doesNotContain("bens");
        assertThat(as(ana, "GET", "/api/conversations/" + chat, "").statusCode())
                .isEqualTo(404);
        assertThat(register("ben@example.com").told().at("/account/id").asString())
                .isNotEqualTo(id);
    }

    @Test
    void aKeyIsGoodForItsScopes() throws Exception {
        Person ana = register("ana@example.com");
        String plain = key(ana, "{}");
        String reading = key(ana, "{\"name\":\"graphs\",\"scopes\":[\"metrics\"]}");

        assertThat(withKey(plain, "POST", "/v1/chat/completions", HI).statusCode())
                .isEqualTo(200);
        assertThat(withKey(plain, "GET", "/v1/models", "").statusCode()).isEqualTo(200);
        for (String path : List.of("/metrics", "/api/conversations", "/api/keys", "/api/accounts")) {
            assertThat(code(withKey(plain, "GET", path, ""))).as(path).isEqualTo("insufficient_scope");
        }
        assertThat(withKey(plain, "POST", "/api/models/x/load", "{}").statusCode())
                .isEqualTo(403);
        assertThat(withKey(plain, "POST", "/api/chat", "{\"message\":\"Hi\"}").statusCode())
                .isEqualTo(403);
        assertThat(withKey(plain, "POST", "/api/chat", "{\"message\":\"Hi\",\"store\":false}")
                        .statusCode())
                .isEqualTo(200);
        assertThat(withKey(reading, "GET", "/metrics", "").statusCode()).isEqualTo(200);
        assertThat(withKey(reading, "POST", "/v1/chat/completions", HI).statusCode())
                .isEqualTo(403);
        assertThat(send(HttpRequest.newBuilder(uri("/v1/messages"))
                                .header("x-api-key", plain)
                                .header("content-type", "application/json")
                                .POST(HttpRequest.BodyPublishers.ofString(
                                        HI.replace("{\"messages", "{\"max_tokens\":9,\"messages"))))
                        .statusCode())
                .isEqualTo(200);
    }

    @Test
    void nobodyGivesMoreThanHeHas() throws Exception {
        register("ana@example.com");
        Person ben = register("ben@example.com");
        String keys = key(ben, "{\"scopes\":[\"keys\"]}");

        assertThat(code(as(ben, "POST", "/api/keys", "{\"scopes\":[\"admin\"]}")))
                .isEqualTo("insufficient_scope");
        assertThat(code(withKey(keys, "POST", "/api/keys", "{\"scopes\":[\"inference\"]}")))
                .isEqualTo("insufficient_scope");
        assertThat(code(as(ben, "GET", "/api/keys?all=true", ""))).isEqualTo("insufficient_scope");
    }

    @Test
    void aKeyThatIsRevokedOrHasExpiredIsRefused() throws Exception {
        Person ana = register("ana@example.com");
        String key = key(ana, "{\"name\":\"ci\"}");
        String shortly = key(ana, "{\"expires_in\":1}");
        String id = json(as(ana, "GET", "/api/keys", "").body())
                .at("/data/keys/1/id")
                .asString();
        assertThat(withKey(key, "GET", "/v1/models", "").statusCode()).isEqualTo(200);

        HttpResponse<String> revoked = as(ana, "DELETE", "/api/keys/" + id, "");

        assertThat(json(revoked.body()).at("/data/status").asString()).isEqualTo("revoked");
        HttpResponse<String> refused = withKey(key, "GET", "/v1/models", "");
        assertThat(refused.statusCode()).isEqualTo(401);
        assertThat(refused.body()).contains("The API key was revoked.");
        assertThat(json(as(ana, "GET", "/api/keys", "").body()).at("/data/keys"))
                .hasSize(1);
        assertThat(json(as(ana, "GET", "/api/keys?revoked=true", "").body()).at("/data/keys"))
                .hasSize(2);
        await(() -> withKeyQuietly(shortly).body().contains("The API key has expired."));
    }

    private HttpResponse<String> withKeyQuietly(String key) {
        try {
            return withKey(key, "GET", "/v1/models", "");
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void limitsHoldAndUsageIsCounted() throws Exception {
        Person ana = register("ana@example.com");
        String key = key(ana, "{\"limits\":{\"requests_per_minute\":2,\"parallel\":5}}");

        HttpResponse<String> first = withKey(key, "POST", "/v1/chat/completions", HI);
        withKey(key, "POST", "/v1/chat/completions", HI);
        HttpResponse<String> third = withKey(key, "POST", "/v1/chat/completions", HI);
        HttpResponse<String> models = withKey(key, "GET", "/v1/models", "");

        assertThat(first.headers().firstValue("x-ratelimit-limit-requests")).hasValue("2");
        assertThat(first.headers().firstValue("x-ratelimit-remaining-requests")).hasValue("1");
        assertThat(third.statusCode()).isEqualTo(429);
        assertThat(json(third.body()).at("/error/code").asString()).isEqualTo("rate_limit_exceeded");
        assertThat(third.headers().firstValueAsLong("retry-after").getAsLong()).isBetween(1L, 30L);
        assertThat(third.headers().firstValue("x-ratelimit-remaining-requests")).hasValue("0");
        assertThat(models.statusCode()).as("what no model computes").isEqualTo(200);
        JsonNode listed = json(as(ana, "GET", "/api/keys", "").body()).at("/data/keys/0");
        assertThat(listed.at("/usage/requests").asInt()).isEqualTo(2);
        assertThat(listed.at("/usage/completion_tokens").asInt()).isPositive();
        assertThat(listed.get("last_used_at").isNull()).isFalse();
        assertThat(listed.at("/limits/tokens_per_minute").isNull()).isTrue();
    }

    @Test
    void aStreamEndsWithTheSessionThatItWasOpenedWith() throws Exception {
        Person ana = register("ana@example.com");
        HttpResponse<InputStream> stream = HTTP.send(
                HttpRequest.newBuilder(uri("/api/stream/me"))
                        .header("cookie", ana.cookie())
                        .build(),
                HttpResponse.BodyHandlers.ofInputStream());

        assertThat(stream.statusCode()).isEqualTo(200);
        assertThat(as(ana, "POST", "/api/auth/logout", "").statusCode()).isEqualTo(200);
        assertThat(CompletableFuture.supplyAsync(() -> drained(stream.body()))).succeedsWithin(Duration.ofSeconds(20));
    }

    private static long drained(InputStream in) {
        try (in) {
            return in.readAllBytes().length;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void aStoredAnswerCountsForWhoeverAsked() throws Exception {
        Person ana = register("ana@example.com");
        String key = key(ana, "{\"scopes\":[\"inference\",\"conversations\"],\"limits\":{\"parallel\":1}}");
        String chat = json(withKey(key, "POST", "/api/conversations", "{}").body())
                .at("/data/id")
                .asString();

        for (int i = 0; i < 3; i++) {
            HttpResponse<String> asked =
                    withKey(key, "POST", "/api/conversations/" + chat + "/messages", "{\"content\":\"Hi\"}");
            assertThat(asked.statusCode()).as(asked.body()).isEqualTo(200);
            await(() -> !messages(key, chat).contains("\"running\""));
        }

        JsonNode usage = json(as(ana, "GET", "/api/keys", "").body()).at("/data/keys/0/usage");
        assertThat(usage.get("requests").asInt()).isEqualTo(3);
        assertThat(usage.get("completion_tokens").asInt()).isPositive();
    }

    private String messages(String key, String chat) {
        try {
            return withKey(key, "GET", "/api/conversations/" + chat + "/messages", "")
                    .body();
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Each of them sees the other one as an administrator, until one of them is none. */
    @Test
    void administratorsWhoTurnOnEachOtherLeaveOne() throws Exception {
        Person ana = register("ana@example.com");
        Person ben = register("ben@example.com");
        String id = ben.told().at("/account/id").asString();

        for (int i = 0; i < 5; i++) {
            as(ana, "PATCH", "/api/accounts/" + id, "{\"role\":\"admin\"}");
            as(ben, "PATCH", "/api/accounts/local", "{\"role\":\"admin\"}");
            CompletableFuture<HttpResponse<String>> one = demote(ana, id);
            CompletableFuture<HttpResponse<String>> other = demote(ben, "local");

            List<Integer> codes = List.of(one.get().statusCode(), other.get().statusCode());
            assertThat(codes).containsOnlyOnce(200);
            assertThat(codes).as("the later one").containsAnyOf(403, 409);
        }
    }

    private CompletableFuture<HttpResponse<String>> demote(Person person, String id) {
        return HTTP.sendAsync(
                HttpRequest.newBuilder(uri("/api/accounts/" + id))
                        .header("cookie", person.cookie())
                        .header("x-csrf-token", person.csrf())
                        .header("content-type", "application/json")
                        .method("PATCH", HttpRequest.BodyPublishers.ofString("{\"role\":\"user\"}"))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }
}
