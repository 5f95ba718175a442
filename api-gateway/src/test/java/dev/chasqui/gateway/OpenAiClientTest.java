package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.InternalServerException;
import com.openai.errors.NotFoundException;
import com.openai.errors.RateLimitException;
import com.openai.errors.SseException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import dev.chasqui.proto.v1.Delta;
import dev.chasqui.proto.v1.ErrorReason;
import dev.chasqui.proto.v1.FinishReason;
import dev.chasqui.proto.v1.ToolCallDelta;
import io.grpc.Status;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** OpenAI's own client for Java is the judge. */
class OpenAiClientTest extends GatewayTest {
    private OpenAIClient client;

    @BeforeEach
    void makeClient() {
        client = OpenAIOkHttpClient.builder()
                .baseUrl(uri("/v1").toString())
                .apiKey("none-needed")
                .maxRetries(0)
                .build();
    }

    @AfterEach
    void closeClient() {
        client.close();
    }

    @Test
    void oneAnswer() {
        ChatCompletion answer = client.chat().completions().create(params().build());

        answer.validate();
        assertThat(answer.id()).startsWith("chatcmpl-");
        assertThat(answer.model()).isEqualTo(ScriptedNode.MODEL);
        assertThat(answer.choices().get(0).message().content()).hasValue("Hello wörld!");
        assertThat(answer.choices().get(0).finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.STOP);
        assertThat(answer.usage().orElseThrow().totalTokens()).isEqualTo(10);
    }

    @Test
    void aStream() {
        ChatCompletionAccumulator whole = ChatCompletionAccumulator.create();
        ChatCompletionCreateParams params = params().streamOptions(
                        ChatCompletionStreamOptions.builder().includeUsage(true).build())
                .build();
        try (StreamResponse<ChatCompletionChunk> stream =
                client.chat().completions().createStreaming(params)) {
            stream.stream().forEach(chunk -> {
                chunk.validate();
                whole.accumulate(chunk);
            });
        }

        assertThat(whole.chatCompletion().choices().get(0).message().content()).hasValue("Hello wörld!");
        assertThat(whole.chatCompletion().usage().orElseThrow().promptTokens()).isEqualTo(7);
    }

    @Test
    void toolCallsInAStreamAndInOnePiece() {
        node.does((request, answer) -> {
            answer.admit(7);
            answer.delta(Delta.newBuilder()
                    .addToolCalls(ToolCallDelta.newBuilder().setId("call_1").setName("weather")));
            answer.delta(
                    Delta.newBuilder().addToolCalls(ToolCallDelta.newBuilder().setArguments("{\"city\":")));
            answer.delta(
                    Delta.newBuilder().addToolCalls(ToolCallDelta.newBuilder().setArguments("\"Cusco\"}")));
            answer.finish(0, FinishReason.FINISH_REASON_TOOL_CALLS, 3);
            answer.complete(7, 0, 3);
        });
        ChatCompletionAccumulator streamed = ChatCompletionAccumulator.create();
        try (StreamResponse<ChatCompletionChunk> stream =
                client.chat().completions().createStreaming(params().build())) {
            stream.stream().forEach(streamed::accumulate);
        }

        for (ChatCompletion answer : new ChatCompletion[] {
            streamed.chatCompletion(), client.chat().completions().create(params().build())
        }) {
            ChatCompletion.Choice choice = answer.choices().get(0);
            assertThat(choice.finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.TOOL_CALLS);
            var call = choice.message().toolCalls().orElseThrow().get(0).asFunction();
            assertThat(call.id()).isEqualTo("call_1");
            assertThat(call.function().name()).isEqualTo("weather");
            assertThat(call.function().arguments()).isEqualTo("{\"city\":\"Cusco\"}");
        }
    }

    @Test
    void errorsAreTheClientsOwn() {
        assertThatThrownBy(() -> client.chat()
                        .completions()
                        .create(params().temperature(3.0).build()))
                .isInstanceOf(BadRequestException.class)
                .hasMessageContaining("temperature: 3.0 (expected: 0 to 2)");

        node.does(ScriptedNode.failing(
                Status.Code.NOT_FOUND, ErrorReason.ERROR_REASON_MODEL_NOT_FOUND, "None.", "model", 0));
        assertThatThrownBy(() -> client.chat().completions().create(params().build()))
                .isInstanceOf(NotFoundException.class);

        node.does(ScriptedNode.failing(
                Status.Code.RESOURCE_EXHAUSTED, ErrorReason.ERROR_REASON_QUEUE_FULL, "Full.", null, 1000));
        assertThatThrownBy(() -> client.chat().completions().create(params().build()))
                .isInstanceOf(RateLimitException.class);

        node.does(ScriptedNode.failing(
                Status.Code.UNAVAILABLE, ErrorReason.ERROR_REASON_MODEL_NOT_READY, "Wait.", null, 1000));
        assertThatThrownBy(() -> client.chat()
                        .completions()
                        .createStreaming(params().build())
                        .close())
                .isInstanceOf(InternalServerException.class);
    }

    @Test
    void anErrorInTheMiddleIsAnErrorOfTheStream() {
        node.does((request, answer) -> {
            answer.admit(1);
            answer.say(0, "a");
            answer.fail(ScriptedNode.error(Status.Code.INTERNAL, ErrorReason.ERROR_REASON_INTERNAL, "broken", null, 0));
        });

        try (StreamResponse<ChatCompletionChunk> stream =
                client.chat().completions().createStreaming(params().build())) {
            assertThatThrownBy(() -> stream.stream().forEach(chunk -> {})).isInstanceOf(SseException.class);
        }
    }

    @Test
    void models() {
        assertThat(client.models().list().data())
                .extracting(model -> model.id())
                .containsExactly(ScriptedNode.MODEL);
        assertThat(client.models().retrieve(ScriptedNode.MODEL).ownedBy()).isEqualTo("chasqui");
    }

    private static ChatCompletionCreateParams.Builder params() {
        return ChatCompletionCreateParams.builder().model("gpt-4o-mini").addUserMessage("Hi");
    }
}
