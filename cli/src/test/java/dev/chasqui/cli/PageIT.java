package dev.chasqui.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
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
            run("npm", "ci", "--no-audit", "--no-fund");
        }
        run("npm", "run", "e2e");
    }

    private void run(String... command) throws IOException, InterruptedException {
        Map<String, String> environment = Map.of("CHASQUI_URL", server.base().toString());
        Program.run(FOLDER, environment, Duration.ofMinutes(20), command);
    }
}
