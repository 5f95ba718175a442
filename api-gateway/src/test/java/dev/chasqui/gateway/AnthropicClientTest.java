package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.core.JsonValue;
import com.anthropic.core.http.StreamResponse;
import com.anthropic.errors.BadRequestException;
import com.anthropic.errors.InternalServerException;
import com.anthropic.errors.NotFoundException;
import com.anthropic.errors.RateLimitException;
import com.anthropic.errors.SseException;
import com.anthropic.errors.UnauthorizedException;
import com.anthropic.helpers.MessageAccumulator;
import com.anthropic.models.messages.Message;
import com.anthropic.models.messages.MessageCountTokensParams;
import com.anthropic.models.messages.MessageCreateParams;
import com.anthropic.models.messages.RawMessageStreamEvent;
import com.anthropic.models.messages.StopReason;
import com.anthropic.models.models.ModelInfo;
import com.anthropic.models.models.ModelListParams;
import dev.chasqui.proto.v1.Delta;
import dev.chasqui.proto.v1.ErrorReason;
import dev.chasqui.proto.v1.FinishReason;
import dev.chasqui.proto.v1.Model;
import dev.chasqui.proto.v1.ModelState;
import dev.chasqui.proto.v1.ToolCallDelta;
import io.grpc.Status;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Anthropic's own client for Java is the judge. */
class AnthropicClientTest extends GatewayTest {
    private static final String KEY = "sk-ant-0123456789";
    private static final String HI = "{\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";
    private AnthropicClient client;

    @Override
    GatewaySettings settings() {
        return guarded(List.of(KEY), List.of(), List.of());
    }

    @BeforeEach
    void makeClient() {
        client = client(KEY);
    }

    private AnthropicClient client(String key) {
        return AnthropicOkHttpClient.builder()
                .baseUrl(uri("").toString())
                .apiKey(key)
                .maxRetries(0)
                .build();
    }

    @AfterEach
    void closeClient() {
        client.close();
    }

    @Test
    void oneMessage() {
        Message message = client.messages().create(params().build());

        message.validate();
        assertThat(message.id()).startsWith("msg_");
        assertThat(message.model().asString()).isEqualTo(ScriptedNode.MODEL);
        assertThat(message.content().get(0).asText().text()).isEqualTo("Hello wörld!");
        assertThat(message.stopReason()).hasValue(StopReason.END_TURN);
        assertThat(message.usage().inputTokens()).isEqualTo(4);
        assertThat(message.usage().cacheReadInputTokens()).hasValue(3L);
        assertThat(message.usage().outputTokens()).isEqualTo(3);
    }

    @Test
    void modelsAreListedInAnthropicsWords() throws Exception {
        node.knows(
                ScriptedNode.model(ModelState.MODEL_STATE_READY, 1),
                Model.newBuilder()
                        .setName("second")
                        .setState(ModelState.MODEL_STATE_ON_DISK)
                        .build(),
                Model.newBuilder()
                        .setName("absent")
                        .setState(ModelState.MODEL_STATE_ABSENT)
                        .build(),
                Model.newBuilder()
                        .setName("never came")
                        .setState(ModelState.MODEL_STATE_FAILED)
                        .build());

        List<ModelInfo> models = client
                .models()
                .list(ModelListParams.builder().limit(1).build())
                .autoPager()
                .stream()
                .toList();

        models.forEach(ModelInfo::validate);
        assertThat(models).extracting(ModelInfo::id).containsExactly(ScriptedNode.MODEL, "second");
        assertThat(client.models().retrieve("claude-sonnet-4-5").id()).isEqualTo(ScriptedNode.MODEL);
        assertThatThrownBy(() -> client.models().retrieve("none")).isInstanceOf(NotFoundException.class);
        JsonNode last = json(send(HttpRequest.newBuilder(uri("/v1/models?limit=1&before_id=second"))
                        .header("x-api-key", KEY)
                        .header("anthropic-version", "2023-06-01"))
                .body());
        assertThat(last.get("first_id").asString()).isEqualTo(ScriptedNode.MODEL);
        assertThat(last.get("has_more").asBoolean()).isFalse();
        assertThat(json(send(HttpRequest.newBuilder(uri("/v1/models"))
                                        .header("x-api-key", "wrong")
                                        .header("anthropic-version", "2023-06-01"))
                                .body())
                        .at("/error/type")
                        .asString())
                .isEqualTo("authentication_error");
    }

    @Test
    void aStream() {
        Message message = streamed();

        assertThat(message.content().get(0).asText().text()).isEqualTo("Hello wörld!");
        assertThat(message.stopReason()).hasValue(StopReason.END_TURN);
        assertThat(message.usage().outputTokens()).isEqualTo(3);
    }

    @Test
    void thoughtsAndToolsInAStreamAndInOnePiece() {
        node.does((request, answer) -> {
            answer.admit(7);
            answer.delta(Delta.newBuilder().setReasoning("hm"));
            answer.delta(Delta.newBuilder().setContent("Let me see."));
            answer.delta(Delta.newBuilder()
                    .addToolCalls(ToolCallDelta.newBuilder().setId("toolu_1").setName("weather")));
            answer.delta(
                    Delta.newBuilder().addToolCalls(ToolCallDelta.newBuilder().setArguments("{\"city\":")));
            answer.delta(
                    Delta.newBuilder().addToolCalls(ToolCallDelta.newBuilder().setArguments("\"Cusco\"}")));
            answer.finish(0, FinishReason.FINISH_REASON_TOOL_CALLS, 3);
            answer.complete(7, 0, 3);
        });

        for (Message message : List.of(streamed(), client.messages().create(params().build()))) {
            assertThat(message.stopReason()).hasValue(StopReason.TOOL_USE);
            assertThat(message.content().get(0).asThinking().thinking()).isEqualTo("hm");
            assertThat(message.content().get(1).asText().text()).isEqualTo("Let me see.");
            var call = message.content().get(2).asToolUse();
            assertThat(call.id()).isEqualTo("toolu_1");
            assertThat(call.name()).isEqualTo("weather");
            assertThat(call._input().toString()).contains("Cusco");
        }
    }

    private Message streamed() {
        MessageAccumulator whole = MessageAccumulator.create();
        try (StreamResponse<RawMessageStreamEvent> stream = client.messages().createStreaming(params().build())) {
            stream.stream().forEach(event -> {
                event.validate();
                whole.accumulate(event);
            });
        }
        return whole.message();
    }

    @Test
    void tokensAreCounted() {
        assertThat(client.messages()
                        .countTokens(MessageCountTokensParams.builder()
                                .model("claude-sonnet-4-5")
                                .addUserMessage("Hi")
                                .build())
                        .inputTokens())
                .isEqualTo(42);
    }

    @Test
    void errorsAreTheClientsOwn() {
        assertThatThrownBy(() -> client.messages()
                        .create(params().putAdditionalBodyProperty("temperature", JsonValue.from(3.0))
                                .build()))
                .isInstanceOf(BadRequestException.class)
                .hasMessageContaining("temperature: 3.0 (expected: 0 to 2)");

        AnthropicClient stranger = client("sk-ant-wrong-key");
        assertThatThrownBy(() -> stranger.messages().create(params().build()))
                .isInstanceOf(UnauthorizedException.class)
                .hasMessageContaining("authentication_error");
        stranger.close();

        fails(Status.Code.NOT_FOUND, ErrorReason.ERROR_REASON_MODEL_NOT_FOUND);
        assertThatThrownBy(() -> client.messages().create(params().build())).isInstanceOf(NotFoundException.class);

        fails(Status.Code.RESOURCE_EXHAUSTED, ErrorReason.ERROR_REASON_QUEUE_FULL);
        assertThatThrownBy(() -> client.messages().create(params().build())).isInstanceOf(RateLimitException.class);

        fails(Status.Code.UNAVAILABLE, ErrorReason.ERROR_REASON_MODEL_NOT_READY);
        assertThatThrownBy(() -> client.messages().create(params().build()))
                .isInstanceOf(InternalServerException.class)
                .hasMessageContaining("overloaded_error");
    }

    private void fails(Status.Code code, ErrorReason reason) {
        node.does(ScriptedNode.failing(code, reason, "So it is.", null, 1000));
    }

    @Test
    void anErrorInTheMiddleIsAnErrorOfTheStream() {
        node.does((request, answer) -> {
            answer.admit(1);
            answer.say(0, "a");
            answer.fail(ScriptedNode.error(Status.Code.INTERNAL, ErrorReason.ERROR_REASON_INTERNAL, "broken", null, 0));
        });

        try (StreamResponse<RawMessageStreamEvent> stream = client.messages().createStreaming(params().build())) {
            assertThatThrownBy(() -> stream.stream().forEach(event -> {})).isInstanceOf(SseException.class);
        }
    }

    @Test
    void anErrorSaysWhichRequestItWas() throws Exception {
        HttpResponse<String> response = send(messages("{\"messages\":[]}"));

        JsonNode error = json(response.body());
        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(error.get("type").asString()).isEqualTo("error");
        assertThat(error.at("/error/type").asString()).isEqualTo("invalid_request_error");
        assertThat(error.get("request_id").asString())
                .isEqualTo(response.headers().firstValue("request-id").orElseThrow())
                .isEqualTo(response.headers().firstValue("x-request-id").orElseThrow());
    }

    @Test
    void aHeaderAsksForAStreamToo() throws Exception {
        HttpResponse<String> response = send(messages(HI).header("x-stream", "true"));

        assertThat(response.headers().firstValue("content-type")).hasValue("text/event-stream; charset=utf-8");
        assertThat(response.body().lines().filter(line -> line.startsWith("event: ")))
                .containsExactly(
                        "event: message_start",
                        "event: content_block_start",
                        "event: content_block_delta",
                        "event: content_block_delta",
                        "event: content_block_delta",
                        "event: content_block_stop",
                        "event: message_delta",
                        "event: message_stop");
    }

    @Test
    void aBearerIsAsGoodAsAKey() throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri("/v1/messages"))
                .header("authorization", "Bearer " + KEY)
                .header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(HI));

        assertThat(send(request).statusCode()).isEqualTo(200);
    }

    private HttpRequest.Builder messages(String body) {
        return HttpRequest.newBuilder(uri("/v1/messages"))
                .header("x-api-key", KEY)
                .header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body));
    }

    private static MessageCreateParams.Builder params() {
        return MessageCreateParams.builder()
                .model("claude-sonnet-4-5")
                .maxTokens(100)
                .addUserMessage("Hi");
    }
}
