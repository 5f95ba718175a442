package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import tools.jackson.databind.JsonNode;

/** A gateway where people sign in by way of others, and their browsers. */
abstract class SignInElsewhere extends GatewayTest {
    static final String GITHUB = "/api/oauth/github";
    static final String APPLE = "/api/oauth/apple";

    final SignInPlaces places;

    SignInElsewhere() {
        try {
            places = new SignInPlaces();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @AfterEach
    void closePlaces() {
        places.close();
    }

    GatewaySettings people(String registration, GatewaySettings.Stored stored) {
        return peopled(
                new GatewaySettings.Accounts(true, registration, 0, 0, 0, places.github(), places.apple()),
                List.of(),
                stored);
    }

    static String code(HttpResponse<String> response) {
        return json(response.body()).path("code").asString("");
    }

    static String location(HttpResponse<String> response) {
        return response.headers().firstValue("location").orElse("");
    }

    /** What a browser keeps, and which of it goes where. */
    final class Browser {
        private final Map<String, String> cookies = new LinkedHashMap<>();
        String accept = "application/json";
        String site = "same-origin";

        HttpResponse<String> go(String path) throws Exception {
            return keep(send(request(path, false).GET()));
        }

        /** A form that another site has it send. */
        HttpResponse<String> post(String path, String form) throws Exception {
            return keep(send(request(path, true)
                    .header("origin", "https://appleid.apple.com")
                    .header("content-type", "application/x-www-form-urlencoded")
                    .POST(HttpRequest.BodyPublishers.ofString(form))));
        }

        HttpResponse<String> json(String path, String body) throws Exception {
            HttpRequest.Builder request = request(path, false).header("content-type", "application/json");
            String csrf = isSignedIn() ? me().get("csrf_token").asString() : "";
            return keep(send((csrf.isEmpty() ? request : request.header("x-csrf-token", csrf))
                    .POST(HttpRequest.BodyPublishers.ofString(body))));
        }

        HttpResponse<String> delete(String path) throws Exception {
            return keep(send(request(path, false)
                    .header("x-csrf-token", me().get("csrf_token").asString())
                    .DELETE()));
        }

        private HttpRequest.Builder request(String path, boolean fromElsewhere) {
            HttpRequest.Builder request =
                    HttpRequest.newBuilder(uri(path)).header("accept", accept).header("sec-fetch-site", site);
            String brought = cookies.values().stream()
                    .filter(cookie -> !fromElsewhere || cookie.contains("SameSite=None") && cookie.contains("Secure"))
                    .map(cookie -> cookie.substring(0, cookie.indexOf(';')))
                    .reduce((one, other) -> one + "; " + other)
                    .orElse("");
            return brought.isEmpty() ? request : request.header("cookie", brought);
        }

        private HttpResponse<String> keep(HttpResponse<String> response) {
            for (String cookie : response.headers().allValues("set-cookie")) {
                String name = cookie.substring(0, cookie.indexOf('='));
                cookies.put(name, cookie);
                if (cookie.contains("Max-Age=0")) {
                    cookies.remove(name);
                }
            }
            return response;
        }

        boolean has(String cookie) {
            return cookies.containsKey(cookie);
        }

        boolean isSignedIn() {
            return !session().isEmpty();
        }

        /** Its cookie, by whichever name. */
        String session() {
            return cookies.getOrDefault("__Host-chasqui_session", cookie("chasqui_session"));
        }

        String cookie(String name) {
            return cookies.getOrDefault(name, "");
        }

        /** As another browser would, which has nothing of this one. */
        void lose(String cookie) {
            cookies.remove(cookie);
        }

        void copy(String cookie, Browser from) {
            cookies.put(cookie, from.cookies.get(cookie));
        }

        JsonNode me() throws Exception {
            HttpResponse<String> response = go("/api/auth/me");
            assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
            return GatewayTest.json(response.body()).get("data");
        }

        String account() throws Exception {
            return me().at("/account/id").asString();
        }

        /** Goes to the provider; answers what it is to bring back from there. */
        String leave(String path) throws Exception {
            HttpResponse<String> left = go(path);
            assertThat(left.statusCode()).as(left.body()).isEqualTo(302);
            return send(HttpRequest.newBuilder(URI.create(location(left)))).body();
        }

        HttpResponse<String> comeBack(String path, String brought) throws Exception {
            return path.startsWith(APPLE) ? post(APPLE + "/callback", brought) : go(GITHUB + "/callback?" + brought);
        }

        /** There and back. */
        HttpResponse<String> signIn(String path) throws Exception {
            return comeBack(path, leave(path));
        }

        HttpResponse<String> register(String email) throws Exception {
            return json("/api/auth/register", "{\"email\":\"" + email + "\",\"password\":\"a long password\"}");
        }
    }
}
