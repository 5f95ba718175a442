package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The page in a real browser, against a real model. */
@ExtendWith(SharedServer.class)
class PageIT {

    private static final Path FOLDER = Launched.ROOT.resolve("web-ui/test");

    private final Server server;

    PageIT(Server server) {
        this.server = server;
    }

    @Test
    void thePageChats() throws Exception {
        if (!Files.isDirectory(FOLDER.resolve("node_modules"))) {
            npm("ci", "--no-audit", "--no-fund");
        }
        npm("run", "e2e");
    }

    private void npm(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("npm"));
        command.addAll(List.of(arguments));
        Path said = Files.createTempFile("npm-", ".log");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(FOLDER.toFile())
                .redirectErrorStream(true)
                .redirectOutput(said.toFile());
        builder.environment().put("CHASQUI_URL", server.base().toString());
        Process npm = builder.start();
        try {
            assertThat(npm.waitFor(20, TimeUnit.MINUTES))
                    .as("%s ends%n%s", command, Files.readString(said))
                    .isTrue();
            assertThat(npm.exitValue())
                    .as("%s%n%s", command, Files.readString(said))
                    .isZero();
        } finally {
            npm.destroyForcibly();
            Files.delete(said);
        }
    }
}
