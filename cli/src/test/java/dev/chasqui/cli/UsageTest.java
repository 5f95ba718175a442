package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the program says to command lines that it does not understand, and to those that ask how it is used. */
class UsageTest {
    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "serv                   | serv: no such command (did you mean serve?)",
                "modle list             | modle: no such command (did you mean model?)",
                "serv --port 80         | serv: no such command (did you mean serve?)",
                "model lst              | lst: no such command of chasqui model (did you mean list?)",
                "xyzzy                  | xyzzy: no such command (chasqui --help lists all)",
                "qqq --help             | qqq: no such command (chasqui --help lists all)",
                "kye list               | kye: no such command (did you mean key?)",
                "session logn           | logn: no such command of chasqui session (did you mean login?)",
                "key revok              | revok: no such command of chasqui key (did you mean revoke?)",
                "model lst --help       | lst: no such command of chasqui model (did you mean list?)",
                "help serv              | serv: no such command (did you mean serve?)",
                "help model pul         | pul: no such command of chasqui model (did you mean pull?)",
                "man modle              | modle: no such command (did you mean model?)",
                "serve --prot 80        | --prot: no such option of chasqui serve (did you mean --port?)",
                "serve --prot=80        | --prot: no such option of chasqui serve (did you mean --port?)",
                "serve -x               | -x: no such option of chasqui serve (chasqui serve --help lists all)",
                "serve now              | now: one argument too many (chasqui serve takes options only)",
                "model list -- all      | all: one argument too many (chasqui model list takes options only)",
                "completion tcsh        | SHELL: tcsh (expected: bash, zsh, fish)",
                "serve --port abc       | --port: abc (expected: a whole number)",
                "node --temperature hot | --temperature: hot (expected: a number)",
                "node --tensor-split a  | --tensor-split: a (expected: a number, or several with commas between)",
                "node --listen nowhere  | --listen: nowhere (expected: HOST:PORT)",
                "serve --log-level loud | --log-level: loud (expected: error, warn, info, debug, trace)",
                "chat -t -3 hi          | temperature: -3 (expected: 0 to 2)",
                "chat -t 2.5 hi         | temperature: 2.5 (expected: 0 to 2)",
                "serve --temperature 99 | temperature: 99 (expected: 0 to 2)",
                "serve --models-path %s | models-path: %s (expected: a folder; %s is a file)",
                "chat --models-path %s  | models-path: %s (expected: a folder; %s is a file)",
                "chat --max-tokens 0 hi | max-tokens: 0 (expected: 1 or more, or -1 for as many as fit)",
            })
    void whatCannotBeIsOneSentenceAndExitCode2(String arguments, String sentence) throws IOException {
        String file = Files.createFile(folder.resolve("file")).toString();
        assertThat(run(Map.of(), arguments.replace("%s", file).split(" "))).isEqualTo(2);
        assertThat(err.toString().lines().findFirst()).hasValue("chasqui: " + sentence.replace("%s", file));
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void aValueThatAVariableSaysIsToldByTheVariablesName() {
        assertThat(run(Map.of("CHASQUI_PORT", "abc"), "serve")).isEqualTo(2);
        assertThat(run(Map.of("API_PORT", "def"), "serve")).isEqualTo(2);
        assertThat(run(Map.of("TEMPERATURE", "99"), "serve")).isEqualTo(2);
        assertThat(run(Map.of("CHASQUI_PORT", "80"), "serve", "--port", "abc")).isEqualTo(2);

        assertThat(err.toString().lines())
                .contains(
                        "chasqui: CHASQUI_PORT: abc (expected: a whole number)",
                        "chasqui: API_PORT: def (expected: a whole number)",
                        "chasqui: --port: abc (expected: a whole number)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "serve", "chat", "model", "model pull", "session login", "key create", "help"})
    void helpSaysTheSameBeforeAndBehindACommand(String command) {
        assertThat(run(Map.of(), ("help " + command).strip().split(" "))).isZero();
        String before = out.toString();
        out.getBuffer().setLength(0);
        assertThat(run(Map.of(), (command + " --help").strip().split(" "))).isZero();

        assertThat(before).startsWith("Usage: chasqui").isEqualTo(out.toString());
        assertThat(err.toString()).isEmpty();
    }

    private int run(Map<String, String> environment, String... arguments) {
        Map<String, String> own = new HashMap<>(environment);
        own.put("CHASQUI_HOME", folder.toString());
        return Main.run(List.of(arguments), own, new PrintWriter(out, true), new PrintWriter(err, true));
    }
}
