package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.core.JsonValue;
import com.anthropic.helpers.MessageAccumulator;
import com.anthropic.models.messages.Message;
import com.anthropic.models.messages.MessageCreateParams;
import com.anthropic.models.messages.RawMessageStreamEvent;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.completions.Completion;
import com.openai.models.completions.CompletionCreateParams;
import com.openai.models.embeddings.EmbeddingCreateParams;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** OpenAI's own clients for Java, JavaScript and Python and Anthropic's for Java and JavaScript, against a real server. */
@ExtendWith(SharedServer.class)
class OfficialClientsIT {

    private static final Path CLIENTS = Launched.ROOT.resolve("cli/src/test/clients");
    private static final Path WORK = Launched.ROOT.resolve("cli/target/clients");

    private final Server server;

    OfficialClientsIT(Server server) {
        this.server = server;
    }

    @Test
    void javaClientChats() {
        OpenAIClient client = OpenAIOkHttpClient.builder()
                .baseUrl(server.base() + "/v1")
                .apiKey("none")
                .maxRetries(0)
                .build();
        try {
            ChatCompletion whole = client.chat().completions().create(question().build());
            List<ChatCompletionChunk> chunks = chunks(client);

            assertThat(whole.choices().get(0).message().content().orElseThrow()).isNotBlank();
            assertThat(whole.usage().orElseThrow().completionTokens()).isBetween(1L, 16L);
            assertThat(chunks.stream()
                            .flatMap(chunk -> chunk.choices().stream())
                            .map(choice -> choice.delta().content().orElse(""))
                            .collect(Collectors.joining()))
                    .isEqualTo(whole.choices().get(0).message().content().orElseThrow());
            assertThat(chunks.get(chunks.size() - 1).usage().orElseThrow().completionTokens())
                    .isEqualTo(whole.usage().orElseThrow().completionTokens());
            assertThat(client.models().list().autoPager().stream().map(model -> model.id()))
                    .contains(RealModel.NAME);
            assertThatThrownBy(() -> client.chat()
                            .completions()
                            .create(question().temperature(9.0).build()))
                    .isInstanceOfSatisfying(
                            BadRequestException.class,
                            refused -> assertThat(refused.param()).hasValue("temperature"));
        } finally {
            client.close();
        }
    }

    private static List<ChatCompletionChunk> chunks(OpenAIClient client) {
        ChatCompletionCreateParams params = question()
                .streamOptions(
                        ChatCompletionStreamOptions.builder().includeUsage(true).build())
                .build();
        try (StreamResponse<ChatCompletionChunk> stream =
                client.chat().completions().createStreaming(params)) {
            return stream.stream().toList();
        }
    }

    private static ChatCompletionCreateParams.Builder question() {
        return ChatCompletionCreateParams.builder()
                .model(RealModel.NAME)
                .addUserMessage("Say hello.")
                .maxCompletionTokens(16)
                .temperature(0.0)
                .seed(1);
    }

    @Test
    void javaClientCompletesEmbedsAndResponds() {
        OpenAIClient client = OpenAIOkHttpClient.builder()
                .baseUrl(server.base() + "/v1")
                .apiKey("none")
                .maxRetries(0)
                .build();
        try {
            Completion completion = client.completions()
                    .create(CompletionCreateParams.builder()
                            .model(RealModel.NAME)
                            .prompt("One, two, three,")
                            .maxTokens(8)
                            .temperature(0.0)
                            .build());
            List<Float> vector = client.embeddings()
                    .create(EmbeddingCreateParams.builder()
                            .model(RealModel.NAME)
                            .input("Hello")
                            .build())
                    .data()
                    .get(0)
                    .embedding();
            Response first =
                    client.responses().create(response().input("Say hello.").build());
            Response second = client.responses()
                    .create(response()
                            .input("Say it again.")
                            .previousResponseId(first.id())
                            .build());

            completion.validate();
            assertThat(completion.choices().get(0).text()).contains("four");
            assertThat(Math.sqrt(vector.stream().mapToDouble(v -> v * v).sum())).isBetween(0.99, 1.01);
            first.validate();
            assertThat(first.output()
                            .get(0)
                            .asMessage()
                            .content()
                            .get(0)
                            .asOutputText()
                            .text())
                    .isNotBlank();
            assertThat(second.usage().orElseThrow().inputTokens())
                    .isGreaterThan(first.usage().orElseThrow().inputTokens());
        } finally {
            client.close();
        }
    }

    private static ResponseCreateParams.Builder response() {
        return ResponseCreateParams.builder()
                .model(RealModel.NAME)
                .maxOutputTokens(16)
                .temperature(0.0);
    }

    @Test
    void anthropicsJavaClientChats() {
        AnthropicClient client = AnthropicOkHttpClient.builder()
                .baseUrl(server.base().toString())
                .apiKey("none")
                .maxRetries(0)
                .build();
        try {
            MessageCreateParams params = MessageCreateParams.builder()
                    .model("claude-sonnet-4-5")
                    .maxTokens(16)
                    .putAdditionalBodyProperty("temperature", JsonValue.from(0))
                    .addUserMessage("Say hello.")
                    .build();
            Message whole = client.messages().create(params);
            MessageAccumulator streamed = MessageAccumulator.create();
            try (com.anthropic.core.http.StreamResponse<RawMessageStreamEvent> stream =
                    client.messages().createStreaming(params)) {
                stream.stream().forEach(streamed::accumulate);
            }

            whole.validate();
            assertThat(whole.content().get(0).asText().text())
                    .isNotBlank()
                    .isEqualTo(streamed.message().content().get(0).asText().text());
            assertThat(whole.usage().outputTokens())
                    .isBetween(1L, 16L)
                    .isEqualTo(streamed.message().usage().outputTokens());
        } finally {
            client.close();
        }
    }

    @Test
    void javaScriptClientChats() throws Exception {
        check(run(nodeFolder(), "node", "check.mjs", server.base() + "/v1", RealModel.NAME));
    }

    @Test
    void anthropicsJavaScriptClientChats() throws Exception {
        JsonNode seen =
                last(run(nodeFolder(), "node", "anthropic.mjs", server.base().toString()));

        assertThat(seen.path("text").asString())
                .isNotBlank()
                .isEqualTo(seen.path("streamed").asString())
                .isEqualTo(seen.path("final").asString());
        assertThat(seen.path("stop").asString()).isIn("end_turn", "max_tokens");
        assertThat(seen.path("output_tokens").asInt())
                .isBetween(1, 16)
                .isEqualTo(seen.path("streamed_tokens").asInt());
        assertThat(seen.path("counted").asInt())
                .isPositive()
                .isEqualTo(seen.path("input_tokens").asInt());
        assertThat(seen.path("failure").path("type").asString()).isEqualTo("BadRequestError");
        assertThat(seen.path("failure").path("message").asString()).contains("temperature: 9 (expected: 0 to 2)");
    }

    /** With both clients in it, as the lock file names them. */
    private static Path nodeFolder() throws IOException, InterruptedException {
        Path folder = Files.createDirectories(WORK.resolve("node"));
        for (String file : List.of("package.json", "package-lock.json", "check.mjs", "anthropic.mjs")) {
            Files.write(
                    folder.resolve(file),
                    Files.readAllBytes(CLIENTS.resolve("node").resolve(file)));
        }
        run(folder, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts");
        return folder;
    }

    @Test
    void pythonClientChats() throws Exception {
        Path folder = Files.createDirectories(WORK.resolve("python"));
        Path script = CLIENTS.resolve("python/check.py");
        if (!Files.exists(folder.resolve("venv/bin/openai"))) {
            run(folder, "python3", "-m", "venv", "venv");
            run(
                    folder,
                    "venv/bin/python",
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "-r",
                    CLIENTS.resolve("python/requirements.txt").toString());
        }

        check(run(folder, "venv/bin/python", script.toString(), server.base() + "/v1", RealModel.NAME));
    }

    private static void check(String printed) {
        JsonNode seen = last(printed);

        assertThat(seen.path("text").asString())
                .isNotBlank()
                .isEqualTo(seen.path("streamed").asString());
        assertThat(seen.path("finish").asString()).isIn("stop", "length");
        assertThat(seen.path("completion_tokens").asInt())
                .isBetween(1, 16)
                .isEqualTo(seen.path("streamed_tokens").asInt());
        assertThat(seen.path("models").toString()).contains(RealModel.NAME);
        assertThat(seen.path("failure").path("type").asString()).isEqualTo("BadRequestError");
        assertThat(seen.path("failure").path("param").asString()).isEqualTo("temperature");
    }

    private static JsonNode last(String printed) {
        return new JsonMapper()
                .readTree(printed.strip().lines().reduce((first, last) -> last).orElseThrow());
    }

    private static String run(Path folder, String... command) throws IOException, InterruptedException {
        return Program.run(folder, Map.of(), Duration.ofMinutes(3), command);
    }
}
