package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.gateway.BadSettingsException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Mixin;

class EnvironmentDefaultsTest {

    @Command(name = "node")
    static final class Some {
        @Mixin
        NodeOptions node;
    }

    @Test
    void aVariableStandsForAnOption() {
        assertThat(parse(Map.of("CHASQUI_PARALLEL", "7", "CHASQUI_MODELS_PATH", "/models"))
                        .arguments())
                .containsExactly("--models-path", "/models", "--parallel", "7");
    }

    @Test
    void aFlagIsStrongerThanAVariable() {
        assertThat(parse(Map.of("CHASQUI_PARALLEL", "7"), "--parallel", "3").parallel)
                .isEqualTo(3);
    }

    @Test
    void otherServersNamesWorkAsWell() {
        assertThat(parse(Map.of("N_CTX", "2048", "NUM_THREADS", "0")).arguments())
                .containsExactly("--ctx", "2048", "--threads", "0");
    }

    @Test
    void ownNamesAreStrongerThanOtherServers() {
        assertThat(parse(Map.of("N_CTX", "2048", "CHASQUI_CTX", "512")).context).isEqualTo(512);
    }

    @Test
    void anEmptyVariableIsNone() {
        assertThat(parse(Map.of("CHASQUI_MODEL", " ")).model).isNull();
    }

    @ParameterizedTest
    @CsvSource({
        "MODEL_FILENAME, mine.gguf, --model",
        "N_CTX, 2048, --ctx",
        "MAX_NEW_TOKENS, 99, --max-tokens",
        "GENERATION_TIMEOUT_S, 30, --generation-timeout",
        "NUM_THREADS, 3, --threads",
        "API_PORT, 8081, --port",
        "FRONTEND_PORT, 8082, --port",
        "CORS_ORIGINS, https://a.example, --cors-origins",
        "LOG_LEVEL, debug, --log-level",
        "TEMPERATURE, 0.5, --temperature",
        "TOP_P, 0.7, --top-p",
        "REPETITION_PENALTY, 1.2, --repeat-penalty",
        "MAX_HISTORY_MESSAGES, 12, --max-history-messages",
        "DATABASE_URL, memory:, --database-url",
        "CHASQUI_API_KEY, first-key, --api-keys",
        "CHASQUI_ACCOUNTS, on, --accounts",
        "CHASQUI_REGISTRATION, closed, --registration",
        "CHASQUI_REQUESTS_PER_MINUTE, 60, --requests-per-minute",
        "CHASQUI_TOKENS_PER_MINUTE, 10000, --tokens-per-minute",
        "CHASQUI_PARALLEL_REQUESTS, 4, --parallel-requests",
        "GITHUB_CLIENT_ID, our-app, --github-client-id",
        "GITHUB_CLIENT_SECRET, hidden, --github-client-secret",
        "CHASQUI_GITHUB_REDIRECT_URI, https://a/b, --github-redirect-uri",
        "GITHUB_AUTH_URL, https://a/b, --github-auth-url",
        "GITHUB_TOKEN_URL, https://a/b, --github-token-url",
        "GITHUB_API_URL, https://a/b, --github-api-url",
        "APPLE_CLIENT_ID, org.example.chat, --apple-client-id",
        "APPLE_TEAM_ID, TEAM, --apple-team-id",
        "APPLE_KEY_ID, KEY, --apple-key-id",
        "APPLE_PRIVATE_KEY, key.p8, --apple-private-key",
        "APPLE_CLIENT_SECRET, hidden, --apple-client-secret",
        "APPLE_REDIRECT_URI, https://a/b, --apple-redirect-uri",
        "APPLE_AUTH_URL, https://a/b, --apple-auth-url",
        "APPLE_TOKEN_URL, https://a/b, --apple-token-url",
        "APPLE_KEYS_URL, https://a/b, --apple-keys-url",
        "CHASQUI_BACKEND, cpu, --backend",
        "CHASQUI_KV_TYPE, q8_0, --kv-type",
    })
    void eachVariableThatOtherServersHaveSetsItsOption(String variable, String value, String option) {
        assertThat(given(Map.of(variable, value), option)).isEqualToIgnoringCase(value);
        assertThat(given(Map.of(variable, " "), option)).isNotEqualToIgnoringCase(value);
    }

    @ParameterizedTest
    @CsvSource({
        "CHASQUI_PORT, tcp://10.0.0.1:8080, --port, 8080",
        "API_PORT, tcp://[fd00::1]:80, --port, 8080",
        "CHASQUI_NODE_PORT, udp://10.0.0.1:9090, --node-port, null",
    })
    void whatKubernetesTellsOfAServiceIsNoPortToTake(String variable, String value, String option, String usual) {
        assertThat(given(Map.of(variable, value), option)).isEqualTo(usual);
    }

    @Test
    void whatIsPassedOverIsKnownByNameAndLeavesRoomForTheNextOne() {
        Map<String, String> variables =
                Map.of("CHASQUI_PORT", "tcp://10.0.0.1:8080", "API_PORT", "8081", "CHASQUI_MODEL", "tcp://no.port");
        assertThat(given(variables, "--port")).isEqualTo("8081");
        CommandLine serve = parsed(variables);
        IDefaultValueProvider defaults = serve.getCommandSpec().defaultValueProvider();
        assertThat(((EnvironmentDefaults) defaults).passedOver()).containsExactly("CHASQUI_PORT");
    }

    @Test
    void aRepositoryAndAFileNameAPlaceOfTheHub() {
        assertThat(given(Map.of("MODEL_REPO", "owner/repo", "MODEL_FILENAME", "m.gguf"), "--model"))
                .isEqualTo("hf:owner/repo/m.gguf");
    }

    @Test
    void whatIsSetByHalvesIsNamedByItsVariables() {
        assertThat(GatewayOptions.failure(new BadSettingsException("chasqui.accounts.github.client-secret: absent"
                        + " (expected: beside chasqui.accounts.github.client-id)")))
                .hasMessage("GITHUB_CLIENT_SECRET: absent (expected: beside GITHUB_CLIENT_ID)");
    }

    /** {@code chasqui serve} without arguments. */
    private static CommandLine parsed(Map<String, String> environment) {
        CommandLine program = Main.commandLine(environment, Map::of);
        program.parseArgs("serve");
        return Objects.requireNonNull(program.getSubcommands().get("serve"));
    }

    /** An option's value of {@code chasqui serve}; of a list what it holds. */
    private static String given(Map<String, String> environment, String option) {
        CommandLine serve = parsed(environment);
        Object value = serve.getCommandSpec().findOption(option).getValue();
        return value instanceof List<?> list
                ? list.stream().map(String::valueOf).collect(Collectors.joining(","))
                : String.valueOf(value);
    }

    private static NodeOptions parse(Map<String, String> environment, String... arguments) {
        Some some = new Some();
        new CommandLine(some)
                .setDefaultValueProvider(new EnvironmentDefaults(environment, Map::of))
                .parseArgs(arguments);
        return some.node;
    }
}
