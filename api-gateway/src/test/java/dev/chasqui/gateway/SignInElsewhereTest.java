package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.PlainJWT;
import com.nimbusds.jwt.SignedJWT;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Signing in by way of GitHub and Apple. */
class SignInElsewhereTest extends SignInElsewhere {
    private static final String VERIFIER = "a-verifier-of-a-program-that-nobody-could-ever-guess";
    private static final String IDENTITIES = "/api/auth/identities";
    private static final String NONCE = "a-nonce-of-a-program";

    @Override
    GatewaySettings settings() {
        return people("open", GatewaySettings.Stored.defaults());
    }

    @Test
    void thePageIsToldWhichWaysThereAre() throws Exception {
        assertThat(json(get("/api/health").body()).get("sign_in").toString())
                .isEqualTo("[\"password\",\"github\",\"apple\"]");
    }

    @Test
    void whoComesFromGitHubIsSignedIn() throws Exception {
        Browser browser = new Browser();

        HttpResponse<String> left = browser.go(GITHUB + "?return_to=/%23chat");
        Map<String, String> asked =
                SignInPlaces.fields(location(left).substring(location(left).indexOf('?') + 1));
        String kept = browser.cookie("chasqui_oauth_github");
        HttpResponse<String> back = browser.signIn(GITHUB + "?return_to=/%3Fview=keys");

        assertThat(asked).containsEntry("scope", "user:email").containsEntry("code_challenge_method", "S256");
        assertThat(asked.get("redirect_uri")).isEqualTo(SignInPlaces.GITHUB_BACK);
        assertThat(asked.get("state")).hasSize(43);
        assertThat(kept).contains("HTTPOnly", "SameSite=Lax", "Secure", "Path=/api/oauth/github", "Max-Age=600");
        assertThat(back.statusCode()).isEqualTo(303);
        assertThat(location(back)).isEqualTo("/?view=keys");
        assertThat(browser.has("chasqui_oauth_github")).isFalse();
        assertThat(browser.cookie("__Host-chasqui_session")).contains("HTTPOnly", "SameSite=Lax", "Secure");
        assertThat(browser.me().at("/account/role").asString())
                .as("the first one")
                .isEqualTo("admin");
        assertThat(browser.me().at("/account/email").asString()).isEqualTo("ana@example.com");
        assertThat(browser.me().at("/account/name").asString()).isEqualTo("Ana");
        assertThat(browser.account()).isEqualTo("local");
    }

    @Test
    void whoComesFromAppleIsSignedIn() throws Exception {
        Browser browser = new Browser();
        places.email = "hidden@privaterelay.example.com";

        String brought = browser.leave(APPLE + "?return_to=/chats");
        String kept = browser.cookie("chasqui_oauth_apple");
        String user = "{\"name\":{\"firstName\":\"Ana\",\"lastName\":\"Luz\"},\"email\":\"someone.elses@example.com\"}";
        HttpResponse<String> back = browser.post(APPLE + "/callback", brought + "&user=" + SignInPlaces.encoded(user));

        assertThat(kept).contains("HTTPOnly", "SameSite=None", "Secure");
        assertThat(back.statusCode()).as(back.body()).isEqualTo(303);
        assertThat(back.headers().firstValue("access-control-allow-origin")).isEmpty();
        assertThat(location(back)).isEqualTo("/chats");
        assertThat(browser.me().at("/account/name").asString()).isEqualTo("Ana Luz");
        assertThat(browser.me().at("/account/email").asString()).isEqualTo("hidden@privaterelay.example.com");
    }

    @ParameterizedTest
    @ValueSource(strings = {GITHUB, APPLE})
    void whoComesAgainFindsHisAccount(String path) throws Exception {
        new Browser().register("admin@example.com");
        Browser first = new Browser();
        Browser second = new Browser();
        first.signIn(path);
        places.emails = "[]";
        places.emailVerified = false;

        second.signIn(path);

        assertThat(second.account()).isEqualTo(first.account()).startsWith("user_");
        assertThat(second.me().at("/account/role").asString()).isEqualTo("user");
        places.user = "2";
        assertThat(code(new Browser().signIn(path)))
                .as("somebody without an address")
                .isEqualTo("email_not_verified");
    }

    @Test
    void aWayBackWithoutAWayThereLeadsNowhere() throws Exception {
        Browser browser = new Browser();
        Browser other = new Browser();
        String brought = browser.leave(GITHUB);
        other.leave(GITHUB);

        assertThat(code(other.comeBack(GITHUB, brought))).isEqualTo("state_invalid");
        assertThat(code(new Browser().comeBack(GITHUB, brought))).isEqualTo("state_invalid");
        assertThat(code(browser.go(GITHUB + "/callback?code=x"))).isEqualTo("state_invalid");
        assertThat(code(browser.go(GITHUB + "/callback"))).isEqualTo("state_invalid");
        assertThat(code(browser.post(APPLE + "/callback", brought))).isEqualTo("state_invalid");
        assertThat(places.asked).doesNotContain("/github/token");
        assertThat(browser.comeBack(GITHUB, brought).statusCode()).isEqualTo(303);
    }

    @Test
    void oneComesBackOnce() throws Exception {
        Browser browser = new Browser();
        String brought = browser.leave(GITHUB);
        Browser thief = new Browser();
        thief.copy("chasqui_oauth_github", browser);
        browser.comeBack(GITHUB, brought);

        HttpResponse<String> again = thief.comeBack(GITHUB, brought);

        assertThat(again.statusCode()).isEqualTo(400);
        assertThat(code(again)).isEqualTo("state_used");
    }

    @Test
    void aLinkIsToldAndTakenAwayAgain() throws Exception {
        Browser ana = new Browser();
        ana.register("ana@here.example.com");
        assertThat(identities(ana)).isEmpty();
        assertThat(code(ana.delete(IDENTITIES + "/github"))).isEqualTo("identity_not_found");
        ana.signIn(GITHUB);
        assertThat(identities(ana)).containsExactly("github");

        HttpResponse<String> unlinked = ana.delete(IDENTITIES + "/github");

        assertThat(unlinked.statusCode()).isEqualTo(200);
        assertThat(json(unlinked.body()).at("/data/unlinked").asBoolean()).isTrue();
        assertThat(identities(ana)).isEmpty();
        Browser stranger = new Browser();
        stranger.signIn(GITHUB);
        assertThat(stranger.account()).as("a new one").isNotEqualTo(ana.account());
    }

    @Test
    void oneWayToSignInStays() throws Exception {
        Browser ana = new Browser();
        ana.signIn(GITHUB);
        HttpResponse<String> last = ana.delete(IDENTITIES + "/github");
        assertThat(last.statusCode()).isEqualTo(409);
        assertThat(code(last)).isEqualTo("last_sign_in");

        ana.signIn(APPLE);
        assertThat(identities(ana)).containsExactly("github", "apple");
        assertThat(ana.delete(IDENTITIES + "/github").statusCode()).isEqualTo(200);
        assertThat(code(ana.delete(IDENTITIES + "/apple"))).isEqualTo("last_sign_in");
        ana.json("/api/auth/password", "{\"password\":\"a long password\"}");
        assertThat(ana.delete(IDENTITIES + "/apple").statusCode()).isEqualTo(200);
        assertThat(identities(ana)).isEmpty();
    }

    @Test
    void linksAreForWhoHasSignedIn() throws Exception {
        Browser ana = new Browser();
        ana.register("ana@here.example.com");
        String key = json(ana.json("/api/keys", "{\"scopes\":[\"admin\"]}").body())
                .at("/data/key")
                .asString();

        HttpResponse<String> byKey = send(HttpRequest.newBuilder(uri(IDENTITIES))
                .header("authorization", "Bearer " + key)
                .GET());

        assertThat(byKey.statusCode()).isEqualTo(403);
        assertThat(code(byKey)).isEqualTo("not_signed_in");
        assertThat(send(HttpRequest.newBuilder(uri(IDENTITIES)).GET()).statusCode())
                .isEqualTo(401);
    }

    private static List<String> identities(Browser browser) throws Exception {
        return json(browser.go(IDENTITIES).body())
                .at("/data/identities")
                .valueStream()
                .map(each -> each.get("provider").asString())
                .toList();
    }

    @Test
    void aPersonIsLedToThePageWithTheReason() throws Exception {
        Browser browser = new Browser();
        browser.accept = "text/html,application/xhtml+xml";
        String brought = browser.leave(GITHUB);

        HttpResponse<String> wrong = browser.go(GITHUB + "/callback?code=x&state=y");
        HttpResponse<String> denied = browser.go(GITHUB + "/callback?error=access_denied&state="
                + SignInPlaces.fields(brought).get("state"));

        assertThat(wrong.statusCode()).isEqualTo(303);
        assertThat(location(wrong)).isEqualTo("/?sign_in_error=state_invalid");
        assertThat(location(denied)).isEqualTo("/?sign_in_error=sign_in_denied");
        assertThat(browser.has("chasqui_oauth_github")).isFalse();
        assertThat(browser.isSignedIn()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://evil.example.com",
                "//evil.example.com",
                "/%5Cevil.example.com",
                "%5C%5Cevil.example.com",
                "/%09/evil.example.com",
                "/%0d%0aset-cookie:a=b",
                "%20//evil.example.com",
                "javascript:alert(1)",
                "evil.example.com",
                "/%5B",
            })
    void nobodyIsLedElsewhereAfterwards(String path) throws Exception {
        HttpResponse<String> refused = new Browser().go(GITHUB + "?return_to=" + path);

        assertThat(refused.statusCode()).as(refused.body()).isEqualTo(400);
        assertThat(refused.body()).contains("return_to: ").doesNotContain("evil");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "/github/token | 500 | {} | provider_failed",
                "/github/token | 502 | <html>Bad gateway</html> | provider_failed",
                "/github/token | 200 | {\"error\":\"incorrect_client_credentials\"} | provider_failed",
                "/github/token | 200 | {\"error\":\"bad_verification_code\"} | code_refused",
                "/github/token | 200 | [] | provider_failed",
                "/github/api/user | 200 | {\"id\":\"../1\"} | provider_failed",
                "/github/api/user | 401 | {\"message\":\"Bad credentials\"} | provider_failed",
                "/github/api/user/emails | 404 | {} | provider_failed",
                "/github/api/user/emails | 200 | {} | email_not_verified",
                "/github/api/user/emails | 200 | [{\"email\":\"a@b\",\"primary\":true,\"verified\":false}] | email_not_verified",
                "/github/api/user/emails | 200 | [{\"email\":\"a@b\",\"primary\":false,\"verified\":true}] | email_not_verified",
                "/apple/token | 400 | {\"error\":\"invalid_grant\"} | code_refused",
                "/apple/token | 400 | {\"error\":\"invalid_client\"} | provider_failed",
                "/apple/token | 200 | {\"id_token\":\"no token\"} | id_token_invalid",
                "/apple/keys | 500 | {} | provider_failed",
                "/apple/keys | 200 | {\"keys\":[]} | id_token_invalid",
            })
    void whatAProviderDoesAmissIsSaid(String path, int status, String body, String expected) throws Exception {
        places.odd.put(path, new SignInPlaces.Oddity(status, body));
        Browser browser = new Browser();

        HttpResponse<String> refused = browser.signIn(path.startsWith("/github") ? GITHUB : APPLE);

        assertThat(code(refused)).as(refused.body()).isEqualTo(expected);
        assertThat(refused.statusCode())
                .isEqualTo(Map.of("provider_failed", 502, "code_refused", 400).getOrDefault(expected, 403));
        assertThat(browser.isSignedIn()).isFalse();
        assertThat(refused.body()).doesNotContain("code-").doesNotContain("token-");
    }

    @Test
    void anAnswerWithoutAnEndIsNotRead() throws Exception {
        places.odd.put("/github/token", new SignInPlaces.Oddity(200, "\"" + "x".repeat(300_000) + "\""));

        assertThat(new Browser().signIn(GITHUB).body()).contains("GitHub answered what cannot be read.");
    }

    @ParameterizedTest
    @ValueSource(strings = {"audience", "issuer", "nonce", "no nonce", "expired", "key", "none", "secret"})
    void whatAppleDidNotSignForThisSignInIsRefused(String fault) throws Exception {
        Function<JWTClaimsSet, String> usual = places.signer;
        places.signer = claims -> forged(claims, fault, usual);
        Browser browser = new Browser();

        HttpResponse<String> refused = browser.signIn(APPLE);

        assertThat(refused.statusCode()).as(refused.body()).isEqualTo(403);
        assertThat(code(refused)).isEqualTo("id_token_invalid");
        assertThat(browser.isSignedIn()).isFalse();
    }

    private static String forged(JWTClaimsSet claims, String fault, Function<JWTClaimsSet, String> usual) {
        JWTClaimsSet.Builder changed = new JWTClaimsSet.Builder(claims);
        try {
            return switch (fault) {
                case "audience" ->
                    usual.apply(changed.audience("org.example.other").build());
                case "issuer" ->
                    usual.apply(changed.issuer("https://apple.example.com").build());
                case "nonce" -> usual.apply(changed.claim("nonce", "another").build());
                case "no nonce" -> usual.apply(changed.claim("nonce", null).build());
                case "expired" ->
                    usual.apply(changed.expirationTime(new Date(System.currentTimeMillis() - 120_000))
                            .build());
                case "key" ->
                    SignInPlaces.signed(
                            claims, new RSAKeyGenerator(2048).keyID("apples-1").generate());
                case "none" -> new PlainJWT(claims).serialize();
                default -> {
                    SignedJWT token = new SignedJWT(
                            new JWSHeader.Builder(JWSAlgorithm.HS256)
                                    .keyID("apples-1")
                                    .build(),
                            claims);
                    token.sign(new MACSigner(new byte[32]));
                    yield token.serialize();
                }
            };
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {GITHUB, APPLE})
    void anAddressThatIsTakenIsLinkedByItsOwnerOnly(String path) throws Exception {
        Browser ana = new Browser();
        ana.register("Ana@example.com");

        HttpResponse<String> refused = new Browser().signIn(path);
        HttpResponse<String> linked = ana.signIn(path + "?return_to=/account");
        Browser elsewhere = new Browser();
        elsewhere.signIn(path);

        assertThat(refused.statusCode()).isEqualTo(409);
        assertThat(code(refused)).isEqualTo("email_taken");
        assertThat(refused.body()).contains("sign in with its password first, and link");
        assertThat(linked.statusCode()).as(linked.body()).isEqualTo(303);
        assertThat(location(linked)).isEqualTo("/account");
        assertThat(elsewhere.account()).isEqualTo(ana.account());
    }

    @ParameterizedTest
    @ValueSource(strings = {"cross-site", "none"})
    void anotherPageLinksNothing(String site) throws Exception {
        Browser ana = new Browser();
        ana.register("admin@example.com");
        String account = ana.account();
        ana.site = site;

        ana.signIn(GITHUB);

        assertThat(ana.account()).isNotEqualTo(account);
        assertThat(ana.me().at("/account/email").asString()).isEqualTo("ana@example.com");
    }

    @Test
    void aBrowserThatDoesNotSayWhichPageAsksBringsTheToken() throws Exception {
        Browser ana = new Browser();
        ana.register("admin@example.com");
        String account = ana.account();
        ana.site = "";

        ana.signIn(GITHUB + "?csrf_token=" + ana.me().get("csrf_token").asString());

        Browser elsewhere = new Browser();
        elsewhere.signIn(GITHUB);
        assertThat(elsewhere.account()).isEqualTo(account);
    }

    @Test
    void whatIsLinkedWithOneIsNobodyElses() throws Exception {
        Browser ana = new Browser();
        Browser ben = new Browser();
        ana.signIn(GITHUB);
        ben.register("ben@example.com");

        assertThat(code(ben.signIn(GITHUB))).isEqualTo("identity_taken");
        assertThat(ana.signIn(GITHUB).statusCode()).as("once more").isEqualTo(303);
        assertThat(new Browser().signIn(GITHUB).statusCode()).isEqualTo(303);
    }

    @Test
    void aSessionThatEndsMeanwhileLinksNothing() throws Exception {
        Browser ana = new Browser();
        ana.register("ana@example.com");
        String brought = ana.leave(GITHUB);
        ana.json("/api/auth/logout", "{}");

        assertThat(code(ana.comeBack(GITHUB, brought))).isEqualTo("session_ended");
        assertThat(code(new Browser().signIn(GITHUB))).isEqualTo("email_taken");
    }

    @Test
    void aDisabledAccountIsNotSignedIn() throws Exception {
        Browser admin = new Browser();
        admin.register("admin@example.com");
        Browser ana = new Browser();
        ana.signIn(GITHUB);
        send(HttpRequest.newBuilder(uri("/api/accounts/" + ana.account()))
                .header("authorization", "Bearer " + token(admin))
                .method("PATCH", HttpRequest.BodyPublishers.ofString("{\"disabled\":true}")));

        assertThat(code(new Browser().signIn(GITHUB))).isEqualTo("account_disabled");
    }

    private static String token(Browser browser) {
        return browser.session().replaceAll("^.*?=|;.*", "");
    }

    @Test
    void whatWasLinkedGoesWithItsAccount() throws Exception {
        Browser admin = new Browser();
        admin.register("admin@example.com");
        Browser ana = new Browser();
        ana.signIn(GITHUB);
        String before = ana.account();
        send(HttpRequest.newBuilder(uri("/api/accounts/" + before))
                .header("authorization", "Bearer " + token(admin))
                .DELETE());

        Browser again = new Browser();
        again.signIn(GITHUB);

        assertThat(again.account()).isNotEqualTo(before);
    }

    @Test
    void anAccountWithoutAPasswordGetsItsFirstOne() throws Exception {
        Browser ana = new Browser();
        ana.signIn(GITHUB);
        String login = "{\"email\":\"ana@example.com\",\"password\":\"%s\"}";

        assertThat(ana.me().at("/account/has_password").asBoolean()).isFalse();
        assertThat(code(post("/api/auth/login", login.formatted("anything at all"))))
                .isEqualTo("wrong_password");
        assertThat(post("/api/auth/login", login.formatted("").replace("\"\"", "\" \""))
                        .statusCode())
                .isEqualTo(401);
        HttpResponse<String> set = ana.json("/api/auth/password", "{\"password\":\"a first password\"}");
        assertThat(set.statusCode()).as(set.body()).isEqualTo(200);
        assertThat(ana.me().at("/account/has_password").asBoolean()).isTrue();
        assertThat(post("/api/auth/login", login.formatted("a first password")).statusCode())
                .isEqualTo(200);
        HttpResponse<String> second = ana.json("/api/auth/password", "{\"password\":\"a second password\"}");
        assertThat(second.statusCode()).isEqualTo(400);
        assertThat(second.body()).contains("current_password: absent");
    }

    @Test
    void aProgramBringsItsCodeAndWhatItAskedWith() throws Exception {
        String code = places.grant(Map.of(
                "redirect_uri", "http://127.0.0.1:5000/done", "code_challenge", SignInPlaces.challenge(VERIFIER)));
        String injected = places.grant(
                Map.of("redirect_uri", SignInPlaces.GITHUB_BACK, "code_challenge", SignInPlaces.challenge("another")));

        HttpResponse<String> signedIn = post(
                GITHUB + "/manual",
                "{\"code\":\"" + code + "\",\"redirect_uri\":\"http://127.0.0.1:5000/done\",\"code_verifier\":\""
                        + VERIFIER + "\"}");
        HttpResponse<String> another =
                post(GITHUB + "/manual", "{\"code\":\"" + injected + "\",\"code_verifier\":\"" + VERIFIER + "\"}");

        assertThat(signedIn.statusCode()).as(signedIn.body()).isEqualTo(200);
        assertThat(json(signedIn.body()).at("/data/account/email").asString()).isEqualTo("ana@example.com");
        assertThat(json(signedIn.body()).at("/data/csrf_token").isString()).isTrue();
        assertThat(signedIn.headers().firstValue("set-cookie").orElse("")).startsWith("chasqui_session=chs_");
        assertThat(code(another)).isEqualTo("code_refused");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                GITHUB + " | {\"code\":\"secret-code\"} | code_verifier: absent",
                GITHUB + " | {\"code\":\"secret-code\",\"code_verifier\":\"short\"} | code_verifier: not one",
                GITHUB + " | {\"code\":\"secret-code\",\"nonce\":\"a-nonce-of-a-program\"} | code_verifier: absent",
                GITHUB + " | {\"code\":\"secret-code\",\"state\":\"made-up\"} | code_verifier: absent",
                GITHUB + " | {\"code_verifier\":\"x\"} | code: absent",
                APPLE + " | {\"code\":\"secret-code\"} | nonce: absent",
                APPLE + " | {\"code\":\"secret-code\",\"nonce\":\"short\"} | nonce: a string of 5 characters",
            })
    void aCodeAloneIsNotEnough(String path, String body, String error) throws Exception {
        HttpResponse<String> refused = post(path + "/manual", body);

        assertThat(refused.statusCode()).as(refused.body()).isEqualTo(400);
        assertThat(json(refused.body()).get("error").asString()).startsWith(error);
        assertThat(refused.body()).doesNotContain("secret-code");
        assertThat(places.asked).isEmpty();
    }

    @Test
    void aProgramBringsApplesCodeWithItsNonce() throws Exception {
        String code = places.grant(Map.of("redirect_uri", SignInPlaces.APPLE_BACK, "nonce", NONCE));
        String injected = places.grant(Map.of("redirect_uri", SignInPlaces.APPLE_BACK, "nonce", "somebody else's"));

        assertThat(post(APPLE + "/manual", "{\"code\":\"" + code + "\",\"nonce\":\"" + NONCE + "\"}")
                        .statusCode())
                .isEqualTo(200);
        assertThat(code(post(APPLE + "/manual", "{\"code\":\"" + injected + "\",\"nonce\":\"" + NONCE + "\"}")))
                .isEqualTo("id_token_invalid");
    }

    @Test
    void whoLeftFromHereMayBringTheCodeByHand() throws Exception {
        Browser browser = new Browser();
        Map<String, String> brought = SignInPlaces.fields(browser.leave(GITHUB));
        String body = "{\"code\":\"" + brought.get("code") + "\",\"state\":\"%s\"}";

        assertThat(code(browser.json(GITHUB + "/manual", body.formatted("another"))))
                .isEqualTo("state_invalid");
        HttpResponse<String> signedIn = browser.json(GITHUB + "/manual", body.formatted(brought.get("state")));

        assertThat(signedIn.statusCode()).as(signedIn.body()).isEqualTo(200);
        assertThat(browser.me().at("/account/email").asString()).isEqualTo("ana@example.com");
    }

    @Test
    void aProgramThatIsSignedInLinksItsAccount() throws Exception {
        Browser ana = new Browser();
        ana.register("ana@example.com");
        String code = places.grant(
                Map.of("redirect_uri", SignInPlaces.GITHUB_BACK, "code_challenge", SignInPlaces.challenge(VERIFIER)));

        HttpResponse<String> linked = send(HttpRequest.newBuilder(uri(GITHUB + "/manual"))
                .header("authorization", "Bearer " + token(ana))
                .header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(
                        "{\"code\":\"" + code + "\",\"code_verifier\":\"" + VERIFIER + "\"}")));

        assertThat(linked.statusCode()).as(linked.body()).isEqualTo(200);
        assertThat(json(linked.body()).at("/data/account/id").asString()).isEqualTo(ana.account());
        Browser elsewhere = new Browser();
        elsewhere.signIn(GITHUB);
        assertThat(elsewhere.account()).isEqualTo(ana.account());
    }

    @Test
    void otherPagesMayNotCallWhatIsForPrograms() throws Exception {
        HttpResponse<String> refused = send(HttpRequest.newBuilder(uri(GITHUB + "/manual"))
                .header("origin", "https://evil.example.com")
                .POST(HttpRequest.BodyPublishers.ofString("{}")));

        assertThat(code(refused)).isEqualTo("origin_not_allowed");
        assertThat(code(new Browser().post(GITHUB + "/callback", "state=x"))).isEqualTo("state_invalid");
    }

    @Test
    void whatIsNoProviderIsNotThere() throws Exception {
        for (String path : List.of("/api/oauth/facebook", "/api/oauth/github/more")) {
            assertThat(get(path).statusCode()).as(path).isEqualTo(404);
        }
    }
}
