package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The commands for people, as whole processes with a real model. */
@ExtendWith(SharedServer.class)
class CommandsIT {

    private static final JsonMapper JSON = JsonMapper.builder().build();

    @TempDir
    Path folder;

    private final Server server;

    CommandsIT(Server server) {
        this.server = server;
    }

    @Test
    void aPipeIsAnsweredByARunningServerWithNothingButTheAnswer() throws Exception {
        Ran ran = run(
                server.home(),
                "The capital of France is",
                "chat",
                "--server",
                address(),
                "-t",
                "0",
                "--max-tokens",
                "24",
                "Go on:");

        assertThat(ran.code()).as(ran.err()).isZero();
        assertThat(ran.out()).isNotBlank();
        assertThat(ran.out()).endsWith("\n").doesNotContain("\u001b", "tokens/s");
        assertThat(ran.err()).isEmpty();
    }

    @Test
    void withoutAServerAChatRunsANodeOfItsOwnForAFile() throws Exception {
        Path file = folder.resolve("mine.gguf");
        Files.createLink(file, model());

        Ran ran = run(
                server.home(), "", "chat", "--model", file.toString(), "-t", "0", "--max-tokens", "8", "Say hello.");

        assertThat(ran.code()).as(ran.err()).isZero();
        assertThat(ran.out()).isNotBlank();
        assertThat(ran.err()).doesNotContain("ERROR", "WARN");
    }

    @Test
    void modelsAreListedShownLoadedAndUnloadedOverAServer() throws Exception {
        JsonNode all = json(run(server.home(), "", "model", "list", "--server", address(), "--json"));
        assertThat(all.findValuesAsString("name")).contains(RealModel.NAME, "phi-2");

        Ran unloaded = run(server.home(), "", "model", "unload", "--server", address(), RealModel.NAME);
        assertThat(unloaded.out()).isEqualTo(RealModel.NAME + " is out of memory\n");
        JsonNode shown = json(run(server.home(), "", "model", "show", "--server", address(), "--json", RealModel.NAME));
        assertThat(shown.path("state").asString()).isEqualTo("on_disk");
        assertThat(shown.path("heat").asString()).isIn("warm", "cold");

        JsonNode loaded = json(run(
                server.home(),
                "",
                "model",
                "load",
                "--server",
                address(),
                "--json",
                "--keep-alive",
                "1h",
                RealModel.NAME));
        assertThat(loaded.path("heat").asString()).isEqualTo("hot");
        assertThat(loaded.path("keep_alive").asDouble()).isEqualTo(3600);
        assertThat(server.status()).hasValue("ready");
    }

    @Test
    void modelsAreFetchedAndDeletedWithoutAServer() throws Exception {
        Path home = folder.resolve("home");
        Files.createDirectories(home);
        Path file = folder.resolve("small.gguf");
        Files.createLink(file, model());
        String models = home.resolve("models").toString();

        Ran nothing = run(home, "", "model", "list", "--models-path", models);
        assertThat(nothing.code()).isZero();
        assertThat(nothing.err()).isEqualTo("--models-path: " + models + " is not there yet\n");
        assertThat(home.resolve("models")).doesNotExist();
        Ran absent = run(home, "", "model", "show", "--models-path", models, "small");
        assertThat(absent.code()).isEqualTo(1);
        assertThat(absent.err()).contains("model small is neither on disk nor in the catalogue");
        Files.createDirectories(home.resolve("models"));
        Files.createLink(home.resolve("models/small.gguf"), file);
        assertThat(run(home, "", "model", "list", "--models-path", models).out())
                .contains("small", "98 MB", "Q4_1", "on disk");

        Ran deleted = run(home, "", "model", "rm", "--models-path", models, "small");
        assertThat(deleted.out()).isEqualTo("small is deleted\n");
        assertThat(home.resolve("models/small.gguf")).doesNotExist();
        assertThat(file).exists();

        Ran pulled = run(home, "", "model", "pull", "--models-path", models, file.toString());
        assertThat(pulled.out()).matches("small-[0-9a-f]{8} is here, 98 MB; its source gives no hash\n");
        assertThat(run(home, "", "model", "pull", "--models-path", models, file.toString())
                        .out())
                .matches("small-[0-9a-f]{8} was here already, 98 MB\n");
        assertThat(run(home, "", "model", "list", "--models-path", models).out())
                .containsPattern("small-[0-9a-f]{8} +98 MB");
    }

    @Test
    void aModelIsMadeFasterOnceAndIsTheSameModelStill() throws Exception {
        Path home = folder.resolve("faster");
        Files.createDirectories(home.resolve("models"));
        Files.createLink(home.resolve("models/small.gguf"), model());
        String models = home.resolve("models").toString();

        Ran made = run(home, "", "model", "optimize", "--force", "--models-path", models, "small");
        assertThat(made.code()).as(made.err()).isZero();
        assertThat(made.out()).startsWith("made a Q8_0 file of small in ").contains("instead of 98 MB");
        assertThat(run(home, "", "model", "optimize", "--models-path", models, "small")
                        .out())
                .isEqualTo("small has its faster file already\n");
        JsonNode planned = json(run(home, "", "doctor", "--json", "--models-path", models, "--model", "small"));
        assertThat(planned.at("/models/0/optimized").asBoolean()).isTrue();
        assertThat(planned.at("/models/0/weights_bytes").asLong()).isGreaterThan(120_000_000);

        Ran answer = run(
                home,
                "",
                "chat",
                "--models-path",
                models,
                "--model",
                home.resolve("models/small.gguf").toString(),
                "-t",
                "0",
                "--max-tokens",
                "8",
                "Say hello.");
        assertThat(answer.out()).as(answer.err()).isNotBlank();
    }

    @Test
    void aServerThatIsNotThereIsOneSentence() throws Exception {
        Ran ran = run(server.home(), "", "model", "list", "--server", "127.0.0.1:1");

        assertThat(ran.code()).isEqualTo(1);
        assertThat(ran.err())
                .isEqualTo("chasqui: no server answers at http://127.0.0.1:1 (start one with: chasqui serve)\n");
    }

    @Test
    void theDoctorSaysWhatTheModelWouldGet() throws Exception {
        JsonNode report = json(run(
                server.home(), "", "doctor", "--json", "--model", RealModel.NAME, "--ctx", "512", "--parallel", "2"));

        assertThat(report.at("/machine/physical_cores").asInt()).isPositive();
        assertThat(report.at("/libraries/cpu_library").asString()).startsWith("libggml-cpu");
        JsonNode model = report.at("/models/0");
        assertThat(model.path("name").asString()).isEqualTo(RealModel.NAME);
        assertThat(model.path("context_tokens").asInt()).isEqualTo(512);
        // 30 layers, 3 heads of 64 each for keys and values, in two bytes.
        assertThat(model.path("kv_bytes").asLong()).isEqualTo(2L * 512 * 30 * 3 * 64 * 2 * 2);
        assertThat(run(server.home(), "", "doctor", "--model", RealModel.NAME).out())
                .contains("processor", "cpu library", "KV cache", RealModel.NAME);
    }

    @Test
    void shellsCanReadTheirCompletion() throws Exception {
        Path script = folder.resolve("completion");
        String tried =
                "\ncomplete -p chasqui\nCOMP_WORDS=(chasqui help se) COMP_CWORD=2\n_complete_chasqui\necho \"${COMPREPLY[*]}\"\n";
        Files.writeString(script, run(server.home(), "", "completion", "bash").out() + tried);
        Process bash = new ProcessBuilder("bash", script.toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(bash.waitFor()).as(said).isZero();
        assertThat(said).contains("_complete_chasqui", "serve session");
        assertThat(run(server.home(), "", "completion", "fish").out())
                .contains(
                        "-a pull",
                        "-n '__fish_seen_subcommand_from help' -a 'backend bench",
                        "-n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'",
                        "-l models-memory -x",
                        "-l models-path -r -F",
                        "-l backend -x -a 'auto cpu cuda vulkan'");
        assertThat(run(server.home(), "", "completion", "zsh").out())
                .contains("bashcompinit", "(\"auto\" \"cpu\" \"cuda\" \"vulkan\")");
    }

    private String address() {
        return server.base().toString();
    }

    private Path model() {
        return server.home().resolve("models/SmolLM2-135M-Instruct.Q4_1.gguf");
    }

    private static JsonNode json(Ran ran) {
        assertThat(ran.code()).as(ran.err()).isZero();
        return JSON.readTree(ran.out());
    }

    @Test
    void whatTheNodeRefusesEndsTheServer() throws Exception {
        // Ports that nobody uses, and a folder of its own: no server is in its way.
        Ran ran = run(folder, "", "serve", "--port", "0", "--node-port", "0", "--models-path", "/dev/null/models");

        assertThat(ran.code()).as(ran.err()).isEqualTo(2);
        assertThat(ran.err()).contains("/dev/null/models");
    }

    private static Ran run(Path home, String input, String... arguments) throws IOException, InterruptedException {
        return Ran.chasqui(home, Map.of(), input, arguments);
    }
}
