package dev.chasqui.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.errors.BadRequestException;
import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.model.anthropic.AnthropicChatModel;
import dev.langchain4j.model.anthropic.AnthropicStreamingChatModel;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiEmbeddingModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.ai.chat.model.Generation;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.openai.OpenAiChatOptions;
import org.springframework.ai.openai.OpenAiEmbeddingOptions;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The frameworks that Java programs speak to models through: LangChain4j and Spring AI, against a real server. */
@ExtendWith(SharedServer.class)
class JavaFrameworksIT {

    private static final ToolSpecification WEATHER = ToolSpecification.builder()
            .name("weather")
            .description("Tells the weather of a city.")
            .parameters(JsonObjectSchema.builder()
                    .addEnumProperty("city", List.of("Lima", "Cusco"))
                    .required("city")
                    .build())
            .build();
    private static final String CITY_SCHEMA =
            "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\",\"enum\":[\"Lima\",\"Cusco\"]}},"
                    + "\"required\":[\"city\"],\"additionalProperties\":false}";

    private final Server server;

    JavaFrameworksIT(Server server) {
        this.server = server;
    }

    @Test
    void langChain4jSpeaksOpenAi() throws Exception {
        ChatModel model = OpenAiChatModel.builder()
                .baseUrl(server.base() + "/v1")
                .apiKey("none")
                .modelName(RealModel.NAME)
                .temperature(0.0)
                .maxTokens(60)
                .maxRetries(0)
                .build();
        StreamingChatModel streaming = OpenAiStreamingChatModel.builder()
                .baseUrl(server.base() + "/v1")
                .apiKey("none")
                .modelName(RealModel.NAME)
                .temperature(0.0)
                .maxTokens(60)
                .build();

        saysTheSame(model, streaming);
        callsAndIsAnswered(model);
        ChatResponse formed = model.chat(ChatRequest.builder()
                .messages(UserMessage.from("Where is Machu Picchu?"))
                .responseFormat(ResponseFormat.builder()
                        .type(ResponseFormatType.JSON)
                        .jsonSchema(JsonSchema.builder()
                                .name("city")
                                .rootElement(WEATHER.parameters())
                                .build())
                        .build())
                .build());
        assertThat(json(formed.aiMessage().text()).path("city").asString()).isIn("Lima", "Cusco");
    }

    @Test
    void langChain4jSpeaksAnthropic() throws Exception {
        ChatModel model = AnthropicChatModel.builder()
                .baseUrl(server.base() + "/v1")
                .apiKey("none")
                .modelName("claude-sonnet-4-5")
                .temperature(0.0)
                .maxTokens(60)
                .maxRetries(0)
                .build();
        StreamingChatModel streaming = AnthropicStreamingChatModel.builder()
                .baseUrl(server.base() + "/v1")
                .apiKey("none")
                .modelName("claude-sonnet-4-5")
                .temperature(0.0)
                .maxTokens(60)
                .build();

        saysTheSame(model, streaming);
        callsAndIsAnswered(model);
    }

    @Test
    void langChain4jEmbedsAndKnowsErrors() {
        OpenAiEmbeddingModel embeddings = OpenAiEmbeddingModel.builder()
                .baseUrl(server.base() + "/v1")
                .apiKey("none")
                .modelName(RealModel.NAME)
                .maxRetries(0)
                .build();
        float[] vector = embeddings.embed("Hello").content().vector();

        double length = 0;
        for (float number : vector) {
            length += number * number;
        }
        assertThat(length).isBetween(0.99, 1.01);
        assertThatThrownBy(() -> openAi(RealModel.NAME, 9.0).chat("Hi")).isInstanceOf(InvalidRequestException.class);
        assertThatThrownBy(() -> openAi("nobody", 0.0).chat("Hi")).isInstanceOf(ModelNotFoundException.class);
    }

    private ChatModel openAi(String name, double temperature) {
        return OpenAiChatModel.builder()
                .baseUrl(server.base() + "/v1")
                .apiKey("none")
                .modelName(name)
                .temperature(temperature)
                .maxRetries(0)
                .build();
    }

    private static void saysTheSame(ChatModel model, StreamingChatModel streaming) throws Exception {
        ChatRequest question = ChatRequest.builder()
                .messages(UserMessage.from("Say hello."))
                .maxOutputTokens(12)
                .build();
        model.chat(question); // From here on its prompt is kept, so that both answers go on from the very same cells.
        ChatResponse whole = model.chat(question);
        StringBuilder pieces = new StringBuilder();
        CompletableFuture<ChatResponse> end = new CompletableFuture<>();
        streaming.chat(question, new StreamingChatResponseHandler() {
            @Override
            public void onPartialResponse(String piece) {
                pieces.append(piece);
            }

            @Override
            public void onCompleteResponse(ChatResponse response) {
                end.complete(response);
            }

            @Override
            public void onError(Throwable error) {
                end.completeExceptionally(error);
            }
        });
        ChatResponse streamed = end.get(2, TimeUnit.MINUTES);

        assertThat(whole.aiMessage().text()).isNotBlank();
        assertThat(streamed.aiMessage().text())
                .isEqualTo(whole.aiMessage().text())
                .isEqualTo(pieces.toString());
        assertThat(streamed.tokenUsage().outputTokenCount())
                .isBetween(1, 12)
                .isEqualTo(whole.tokenUsage().outputTokenCount());
    }

    private static void callsAndIsAnswered(ChatModel model) {
        List<ChatMessage> question = List.of(UserMessage.from("What is the weather in Lima?"));
        AiMessage call = model.chat(ChatRequest.builder()
                        .messages(question)
                        .toolSpecifications(WEATHER)
                        .toolChoice(ToolChoice.REQUIRED)
                        .build())
                .aiMessage();

        assertThat(call.hasToolExecutionRequests()).isTrue();
        ToolExecutionRequest first = call.toolExecutionRequests().get(0);
        assertThat(first.name()).isEqualTo("weather");
        assertThat(json(first.arguments()).path("city").asString()).isIn("Lima", "Cusco");
        List<ToolExecutionResultMessage> results = call.toolExecutionRequests().stream()
                .map(request -> ToolExecutionResultMessage.from(request, "It rains."))
                .toList();
        List<ChatMessage> conversation = new ArrayList<>(question);
        conversation.add(call);
        conversation.addAll(results);
        assertThat(model.chat(ChatRequest.builder()
                                .messages(conversation)
                                .maxOutputTokens(8)
                                .build())
                        .aiMessage()
                        .text())
                .isNotNull();
    }

    @Test
    void springAiSpeaksOpenAi() {
        OpenAiChatOptions options = OpenAiChatOptions.builder()
                .baseUrl(server.base() + "/v1")
                .apiKey("none")
                .model(RealModel.NAME)
                .temperature(0.0)
                .maxTokens(24)
                .maxRetries(0)
                .build();
        org.springframework.ai.openai.OpenAiChatModel model = org.springframework.ai.openai.OpenAiChatModel.builder()
                .options(options)
                .build();

        springSaysTheSame(model);
        String formed = answer(
                model,
                new Prompt(
                        "Where is Machu Picchu?",
                        options.mutate().outputSchema(CITY_SCHEMA).build()));
        assertThat(json(formed).path("city").asString()).isIn("Lima", "Cusco");
        assertThatThrownBy(() -> model.call(
                        new Prompt("Hi", options.mutate().temperature(9.0).build())))
                .isInstanceOf(BadRequestException.class);
    }

    @Test
    void springAiEmbeds() {
        OpenAiEmbeddingOptions options = OpenAiEmbeddingOptions.builder()
                .baseUrl(server.base() + "/v1")
                .apiKey("none")
                .model(RealModel.NAME)
                .maxRetries(0)
                .build();
        float[] vector = new org.springframework.ai.openai.OpenAiEmbeddingModel(options).embed("Hello");

        assertThat(vector.length).isGreaterThan(100);
    }

    private static String answer(org.springframework.ai.chat.model.ChatModel model, Prompt prompt) {
        Generation answer = Objects.requireNonNull(model.call(prompt).getResult());
        return Objects.requireNonNull(answer.getOutput().getText());
    }

    private static void springSaysTheSame(org.springframework.ai.chat.model.ChatModel model) {
        Prompt question = new Prompt("Say hello.");
        model.call(question); // From here on its prompt is kept, so that both answers go on from the very same cells.
        String whole = answer(model, question);

        assertThat(whole).isNotBlank().isEqualTo(streamed(model, question));
    }

    private static String streamed(org.springframework.ai.chat.model.ChatModel model, Prompt question) {
        return model.stream(question)
                .toStream()
                .filter(piece -> piece.getResult() != null)
                .map(piece -> piece.getResult().getOutput().getText())
                .filter(text -> text != null)
                .collect(Collectors.joining());
    }

    private static JsonNode json(String text) {
        return new JsonMapper().readTree(text);
    }
}
