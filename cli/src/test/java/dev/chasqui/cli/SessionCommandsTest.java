package dev.chasqui.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Signing in and out, and what other commands bring in between; without a terminal. */
@Timeout(20)
class SessionCommandsTest {
    private static final String EMAIL = "ana@example.com";

    @TempDir
    Path home;

    private final InputStream usualInput = System.in;
    private AccountsServer server;
    private String out = "";
    private String err = "";

    @BeforeEach
    void start() throws IOException {
        server = new AccountsServer();
    }

    @AfterEach
    void stop() {
        System.setIn(usualInput);
        server.close();
    }

    @Test
    void aPasswordInAPipeSignsInAndIsAskedForNoMore() throws IOException {
        assertThat(type("a secret\n", "session", "login", "--register", "--email", EMAIL, "--name", "Ana"))
                .as(err)
                .isZero();
        assertThat(out).isEqualTo("signed in at " + server.url() + " as ana@example.com (Ana)\n");
        assertThat(out + err + Files.readString(file())).doesNotContain("a secret");

        assertThat(type("", "session", "me")).as(err).isZero();
        assertThat(out).contains(EMAIL, "admin", "a session, until 2026-12-31", "inference, keys");
        assertThat(server.asked).last().asString().startsWith("GET /api/auth/me session-");
    }

    @Test
    void aPasswordMayStandInAVariable() {
        register();
        assertThat(run(Map.of("CHASQUI_PASSWORD", "a secret"), "session", "login", "--email", EMAIL))
                .as(err)
                .isZero();
        assertThat(run(Map.of("CHASQUI_PASSWORD", "a slip"), "session", "login", "--email", EMAIL))
                .isEqualTo(1);
        assertThat(err).isEqualTo("chasqui: E-mail or password is wrong.\n");
    }

    @Test
    void aPasswordIsTheFirstLineAndNothingMoreThanItsEndIsTakenAway() {
        register();
        assertThat(type(" ñ! \\\" \r\nmore\n", "session", "login", "--register", "--email", "bo@example.com"))
                .as(err)
                .isZero();
        assertThat(run(Map.of("CHASQUI_PASSWORD", " ñ! \\\" "), "session", "login", "--email", "bo@example.com"))
                .as(err)
                .isZero();
    }

    @Test
    void withoutATerminalWhatIsMissingIsNamed() {
        assertThat(type("a secret\n", "session", "login")).isEqualTo(2);
        assertThat(err).isEqualTo("chasqui: --email: not given (expected: an address such as ana@example.com)\n");
        assertThat(type("", "session", "login", "--email", EMAIL)).isEqualTo(2);
        assertThat(err).contains("the password is empty", "standard input", "CHASQUI_PASSWORD");
        assertThat(type("a secret\n", "session", "login", "--email", EMAIL, "--name", "Ana"))
                .isEqualTo(2);
        assertThat(err).isEqualTo("chasqui: --name: Ana (expected: together with --register)\n");
        assertThat(server.asked).isEmpty();
    }

    @Test
    void theSessionIsInAFileThatOnlyItsOwnerReads() throws IOException {
        register();

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file())))
                .isEqualTo("rw-------");
        JsonNode kept = JsonMapper.shared().readTree(Files.readString(file())).path(server.url());
        assertThat(kept.path("token").asString()).startsWith("session-");
        assertThat(kept.path("email").asString()).isEqualTo(EMAIL);
        assertThat(kept.path("expires_at").asString()).isEqualTo("2026-12-31T08:00:00.000Z");
        assertThat(home.toFile().list()).containsExactly("sessions.json");
    }

    @Test
    void allCommandsThatAskAServerBringTheSession() {
        register();
        assertThat(run(Map.of(), "model", "list", "--json")).as(err).isZero();
        assertThat(run(Map.of(), "key", "list", "--json")).as(err).isZero();

        assertThat(server.asked).filteredOn(asked -> asked.contains("models")).allMatch(this::bringsSession);
        assertThat(server.asked).filteredOn(asked -> asked.contains("keys")).allMatch(this::bringsSession);
    }

    private boolean bringsSession(String asked) {
        return asked.contains(" session-");
    }

    @Test
    void aKeyGoesBeforeTheSession() {
        register();
        assertThat(run(Map.of("CHASQUI_API_KEY", AccountsServer.OPERATOR_KEY), "session", "me"))
                .as(err)
                .isZero();
        assertThat(out).contains("the operator's key");
        assertThat(run(Map.of(), "session", "me", "--json", "--api-key", AccountsServer.OPERATOR_KEY))
                .as(err)
                .isZero();
        assertThat(JsonMapper.shared().readTree(out).path("signed_in_by").asString())
                .isEqualTo("operator_key");
        assertThat(run(
                        Map.of("CHASQUI_API_KEY", "x", "CHASQUI_PASSWORD", "a secret"),
                        "session",
                        "login",
                        "--email",
                        EMAIL))
                .isZero();
        assertThat(err).contains("CHASQUI_API_KEY is set");
        assertThat(run(Map.of(), "session", "me", "--api-key", "wrong")).isEqualTo(1);
        assertThat(err).isEqualTo("chasqui: The API key is not valid.\n");
    }

    @Test
    void anotherServerIsNotShownTheSession() throws IOException {
        register();
        try (AccountsServer other = new AccountsServer()) {
            for (String url : List.of(other.url(), "http://localhost:" + server.port())) {
                assertThat(run(Map.of(), "session", "me", "--server", url)).isEqualTo(1);
                assertThat(err)
                        .isEqualTo("chasqui: No API key was given (expected: header Authorization: Bearer KEY); bring"
                                + " a key with --api-key, or sign in with: chasqui session login\n");
            }
            assertThat(other.asked).containsExactly("GET /api/auth/me");
            assertThat(server.asked).last().isEqualTo("GET /api/auth/me");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://127.0.0.1:PORT/", "127.0.0.1:PORT", "HTTP://127.0.0.1:PORT/api"})
    void oneServerMayBeSpelledInSeveralWays(String spelling) {
        register();
        String url = spelling.replace("PORT", String.valueOf(server.port()));
        assertThat(run(Map.of(), "session", "me", "--server", url)).as(err).isZero();
    }

    @Test
    void anEndedSessionIsTold() {
        register();
        server.endSessions();
        for (String command : List.of("session me", "key list", "model list", "chat hello")) {
            assertThat(run(Map.of(), command.split(" "))).isEqualTo(1);
            assertThat(err)
                    .isEqualTo("chasqui: the session at " + server.url()
                            + " has ended (sign in with: chasqui session login)\n");
        }
    }

    @Test
    void whoSignsOutIsForgotten() {
        register();
        assertThat(run(Map.of(), "session", "logout")).as(err).isZero();
        assertThat(out).isEqualTo("signed out of " + server.url() + "\n");
        assertThat(server.sessions()).isZero();

        assertThat(run(Map.of(), "session", "logout")).isEqualTo(1);
        assertThat(err)
                .isEqualTo("chasqui: there is no session at " + server.url()
                        + " (begin one with: chasqui session login)\n");
    }

    @Test
    void everywhereEndsTheSessionsOfOtherMachinesToo() {
        register();
        run(Map.of("CHASQUI_PASSWORD", "a secret"), "session", "login", "--email", EMAIL);
        assertThat(server.sessions()).isEqualTo(2);
        assertThat(run(Map.of(), "session", "logout", "--everywhere")).isZero();
        assertThat(server.sessions()).isZero();
    }

    @Test
    void aSessionThatHasEndedIsForgottenToo() throws IOException {
        register();
        server.endSessions();
        assertThat(run(Map.of(), "session", "logout")).as(err).isZero();
        assertThat(out).isEqualTo("the session at " + server.url() + " had ended already, and is forgotten here\n");
        assertThat(Files.readString(file())).doesNotContain("session-");
    }

    @Test
    void aServerThatIsGoneDoesNotKeepItsSession() throws IOException {
        register();
        String url = server.url();
        server.close();
        assertThat(run(Map.of("CHASQUI_SERVER", url), "session", "logout")).isEqualTo(1);
        assertThat(err).startsWith("chasqui: no server answers at " + url).contains("the session is forgotten here");
        assertThat(Files.readString(file())).doesNotContain("session-");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"http://127.0.0.1", "[]", "", "{\"URL\": {\"email\": \"x\"}}", "{\"URL\": 3}"})
    void aDamagedFileIsToldAndLeftAsItIs(String text) throws IOException {
        String damaged = text.replace("URL", server.url());
        Files.writeString(file(), damaged);
        assertThat(run(Map.of(), "session", "me")).isEqualTo(1);
        assertThat(err).startsWith("chasqui: " + file() + ": is damaged (expected: JSON");
        assertThat(run(Map.of(), "key", "list", "--api-key", AccountsServer.OPERATOR_KEY))
                .isZero();
        assertThat(Files.readString(file())).isEqualTo(damaged);
    }

    @Test
    void aDamagedFileIsNotWrittenOver() throws IOException {
        Files.writeString(file(), "{");
        assertThat(type("a secret\n", "session", "login", "--register", "--email", EMAIL))
                .isEqualTo(1);
        assertThat(err).contains("is damaged");
        assertThat(Files.readString(file())).isEqualTo("{");
        assertThat(server.asked).isEmpty();
    }

    private void register() {
        assertThat(type("a secret\n", "session", "login", "--register", "--email", EMAIL))
                .as(err)
                .isZero();
    }

    private Path file() {
        return home.resolve("sessions.json");
    }

    private int type(String input, String... arguments) {
        System.setIn(new ByteArrayInputStream(input.getBytes(UTF_8)));
        return run(Map.of(), arguments);
    }

    private int run(Map<String, String> environment, String... arguments) {
        Map<String, String> own = new HashMap<>(Map.of("CHASQUI_SERVER", server.url()));
        own.putAll(environment);
        own.put("CHASQUI_HOME", home.toString());
        StringWriter said = new StringWriter();
        StringWriter complained = new StringWriter();
        int code = Main.run(List.of(arguments), own, new PrintWriter(said, true), new PrintWriter(complained, true));
        out = said.toString();
        err = complained.toString();
        return code;
    }
}
