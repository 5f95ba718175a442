package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.models.messages.MessageCreateParams;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.errors.InternalServerException;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import dev.chasqui.proto.v1.ErrorReason;
import io.grpc.Status;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Official clients come again when they were told to, and not where that would not help. */
class ClientRetriesTest extends GatewayTest {
    private static final int RETRY_SECONDS = 2;

    /** When each request came to the node. */
    private final Queue<Long> times = new ConcurrentLinkedQueue<>();

    private void isFullAtFirst() {
        node.does((request, answer) -> {
            times.add(System.nanoTime());
            if (times.size() == 1) {
                answer.fail(ScriptedNode.error(
                        Status.Code.RESOURCE_EXHAUSTED,
                        ErrorReason.ERROR_REASON_QUEUE_FULL,
                        "Full.",
                        null,
                        1000 * RETRY_SECONDS));
            } else {
                ScriptedNode.saying("at last").answer(request, answer);
            }
        });
    }

    /** The clients' own guess would be half a second. */
    private void assertCameAgainInTime() {
        assertThat(times).hasSize(2);
        long between = -times.remove() + times.remove();
        assertThat(TimeUnit.NANOSECONDS.toMillis(between)).isGreaterThanOrEqualTo(1000 * RETRY_SECONDS - 50);
    }

    @Test
    void openAisClientWaitsAsLongAsItIsTold() {
        isFullAtFirst();
        OpenAIClient client = OpenAIOkHttpClient.builder()
                .baseUrl(uri("/v1").toString())
                .apiKey("none")
                .maxRetries(1)
                .build();
        try {
            assertThat(client.chat()
                            .completions()
                            .create(ChatCompletionCreateParams.builder()
                                    .model("gpt-4o")
                                    .addUserMessage("Hi")
                                    .build())
                            .choices()
                            .get(0)
                            .message()
                            .content())
                    .hasValue("at last");
        } finally {
            client.close();
        }
        assertCameAgainInTime();
    }

    @Test
    void anthropicsClientWaitsAsLongAsItIsTold() {
        isFullAtFirst();
        AnthropicClient client = AnthropicOkHttpClient.builder()
                .baseUrl(uri("").toString())
                .apiKey("none")
                .maxRetries(1)
                .build();
        try {
            assertThat(client.messages()
                            .create(MessageCreateParams.builder()
                                    .model("claude-sonnet-4-5")
                                    .maxTokens(9)
                                    .addUserMessage("Hi")
                                    .build())
                            .content()
                            .get(0)
                            .asText()
                            .text())
                    .isEqualTo("at last");
        } finally {
            client.close();
        }
        assertCameAgainInTime();
    }

    @Test
    void aDefectIsNotAskedForAgain() {
        node.does((request, answer) -> {
            times.add(System.nanoTime());
            answer.fail(Status.INTERNAL.asRuntimeException());
        });
        OpenAIClient client = OpenAIOkHttpClient.builder()
                .baseUrl(uri("/v1").toString())
                .apiKey("none")
                .maxRetries(3)
                .build();
        try {
            ChatCompletionCreateParams params = ChatCompletionCreateParams.builder()
                    .model("gpt-4o")
                    .addUserMessage("Hi")
                    .build();
            assertThatThrownBy(() -> client.chat().completions().create(params))
                    .isInstanceOf(InternalServerException.class);
        } finally {
            client.close();
        }
        assertThat(times).hasSize(1);
    }
}
