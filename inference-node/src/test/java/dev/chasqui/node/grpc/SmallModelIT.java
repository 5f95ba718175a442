package dev.chasqui.node.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.node.model.ModelSettings;
import dev.chasqui.node.store.Catalogue;
import dev.chasqui.node.store.ModelReference;
import dev.chasqui.node.store.ModelStore;
import dev.chasqui.node.store.StoreSettings;
import dev.chasqui.proto.v1.ChatMessage;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.EmbedInput;
import dev.chasqui.proto.v1.EmbedRequest;
import dev.chasqui.proto.v1.EmbedResponse;
import dev.chasqui.proto.v1.FinishReason;
import dev.chasqui.proto.v1.Limits;
import dev.chasqui.proto.v1.OutputFormat;
import dev.chasqui.proto.v1.Tool;
import dev.chasqui.proto.v1.ToolCall;
import dev.chasqui.proto.v1.ToolCallDelta;
import dev.chasqui.proto.v1.ToolChoice;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Tools, forms and embeddings with a real small model, whose own template knows no tools. The model comes from the catalogue's
 * own sources; without it these tests fail.
 */
@Timeout(900)
final class SmallModelIT {
    private static final String MODEL = "smollm2-135m-instruct";
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Tool WEATHER = Tool.newBuilder()
            .setName("get_weather")
            .setDescription("Tells the weather in a city")
            .setParametersSchema("""
                    {"type": "object", "properties": {"city": {"type": "string", "maxLength": 40}}, "required": ["city"]}""")
            .build();

    private static TestNode node;

    @BeforeAll
    static void start() throws IOException {
        Path folder = Path.of(Objects.requireNonNull(
                        System.getProperty("chasqui.test.home"), "system property chasqui.test.home is not set"))
                .resolve("models");
        try (ModelStore store = new ModelStore(folder, Catalogue.builtIn(), StoreSettings.DEFAULTS)) {
            store.pull(ModelReference.parse(MODEL), false, progress -> {})
                    .future()
                    .join();
        }
        node = TestNode.over(
                folder, new ModelSettings(MODEL, 2, 1024, 0, 16, 2, 0, 1L << 30, true, List.of(), null, 1L << 40));
    }

    @AfterAll
    static void stop() {
        if (node != null) {
            node.close();
        }
    }

    private static ChatRequest.Builder asking(String question) {
        return TestNode.chatOf(question).setLimits(Limits.newBuilder().setMaxTokens(120));
    }

    @Test
    void aRequiredToolIsCalledWithWhatWasAsked() throws Exception {
        Answer answer = node.chat(asking("What is the weather in Paris?")
                .addTools(WEATHER)
                .setToolChoice(ToolChoice.newBuilder()
                        .setMode(ToolChoice.Mode.MODE_REQUIRED)
                        .setName("get_weather"))
                .setParallelToolCalls(false)
                .build());

        assertThat(answer.finished(0).getReason()).isEqualTo(FinishReason.FINISH_REASON_TOOL_CALLS);
        List<ToolCallDelta> pieces = answer.deltas().stream()
                .flatMap(delta -> delta.getToolCallsList().stream())
                .toList();
        assertThat(pieces.get(0).getName()).isEqualTo("get_weather");
        assertThat(pieces).hasSizeGreaterThan(3);
        StringBuilder arguments = new StringBuilder();
        pieces.forEach(piece -> arguments.append(piece.getArguments()));
        assertThat(JSON.readTree(arguments.toString()).get("city").asString()).contains("Paris");
    }

    @Test
    void aToolsResultIsRead() throws Exception {
        ChatRequest.Builder request = asking("What is the weather in Paris?")
                .addTools(WEATHER)
                .addMessages(ChatMessage.newBuilder()
                        .setRole("assistant")
                        .addToolCalls(ToolCall.newBuilder()
                                .setId("c1")
                                .setName("get_weather")
                                .setArguments("{\"city\": \"Paris\"}")))
                .addMessages(TestNode.message("tool", "{\"sky\": \"rainy\"}").toBuilder()
                        .setToolCallId("c1"))
                .setToolChoice(ToolChoice.newBuilder().setMode(ToolChoice.Mode.MODE_NONE));
        assertThat(node.chat(request.build()).text()).containsIgnoringCase("rain");
    }

    @Test
    void aFormIsFilledIn() throws Exception {
        Answer answer = node.chat(asking("Tell about the city of Paris in JSON.")
                .setOutputFormat(OutputFormat.newBuilder().setJsonSchema("""
                        {"type": "object", "properties": {"name": {"type": "string", "maxLength": 20}, "country":
                        {"enum": ["France", "Peru"]}, "people": {"type": "integer", "minimum": 1, "maximum": 99000000}},
                        "required": ["name", "country", "people"], "additionalProperties": false}"""))
                .build());
        assertThat(answer.finished(0).getReason()).isEqualTo(FinishReason.FINISH_REASON_STOP);
        JsonNode city = JSON.readTree(answer.text());
        assertThat(city.get("name").asString()).contains("Paris");
        assertThat(city.get("country").asString()).isEqualTo("France");
        assertThat(city.get("people").asLong()).isBetween(1L, 99_000_000L);
    }

    @Test
    void textsThatMeanTheLikeLieNearEachOther() throws Exception {
        EmbedRequest.Builder request = EmbedRequest.newBuilder();
        for (String text : List.of(
                "The cat sleeps on the sofa.",
                "A kitten is napping on the couch.",
                "The parliament passed a new tax law.")) {
            request.addInputs(EmbedInput.newBuilder().setText(text));
        }
        Answer chat = node.start(asking("Say hello.").build());
        EmbedResponse response = node.inference().embed(request.build());
        assertThat(chat.await().text()).isNotBlank();
        assertThat(response.getEmbeddings(0).getValuesCount()).isEqualTo(576);
        assertThat(cosine(response, 0, 1)).isGreaterThan(cosine(response, 0, 2)).isGreaterThan(cosine(response, 1, 2));
    }

    private static double cosine(EmbedResponse response, int a, int b) {
        double product = 0;
        for (int i = 0; i < response.getEmbeddings(a).getValuesCount(); i++) {
            product += response.getEmbeddings(a).getValues(i)
                    * response.getEmbeddings(b).getValues(i);
        }
        return product;
    }
}
