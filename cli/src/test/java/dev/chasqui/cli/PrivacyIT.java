package dev.chasqui.cli;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Prompts and answers stay in memory: not in output, files, metrics or errors, and not after a crash. */
class PrivacyIT {

    private static final String MARKER = "zq7marker4kx";
    /** Of a chat that is stored, which only the database may hold. */
    private static final String STORED = "wv5stored8jy";

    @Test
    void leavesNoTraceOfAPrompt(@TempDir Path chats) throws Exception {
        // Not the usual place, as another test's server may be using that.
        String database = "file:" + chats.resolve("chasqui");
        try (Server server =
                Server.ready(RealModel.HOME, "--parallel", "2", "--log-level", "debug", "--database-url", database)) {
            server.chat(chat("\"max_tokens\":8"));
            server.stream(chat("\"max_tokens\":8,\"stream\":true"));
            assertThat(server.post(
                                    "/api/chat",
                                    "{\"message\":\"Remember the word " + STORED
                                            + ".\",\"stream\":false,\"max_tokens\":8}")
                            .statusCode())
                    .isEqualTo(200);
            List<HttpResponse<String>> refused = List.of(
                    server.post("/v1/chat/completions", chat("\"temperature\":9")),
                    server.post("/v1/chat/completions", chat("\"max_tokens\":8").replace("}]", "}")),
                    server.post(
                            "/v1/chat/completions",
                            "{\"messages\":[{\"role\":\"" + MARKER + "\",\"content\":\"x\"}]}"));
            assertThat(refused).allSatisfy(answer -> {
                assertThat(answer.statusCode()).isEqualTo(400);
                assertThat(answer.body().replace(MARKER + "\"", "")).doesNotContain("Remember the word " + MARKER);
            });
            assertThat(server.get("/metrics").body()).doesNotContain(MARKER).doesNotContain(STORED);

            crashWhileAnswering(server);
            server.launched().terminate();
            server.launched().exitCode(Duration.ofSeconds(20));

            assertThat(server.launched().output()).doesNotContain(MARKER).doesNotContain(STORED);
            assertThat(filesHolding(chats, STORED)).isNotEmpty();
            assertThat(filesHolding(chats, MARKER)).isEmpty();
            assertThat(filesHolding(server.home(), STORED)).isEmpty();
            assertThat(filesHolding(server.home(), MARKER)).isEmpty();
            assertThat(Launched.ROOT.toFile().list())
                    .noneMatch(name -> name.startsWith("hs_err") || name.startsWith("core"));
        }
    }

    private static void crashWhileAnswering(Server server) throws Exception {
        Thread client = new Thread(() -> {
            try {
                server.post("/v1/chat/completions", chat("\"max_tokens\":2000,\"ignore_eos\":true"));
            } catch (IOException expected) {
                // Its node dies under it.
            }
        });
        client.start();
        Thread.sleep(300);
        long node = server.node().pid();
        new ProcessBuilder("kill", "-SEGV", Long.toString(node))
                .inheritIO()
                .start()
                .waitFor();
        Launched.await(
                "the node crashed",
                Duration.ofSeconds(10),
                () -> ProcessHandle.of(node).isEmpty());
        client.join(30_000);
    }

    private static String chat(String settings) {
        return "{\"model\":\"" + RealModel.NAME + "\",\"messages\":[{\"role\":\"user\",\"content\":\"Remember the word "
                + MARKER + ".\"}]," + settings + "}";
    }

    private static List<Path> filesHolding(Path folder, String text) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile)
                    .filter(file -> holds(file, text))
                    .toList();
        }
    }

    private static boolean holds(Path file, String text) {
        byte[] buffer = new byte[1 << 20];
        String tail = "";
        try (InputStream in = Files.newInputStream(file)) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                String part = tail + new String(buffer, 0, n, ISO_8859_1);
                if (part.contains(new String(text.getBytes(UTF_8), ISO_8859_1))) {
                    return true;
                }
                tail = part.substring(Math.max(0, part.length() - text.length()));
            }
            return false;
        } catch (IOException gone) {
            return false;
        }
    }
}
