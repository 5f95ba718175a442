package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.llama.TinyGguf;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/** LoRA adapters, priorities and timeouts of requests, over HTTP; with a model that says noise, and is quick. */
class AdaptersIT {
    private static final JsonMapper JSON = new JsonMapper();

    @TempDir
    static Path home;

    private static Server server;
    private static Path poet;

    @BeforeAll
    static void start() {
        Path model = TinyGguf.write(home);
        poet = TinyGguf.writeLora(home.resolve("poet.gguf"), 1);
        Path clerk = TinyGguf.writeLora(home.resolve("clerk.gguf"), 2);
        server = Server.ready(
                home, "--model", model.toString(), "--lora", "poet=" + poet, "--lora", "clerk=" + clerk + ":0.5");
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void aRequestChoosesItsAdapters() throws IOException {
        String plain = text("");
        String poem = text(",\"lora\":\"poet\"");

        assertThat(poem).isNotEqualTo(plain);
        assertThat(text(",\"lora\":[{\"id\":0,\"scale\":1.0}]")).isEqualTo(poem);
        assertThat(text(",\"lora\":[{\"id\":0,\"scale\":0}]")).isEqualTo(plain);
        assertThat(text(",\"lora\":[\"clerk\"]")).isNotEqualTo(plain).isNotEqualTo(poem);
        assertThat(text("")).isEqualTo(plain);
    }

    @Test
    void anUnknownAdapterIsNamed() throws IOException {
        HttpResponse<String> answer = complete(",\"lora\":\"bard\"");

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(JSON.readTree(answer.body()).at("/error/message").asString())
                .isEqualTo("lora: bard (expected: one of poet, clerk)");
        assertThat(JSON.readTree(answer.body()).at("/error/param").asString()).isEqualTo("lora");
    }

    @Test
    void theModelSaysWhichItHas() throws IOException {
        assertThat(JSON.readTree(server.get("/api/models/default").body())
                        .at("/data/lora")
                        .toString())
                .isEqualTo("[{\"name\":\"poet\",\"scale\":1.0},{\"name\":\"clerk\",\"scale\":0.5}]");
    }

    @Test
    void anAnswerThatIsTooLateEndsWith504() throws IOException {
        HttpResponse<String> late = complete(",\"timeout_ms\":1,\"max_tokens\":2000");

        assertThat(late.statusCode()).isEqualTo(504);
        assertThat(JSON.readTree(late.body()).at("/error/code").asString()).isEqualTo("timeout");
    }

    @Test
    void anUrgentRequestIsAnswered() throws IOException {
        assertThat(complete(",\"priority\":-100").statusCode()).isEqualTo(200);
        assertThat(complete(",\"priority\":-101").statusCode()).isEqualTo(400);
    }

    @Test
    void aFileThatIsNoAdapterIsSaidSo(@TempDir Path other) throws IOException {
        Path model = TinyGguf.write(other);
        try (Server wrong = Server.start(other, "--model", model.toString(), "--lora", "poet=" + model)) {
            Launched.await(
                    "a failure",
                    Duration.ofMinutes(2),
                    () -> wrong.status().orElse("").equals("failed"));

            assertThat(wrong.get("/api/models/default").body())
                    .contains("adapter poet: tiny.gguf: general.type: missing (expected: adapter)");
        }
    }

    @Test
    void refusesAnAdapterThatIsNotThere(@TempDir Path other) throws IOException {
        Path model = Files.createFile(other.resolve("m.gguf"));
        for (Map.Entry<String, String> wrong : Map.of(
                        "poet=no/such.gguf",
                        "(expected: a file that is there)",
                        "poet",
                        "lora: poet (expected: NAME=FILE or NAME=FILE:SCALE)",
                        "poet=" + poet + ":101",
                        "lora: scale 101.0 (expected: -100 to 100)")
                .entrySet()) {
            List<String> arguments =
                    List.of("serve", "--port", "0", "--model", model.toString(), "--lora", wrong.getKey());
            try (Launched launched = Launched.start(other, Map.of(), arguments)) {
                assertThat(launched.exitCode(Duration.ofSeconds(60))).isEqualTo(2);
                assertThat(launched.output()).contains(wrong.getValue());
            }
        }
    }

    private static String text(String more) throws IOException {
        HttpResponse<String> answer = complete(more);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return JSON.readTree(answer.body()).at("/choices/0/text").asString();
    }

    private static HttpResponse<String> complete(String more) throws IOException {
        String tokens = more.contains("max_tokens") ? "" : ",\"max_tokens\":24";
        return server.post(
                "/v1/completions",
                "{\"prompt\":\"Once upon a time\",\"temperature\":0,\"ignore_eos\":true" + tokens + more + "}");
    }
}
