package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.gateway.accounts.Scope;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Keys of a running server, as an operator's key makes them. */
@Timeout(20)
class KeyCommandsTest {
    @TempDir
    Path home;

    private AccountsServer server;
    private String out = "";
    private String err = "";

    @BeforeEach
    void start() throws IOException {
        server = new AccountsServer();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void theKeyAloneGoesToStandardOutput() {
        assertThat(run("key", "create")).as(err).isZero();

        assertThat(out).isEqualTo("chq_of_key_1\n");
        assertThat(err).isEqualTo("made key_1 for inference; never expires; this is the only time that it is shown:\n");
    }

    @Test
    void aKeyIsMadeAsItsFlagsSay() {
        assertThat(run(
                        "key",
                        "create",
                        "--name",
                        "ci",
                        "--scopes",
                        "inference,models",
                        "--expires",
                        "30d",
                        "--requests-per-minute",
                        "60",
                        "--parallel",
                        "2",
                        "--json"))
                .as(err)
                .isZero();
        JsonNode made = JsonMapper.shared().readTree(out);
        assertThat(made.path("name").asString()).isEqualTo("ci");
        assertThat(made.path("scopes").toString()).isEqualTo("[\"inference\",\"models\"]");
        assertThat(made.path("expires_at").asString()).isEqualTo("in 2592000 s");
        assertThat(made.path("limits").toString()).isEqualTo("{\"requests_per_minute\":60,\"parallel\":2}");
        assertThat(err).isEmpty();
    }

    @Test
    void whatVariablesSayOfAServerIsNotSaidOfAKey() {
        assertThat(run(
                        Map.of(
                                "CHASQUI_PARALLEL", "8",
                                "CHASQUI_REQUESTS_PER_MINUTE", "5",
                                "CHASQUI_TOKENS_PER_MINUTE", "5",
                                "CHASQUI_NAME", "ci"),
                        "key",
                        "create",
                        "--json"))
                .as(err)
                .isZero();
        assertThat(JsonMapper.shared().readTree(out).path("limits")).isEmpty();
        assertThat(JsonMapper.shared().readTree(out).path("name").asString()).isEqualTo("ci");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--expires 3x       | --expires: 3x (expected: such as 30d, 12h, or never)",
                "--expires 0        | --expires: 0 (expected: such as 30d, 12h, or never)",
                "--expires -1d      | --expires: -1d (expected: such as 30d, 12h, or never)",
                "--scopes inferense | --scopes: inferense (expected: inference, conversations, keys, models, metrics, admin)",
                "--scopes models,x  | --scopes: x (expected: inference, conversations, keys, models, metrics, admin)",
                "--parallel 0       | --parallel: 0 (expected: 1 or more requests)",
                "--parallel two     | --parallel: two (expected: a whole number)",
                "--requests-per-minute -3 | --requests-per-minute: -3 (expected: 1 or more requests)",
                "--tokens-per-minute many | --tokens-per-minute: many (expected: a whole number)",
                "--tokens-per-minute 0    | --tokens-per-minute: 0 (expected: 1 or more tokens)",
                "--scope models           | --scope: no such option of chasqui key create (did you mean --scopes?)",
            })
    void whatCannotBeIsToldBeforeTheServerIsAsked(String arguments, String sentence) {
        assertThat(run(("key create " + arguments).split(" "))).isEqualTo(2);
        assertThat(err.lines()).first().isEqualTo("chasqui: " + sentence);
        assertThat(server.asked).isEmpty();
    }

    @Test
    void theScopesAreTheServers() {
        assertThat(Stream.of(Scope.values()).map(Scope::toString))
                .containsExactlyElementsOf(
                        Stream.of(Scope.values()).map(Scope::word).toList());
    }

    @ParameterizedTest
    @CsvSource({"30d, 2592000", "12h, 43200", "90m, 5400", "10s, 10", "3600, 3600", "never, 0"})
    void timesAreReadAsTheyAreWritten(String text, long seconds) {
        assertThat(new Expiry.Converter().convert(text)).isEqualTo(new Expiry(seconds));
    }

    @Test
    void keysAreListedTheNewestFirst() {
        run("key", "create", "--name", "first");
        run("key", "create", "--name", "second", "--tokens-per-minute", "900");
        assertThat(run("key", "list")).as(err).isZero();
        assertThat(out).isEqualTo("""
                ID     NAME    HINT          SCOPES     LIMITS          TOKENS  LAST USED  STATUS
                key_2  second  chq_Zk1…9fA2  inference  900 tokens/min      42  never      active
                key_1  first   chq_Zk0…9fA2  inference                      42  never      active
                """);

        assertThat(run("key", "list", "--json")).isZero();
        assertThat(JsonMapper.shared().readTree(out).findValuesAsString("name")).containsExactly("second", "first");
    }

    @Test
    void aTableOfKeysFitsTheTerminal() {
        JsonNode keys = JsonMapper.shared().readTree("""
                [{"id": "key_83115feb31cc035cb23c4be9", "name": "nightly tests of everything", "hint": "chq_CmVe…YxB1",
                  "scopes": ["inference", "models"], "limits": {"parallel": 2}, "status": "active",
                  "user_id": "local", "expires_at": "2026-12-31T08:00:00.000Z"}]""");
        assertThat(KeyText.table(keys, false, 80).lines())
                .containsExactly(
                        "ID                            NAME               HINT           STATUS",
                        "key_83115feb31cc035cb23c4be9  nightly tests of…  chq_CmVe…YxB1  until 2026-12-31");
        assertThat(KeyText.table(keys, false, 48).lines()).first().asString().matches("ID +NAME");
        for (int width = 40; width < 200; width++) {
            int most = width;
            assertThat(KeyText.table(keys, true, width).lines()).allMatch(line -> line.length() <= most);
        }
    }

    @Test
    void keysAreShownByIdNameOrHint() {
        run("key", "create", "--name", "ci", "--parallel", "2");
        for (String reference : List.of("key_1", "ci", "chq_Zk0…9fA2")) {
            assertThat(run("key", "show", reference)).as(err).isZero();
            assertThat(out).isEqualTo("""
                    id             key_1
                    name           ci
                    hint           chq_Zk0…9fA2
                    owner          user_0
                    scopes         inference
                    limits         2 at once
                    status         active
                    made           2026-12-01 08:00 UTC
                    last used      never
                    requests       3
                    tokens         40 of prompts (0 of them from the cache), 2 of answers
                    """);
        }
        assertThat(run("key", "show", "--json", "ci")).isZero();
        assertThat(JsonMapper.shared().readTree(out).path("id").asString()).isEqualTo("key_1");
    }

    @Test
    void aKeyThatIsNotThereKeepsNoOtherFromBeingRevoked() {
        run("key", "create", "--name", "ci");
        run("key", "create");
        assertThat(run("key", "revoke", "key_9", "nobody", "ci", "key_2")).isEqualTo(1);
        assertThat(out).isEqualTo("key_1 (ci) is revoked\nkey_2 is revoked\n");
        assertThat(err).isEqualTo("""
                chasqui: There is no such key.
                chasqui: nobody: no such key (chasqui key list shows all)
                """);

        assertThat(run("key", "list")).isZero();
        assertThat(out.lines()).hasSize(1);
        assertThat(run("key", "list", "--revoked")).isZero();
        assertThat(out).contains("revoked 2026-12-02");
    }

    @Test
    void aNameThatTwoKeysHaveRevokesNeither() {
        run("key", "create", "--name", "ci");
        run("key", "create", "--name", "ci");
        assertThat(run("key", "revoke", "ci")).isEqualTo(1);
        assertThat(err).isEqualTo("chasqui: ci: 2 keys go by that (expected: an id: key_2, key_1)\n");
        assertThat(server.asked).noneMatch(asked -> asked.startsWith("DELETE"));
    }

    private int run(String... arguments) {
        return run(Map.of(), arguments);
    }

    private int run(Map<String, String> environment, String... arguments) {
        Map<String, String> own = new HashMap<>(environment);
        own.put("CHASQUI_HOME", home.toString());
        own.put("CHASQUI_SERVER", server.url());
        own.put("CHASQUI_API_KEY", AccountsServer.OPERATOR_KEY);
        StringWriter said = new StringWriter();
        StringWriter complained = new StringWriter();
        int code = Main.run(List.of(arguments), own, new PrintWriter(said, true), new PrintWriter(complained, true));
        out = said.toString();
        err = complained.toString();
        return code;
    }
}
