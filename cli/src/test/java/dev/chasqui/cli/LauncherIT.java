package dev.chasqui.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.StandardCopyOption.COPY_ATTRIBUTES;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The shell script in front of the program. */
class LauncherIT {
    /** Of one that was made; where none could be an empty file stands for it. */
    private static final long LEAST_ARCHIVE = 10_000_000;

    @TempDir
    private Path folder;

    private ProcessBuilder builder;

    @BeforeEach
    void prepare() {
        builder = new ProcessBuilder().redirectErrorStream(true).directory(folder.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("CHASQUI_"));
        builder.environment()
                .putAll(Map.of(
                        "CHASQUI_HOME", folder.resolve("a home").toString(),
                        "CHASQUI_BUILD", "never",
                        "JAVA_HOME", System.getProperty("java.home")));
    }

    @Test
    void runsFromAnywhereThroughALink() throws Exception {
        Path first = Files.createSymbolicLink(folder.resolve("first"), Launched.ROOT.resolve("chasqui"));
        Path second = Files.createSymbolicLink(folder.resolve("second"), first.getFileName());

        assertThat(run(0, second.toString(), "--version")).contains("chasqui 0.");
    }

    @Test
    void keepsTheClassesOfBothProcessesForLaterStartsWhateverIsSet() throws Exception {
        Path target = Files.createDirectories(folder.resolve("a program/cli/target"));
        Path program =
                Files.copy(Launched.ROOT.resolve("chasqui"), folder.resolve("a program/chasqui"), COPY_ATTRIBUTES);
        for (String built : new String[] {"chasqui-cli.jar", "lib"}) {
            Files.createSymbolicLink(target.resolve(built), Launched.ROOT.resolve("cli/target/" + built));
        }
        builder.environment().put("CHASQUI_API_KEY", "nobody-has-it");

        assertThat(run(0, program.toString(), "--version")).contains("chasqui 0.");

        try (Stream<Path> archives = Files.list(target)) {
            assertThat(archives.filter(file -> file.toString().endsWith(".jsa")))
                    .hasSize(2)
                    .allMatch(archive -> archive.toFile().length() > LEAST_ARCHIVE);
        }
    }

    @Test
    void namesAWrongJavaHome() throws Exception {
        builder.environment().put("JAVA_HOME", folder.toString());

        assertThat(run(1, launcher(), "--version").strip().lines())
                .singleElement()
                .asString()
                .contains("JAVA_HOME", "JDK 17");
    }

    @Test
    void namesAMissingJava() throws Exception {
        builder.environment().remove("JAVA_HOME");
        builder.environment().put("PATH", toolsWithoutJava().toString());

        assertThat(run(1, "/bin/sh", launcher(), "--version").strip().lines())
                .singleElement()
                .asString()
                .contains("java is missing", "Install a JDK 17");
    }

    @Test
    void refusesAnOldJava() throws Exception {
        Path java = Files.createDirectories(folder.resolve("old/bin")).resolve("java");
        Files.writeString(java, "#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n");
        Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
        builder.environment().put("JAVA_HOME", folder.resolve("old").toString());

        assertThat(run(1, launcher(), "--version")).contains("Java 11", "too old");
    }

    @Test
    void anUnknownOptionIsAUsageError() throws Exception {
        assertThat(run(2, launcher(), "serve", "--prot", "1")).contains("--prot", "--help");
    }

    @Test
    void aBadValueIsAUsageError() throws Exception {
        assertThat(run(2, launcher(), "serve", "--parallel", "0")).contains("parallel: 0 (expected: 1 to 256)");
    }

    @Test
    void aShellThatGivesTooFewAddressesIsToldSo() throws Exception {
        String limited = "ulimit -v 2500000; exec " + launcher() + " chat Hello";

        assertThat(run(1, "/bin/sh", "-c", limited).strip().lines())
                .singleElement()
                .asString()
                .contains("ulimit -v is 2500000 KB", "expected: 3500000 or more");
    }

    @Test
    void printsTheDescriptionWithoutAServer() throws Exception {
        JsonNode description = new JsonMapper().readTree(run(0, launcher(), "spec"));

        assertThat(description.path("openapi").asString()).startsWith("3.");
        assertThat(description.path("paths").has("/v1/chat/completions")).isTrue();
    }

    private Path toolsWithoutJava() throws IOException {
        Path tools = Files.createDirectories(folder.resolve("tools"));
        for (String tool : new String[] {"dirname", "readlink", "sed", "find", "head", "mkdir"}) {
            Path real = Path.of("/usr/bin", tool);
            Files.createSymbolicLink(tools.resolve(tool), Files.exists(real) ? real : Path.of("/bin", tool));
        }
        return tools;
    }

    private static String launcher() {
        return Launched.ROOT.resolve("chasqui").toString();
    }

    private String run(int expectedExit, String... command) throws Exception {
        Process process = builder.command(command).start();
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
        assertThat(process.exitValue()).as(output).isEqualTo(expectedExit);
        return output;
    }
}
