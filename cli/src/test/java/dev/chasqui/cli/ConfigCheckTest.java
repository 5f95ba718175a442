package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class ConfigCheckTest {

    @TempDir
    Path folder;

    @Test
    void whatTheProgramWritesIsFineAndSaysEverySettingOnce() {
        String written = ConfigCommand.text();
        assertThat(problems(written)).isEmpty();

        // A setting with a default is written with it, so that taking its mark away changes nothing.
        String uncommented = written.replaceAll("(?m)^#([a-z][a-z-]*: \\S.*)$", "$1");
        assertThat(problems(uncommented)).isEmpty();
        ConfigKeys keys = new ConfigKeys(Main.commandLine(Map.of(), Map::of));
        assertThat(keys.options())
                .containsKeys(
                        "port",
                        "accounts",
                        "requests-per-minute",
                        "model",
                        "models-memory",
                        "listen",
                        "nodes",
                        "log-level");
        for (String key : keys.options().keySet()) {
            assertThat(written).containsOnlyOnce("\n#" + key + ":");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "port: 80a0                 | 1: port: 80a0 (expected: a whole number)",
                "port: 99999                | 1: port: 99999 (expected: 0 to 65535",
                "ctx: 5                     | 1: ctx: 5 (expected: 64 or more, or 0 for automatic)",
                "parallel: 1000             | 1: parallel: 1000 (expected: 1 to 256)",
                "paralel: 3                 | 1: paralel: no such setting (expected: parallel)",
                "models_path: /x            | 1: models_path: no such setting (expected: models-path)",
                "zebra: 3                   | 1: zebra: no such setting (expected: a name that chasqui config lists)",
                "host: 0.0.0.0              | 1: host: 0.0.0.0 can be reached from other machines",
                "log-level: loud            | 1: log-level: loud (expected: error, warn, info, debug, trace)",
                "keep-alive: soon           | 1: keep-alive: soon (expected: seconds",
                "temperature: hot           | 1: temperature: hot (expected: a number)",
                "temperature: 200           | 1: temperature: 200 (expected: 0 to 2)",
                "temperature: 99            | 1: temperature: 99 (expected: 0 to 2)",
                "top-p: 1.5                 | 1: top-p: 1.5 (expected: 0 to 1)",
                "repeat-penalty: 0          | 1: repeat-penalty: 0 (expected: above 0 to 10)",
                "max-tokens: 0              | 1: max-tokens: 0 (expected: 1 or more)",
                "accounts: maybe            | 1: accounts: maybe (expected: on, off)",
                "accounts: true             | 1: accounts: true (expected: on, off)",
                "registration: yes          | 1: registration: yes (expected: open, closed)",
                "requests-per-minute: -1    | 1: requests-per-minute: -1 (expected: 0 to 1000000)",
                "tokens-per-minute: many    | 1: tokens-per-minute: many (expected: a whole number)",
                "parallel-requests: 100001  | 1: parallel-requests: 100001 (expected: 0 to 100000)",
                "chat-titles: maybe         | 1: chat-titles: maybe (expected: true or false)",
                "optimize: yes              | 1: optimize: yes (expected: true or false)",
                "tensor-split: a            | 1: tensor-split: a (expected: a number, or several with commas between)",
                "models-memory: -5          | 1: models-memory: -5 (expected: 1 or more MiB)",
                "prompt-cache: -5           | 1: prompt-cache: -5 (expected: 0 or more MiB)",
                "stream-retention: 5        | 1: stream-retention: 5 (expected: 24 to 72 hours)",
                "node-silence: 1            | 1: node-silence: 1 (expected: 2 to 86400 seconds)",
                "takeover-patience: -1      | 1: takeover-patience: -1 (expected: 0 or more seconds)",
                "shutdown-timeout: x        | 1: shutdown-timeout: x (expected: 0 to 86400 seconds)",
                "'model: [a, b]'            | '1: model: [a,b] (expected: one value, not a list)'",
                "reasoning-field: [a]       | '1: reasoning-field: [a] (expected: one value, not a list)'",
                "listen: nowhere            | 1: listen: nowhere (expected: HOST:PORT)",
                "port: {a: 1}               | 1: port: a block of its own",
                "- port                     | 1: no setting (expected: lines such as port: 8080)",
            })
    void saysWhatIsWrongAndWhere(String text, String problem) {
        assertThat(problems(text)).hasSize(1);
        assertThat(problems(text).get(0)).startsWith(problem);
    }

    @Test
    void aFileIsNoFolderForModels() throws Exception {
        Path file = Files.createFile(folder.resolve("file"));

        assertThat(problems("\nmodels-path: " + file))
                .containsExactly("2: models-path: " + file + " (expected: a folder; " + file + " is a file)");
        assertThat(problems("models-path: " + file.resolve("models"))).hasSize(1);
        assertThat(problems("models-path: " + folder)).isEmpty();
        assertThat(problems("models-path: " + folder.resolve("new/models"))).isEmpty();
    }

    @Test
    void eachProblemHasItsLine() {
        String text = "# a comment\nport: x\n\nctx: 5\nport: 8080\nqueue: 3\nthreads: -1\n";

        assertThat(problems(text))
                .hasSize(4)
                .satisfiesExactly(
                        problem -> assertThat(problem).startsWith("2: port"),
                        problem -> assertThat(problem).startsWith("4: ctx"),
                        problem -> assertThat(problem).startsWith("5: port: said on line 2"),
                        problem -> assertThat(problem).startsWith("7: threads"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"port: [1", "\tport: 1", "port: \"x", "a: b: c", "? [", "%", "&a *a", "\u0000"})
    void whatIsNoYamlIsOneProblemWithALine(String text) {
        assertThat(problems(text)).isNotEmpty().allMatch(problem -> problem.matches("(?s)[1-3]: .*"));
    }

    @Test
    void severalValuesAreAListOrCommas() {
        String host = "host: 0.0.0.0\n";
        assertThat(problems(host + "api-keys: [first-key, second-key]\n")).isEmpty();
        assertThat(problems(host + "api-keys: first-key,second-key\n")).isEmpty();
        assertThat(problems("api-keys:\n  - first-key\n  - second-key\ncors-origins: []\n"))
                .isEmpty();
        assertThat(ConfigFile.parse(folder, "api-keys: [first-key, second-key]").values())
                .containsEntry("api-keys", "first-key,second-key");
    }

    /** YAML of old takes on and off for true and false; here they stay words. */
    @Test
    void accountsAreOnOrOff() {
        String host = "host: 0.0.0.0\n";

        for (String on : List.of("on", "ON", "'on'", "\"on\"")) {
            assertThat(problems(host + "accounts: " + on + "\nregistration: closed\nrequests-per-minute: 60\n"))
                    .isEmpty();
        }
        assertThat(problems("accounts: off\n")).isEmpty();
        assertThat(problems("\n" + host + "accounts: off\n"))
                .singleElement()
                .satisfies(problem -> assertThat(problem)
                        .startsWith("2: host: 0.0.0.0 can be reached from other machines")
                        .endsWith("or --accounts on)"));
        assertThat(ConfigFile.parse(folder, "accounts: on").values()).containsEntry("accounts", "on");
    }

    @Test
    void aFlagIsStrongerThanAVariableAndThatThanTheFile() throws Exception {
        Path file = Files.writeString(folder.resolve("c.yaml"), "parallel: 2\nctx: 128\nqueue: 7\n");
        NodeOptions node = node(Map.of("CHASQUI_CTX", "256"), "--config", file.toString(), "--queue", "9");

        assertThat(node.arguments()).containsExactly("--parallel", "2", "--ctx", "256", "--queue", "9");
    }

    @Test
    void theFileInTheHomeCountsWithoutBeingNamedAndAVariableNamesAnother() throws Exception {
        Files.writeString(folder.resolve("application.yaml"), "parallel: 2\n");
        Path other = Files.writeString(folder.resolve("other.yaml"), "parallel: 3\n");
        String home = folder.toString();

        assertThat(node(Map.of("CHASQUI_HOME", home)).parallel).isEqualTo(2);
        assertThat(node(Map.of("CHASQUI_HOME", home, "CHASQUI_CONFIG", other.toString())).parallel)
                .isEqualTo(3);
    }

    @Test
    void aFileThatIsWrongEndsAServerAndNothingElse() throws Exception {
        Path file = Files.writeString(folder.resolve("c.yaml"), "paralel: 2\n");

        assertThatThrownBy(() -> node(Map.of(), "--config", file.toString()))
                .isInstanceOf(CommandLine.ParameterException.class)
                .hasRootCauseInstanceOf(Failure.class)
                .hasMessageContaining("c.yaml:1: paralel: no such setting");
        CommandLine program = program(Map.of("CHASQUI_CONFIG", file.toString()), List.of());
        program.parseArgs("model", "list");
    }

    private static NodeOptions node(Map<String, String> environment, String... arguments) {
        CommandLine program = program(environment, List.of(arguments));
        String[] all = java.util.stream.Stream.concat(
                        java.util.stream.Stream.of("node"), java.util.stream.Stream.of(arguments))
                .toArray(String[]::new);
        CommandLine.ParseResult parsed = program.parseArgs(all);
        return ((NodeCommand) parsed.subcommand().commandSpec().userObject()).options();
    }

    private static CommandLine program(Map<String, String> environment, List<String> arguments) {
        return Main.commandLine(
                environment, new Configuration(environment, arguments, () -> Main.commandLine(Map.of(), Map::of)));
    }

    private List<String> problems(String text) {
        return ConfigCheck.all(ConfigFile.parse(folder, text)).stream()
                .map(problem -> problem.line() + ": " + problem.message())
                .toList();
    }
}
