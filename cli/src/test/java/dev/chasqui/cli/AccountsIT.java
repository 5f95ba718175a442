package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Signing in at a real server with accounts, and keys, from the command line. */
class AccountsIT {
    private static final JsonMapper JSON = JsonMapper.shared();

    @TempDir
    private static Path home;

    private static Server server;

    @BeforeAll
    static void start() {
        server = Server.ready(RealModel.HOME, "--accounts", "on", "--database-url", "memory:", "--parallel", "2");
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void whoSignsInMakesKeysUsesThemAndSignsOut() throws Exception {
        assertThat(run("", "session", "me").err())
                .contains("bring a key with --api-key, or sign in with: chasqui session login");
        signIn("ana@example.com");
        assertThat(run("", "session", "me").out()).contains("ana@example.com (Ana)", "admin", "a session, until 20");
        assertThat(run("", "model", "list").out()).contains(RealModel.NAME);

        Ran made = run("", "key", "create", "--name", "ci", "--expires", "30d", "--requests-per-minute", "60");
        assertThat(made.out()).matches("chq_[0-9A-Za-z]{38}\n");
        assertThat(made.err()).contains("made key_", "(ci) for inference; until 20", "60 requests/min");
        String key = made.out().strip();
        Ran answer = run(Map.of("CHASQUI_API_KEY", key), "chat", "-t", "0", "--max-tokens", "8", "Say hello.");
        assertThat(answer.code()).as(answer.err()).isZero();
        assertThat(answer.out()).isNotBlank();
        Ran refused = run(Map.of("CHASQUI_API_KEY", key), "model", "unload", RealModel.NAME);
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.err()).contains("models");

        JsonNode listed = JSON.readTree(run("", "key", "list", "--json").out());
        assertThat(listed.findValuesAsString("name")).containsExactly("ci");
        assertThat(listed.at("/0/hint").asString()).startsWith(key.substring(0, 8));
        assertThat(listed.at("/0/limits/requests_per_minute").asInt()).isEqualTo(60);
        assertThat(run("", "key", "revoke", "ci").out()).matches("key_\\w+ \\(ci\\) is revoked\n");
        assertThat(run(Map.of("CHASQUI_API_KEY", key), "chat", "Hello?").err())
                .isEqualTo("chasqui: The API key was revoked.\n");

        assertThat(run("", "session", "logout").out()).isEqualTo("signed out of " + server.base() + "\n");
        assertThat(Files.readString(home.resolve("sessions.json"))).doesNotContain("chs_");
        assertThat(run("", "key", "list").code()).isEqualTo(1);
    }

    private static void signIn(String email) throws Exception {
        Ran signedIn = run("a long secret\n", "session", "login", "--register", "--email", email, "--name", "Ana");
        assertThat(signedIn.code()).as(signedIn.err()).isZero();
        assertThat(signedIn.out()).isEqualTo("signed in at " + server.base() + " as " + email + " (Ana)\n");
        assertThat(List.of(signedIn.out(), signedIn.err(), Files.readString(home.resolve("sessions.json"))))
                .noneMatch(text -> text.contains("a long secret"));
    }

    private static Ran run(String input, String... arguments) throws IOException, InterruptedException {
        return Ran.chasqui(home, Map.of("CHASQUI_SERVER", server.base().toString()), input, arguments);
    }

    private static Ran run(Map<String, String> environment, String... arguments)
            throws IOException, InterruptedException {
        Map<String, String> own = new HashMap<>(environment);
        own.put("CHASQUI_SERVER", server.base().toString());
        return Ran.chasqui(home, own, "", arguments);
    }
}
