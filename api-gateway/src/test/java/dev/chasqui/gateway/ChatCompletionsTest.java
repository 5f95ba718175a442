package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import org.junit.jupiter.api.Test;

/** Chat completions over real HTTP and real gRPC. */
class ChatCompletionsTest extends GatewayTest {

    @Test
    void streamsAsOpenAiDoes() throws Exception {
        HttpResponse<String> response = post(
                "/v1/chat/completions",
                "{\"model\":\"default\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}");

        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("content-type")).hasValue("text/event-stream; charset=utf-8");
        assertThat(data(response.body()))
                .extracting(event -> event.at("/choices/0/delta/content").asString(""))
                .containsExactly("", "Hello", " wörld", "!", "");
        assertThat(response.body()).endsWith("data: [DONE]\n\n");
    }

    @Test
    void answersInOnePiece() throws Exception {
        HttpResponse<String> response =
                post("/v1/chat/completions", "{\"n\":2,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}");

        assertThat(response.statusCode()).isEqualTo(200);
        var answer = json(response.body());
        assertThat(answer.at("/object").asString()).isEqualTo("chat.completion");
        assertThat(answer.at("/choices")).hasSize(2);
        assertThat(answer.at("/choices/1/message/content").asString()).isEqualTo("Hello wörld!");
        assertThat(answer.at("/usage/total_tokens").asInt()).isEqualTo(13);
        assertThat(answer.at("/usage/prompt_tokens_details/cached_tokens").asInt())
                .isEqualTo(3);
        assertThat(answer.at("/timings/prompt_n").asInt()).isEqualTo(4);
    }
}
