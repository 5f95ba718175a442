package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** From the launcher's start to the first answer. */
class StartIT {

    private static final String CHAT = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"max_tokens\":4}";

    @Test
    void answersAtOnceAndSaysHowFarItIs(@TempDir Path home) throws IOException {
        long began = System.nanoTime();
        try (Server server = Server.start(home)) {
            Launched.await(
                    "a first answer",
                    Duration.ofSeconds(30),
                    () -> server.status().isPresent());
            Duration answered = Duration.ofNanos(System.nanoTime() - began);
            System.out.printf("first health answer after %d ms%n", answered.toMillis());
            assertThat(answered).isLessThan(Duration.ofSeconds(20));

            HttpResponse<String> early = server.post("/v1/chat/completions", CHAT);
            assertThat(early.statusCode()).isEqualTo(503);
            assertThat(early.headers().firstValue("Retry-After")).isPresent();
            assertThat(server.get("/readyz").statusCode()).isEqualTo(503);
            assertThat(server.get("/").statusCode()).isEqualTo(200);

            Set<String> seen = new LinkedHashSet<>();
            Launched.await("ready or failed", Duration.ofMinutes(5), () -> {
                seen.add(server.status().orElse("none"));
                return seen.contains("ready")
                        || seen.contains("failed")
                        || !server.launched().isAlive();
            });
            if (!seen.contains("ready")) {
                RealModel.explainMissing(home, server.launched().output());
            }
            assertThat(seen).contains("downloading");
            assertThat(server.chat(CHAT).path("choices")).hasSize(1);
        }
    }

    @Test
    void isReadySoonWithTheModelOnDisk() {
        Server.ready(RealModel.HOME).close();
        long began = System.nanoTime();
        try (Server server = Server.ready(RealModel.HOME)) {
            Duration ready = Duration.ofNanos(System.nanoTime() - began);
            System.out.printf("ready after %d ms%n", ready.toMillis());
            assertThat(ready).isLessThan(Duration.ofSeconds(40));
            assertThat(server.launched().output()).contains(server.base().toString());
        }
    }

    @Test
    void listensOnLoopbackOnly() throws IOException {
        try (Server server = Server.ready(RealModel.HOME)) {
            List<String> listening = ListeningSockets.of(server.launched().pid());
            server.launched().children().forEach(child -> listening.addAll(ListeningSockets.of(child.pid())));

            assertThat(listening).isNotEmpty().allMatch(ListeningSockets::isLoopback);
        }
    }

    @Test
    void saysWhatIsWrongInOneSentence(@TempDir Path home) throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Launched second =
                        Launched.start(home, Map.of(), List.of("serve", "--port", "" + taken.getLocalPort()))) {
            assertThat(second.exitCode(Duration.ofSeconds(20))).isEqualTo(2);
            assertThat(second.output().strip().lines())
                    .singleElement()
                    .asString()
                    .contains("port " + taken.getLocalPort())
                    .contains("--port");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "../no/such.gguf, model: ../no/such.gguf (expected: a file that is there",
        "smollm2-135m-instrct, neither on disk nor in the catalogue; did you mean smollm2-135m-instruct?"
    })
    void refusesAModelThatIsNotThere(String model, String sentence, @TempDir Path home) {
        try (Launched wrong = Launched.start(home, Map.of(), List.of("serve", "--port", "0", "--model", model))) {
            assertThat(wrong.exitCode(Duration.ofSeconds(20))).isEqualTo(2);
            assertThat(wrong.output()).contains(sentence);
        }
    }

    @Test
    void takesAModelByAPathFromHere(@TempDir Path home) throws IOException {
        Server.ready(RealModel.HOME).close();
        Path here = Path.of("").toAbsolutePath();
        Path file = here.relativize(RealModel.file());
        assertThat(file).startsWith(Path.of(".."));
        try (Server server = Server.ready(home, "--model", file.toString())) {
            assertThat(server.chat(CHAT).path("choices")).hasSize(1);
        }
    }

    @Test
    void refusesToBeOpenToOthersWithoutAKey(@TempDir Path home) {
        try (Launched open = Launched.start(home, Map.of(), List.of("serve", "--host", "0.0.0.0", "--port", "0"))) {
            assertThat(open.exitCode(Duration.ofSeconds(20))).isEqualTo(2);
            assertThat(open.output()).contains("--api-key");
        }
    }
}
