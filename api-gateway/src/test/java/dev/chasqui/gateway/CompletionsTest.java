package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.models.completions.Completion;
import com.openai.models.completions.CompletionCreateParams;
import com.openai.models.embeddings.EmbeddingCreateParams;
import dev.chasqui.proto.v1.Delta;
import dev.chasqui.proto.v1.ErrorReason;
import dev.chasqui.proto.v1.FinishReason;
import dev.chasqui.proto.v1.GenerateRequest;
import dev.chasqui.proto.v1.TokenLogprob;
import dev.chasqui.proto.v1.TopLogprob;
import io.grpc.Status;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** Raw prompts, tokens, vectors and ranks: everything of OpenAI's dialect that is no chat. */
class CompletionsTest extends GatewayTest {

    @Test
    void continuesAPrompt() throws Exception {
        JsonNode answer = json(post(
                        "/v1/completions",
                        "{\"model\":\"gpt-3.5-turbo-instruct\",\"prompt\":\"On\","
                                + "\"max_tokens\":2,\"temperature\":0,\"stop\":\"x\",\"seed\":1}")
                .body());

        assertThat(answer.get("id").asString()).startsWith("cmpl-");
        assertThat(answer.get("object").asString()).isEqualTo("text_completion");
        assertThat(answer.at("/choices/0/text").asString()).isEqualTo("On and on");
        assertThat(answer.at("/choices/0/finish_reason").asString()).isEqualTo("length");
        assertThat(answer.at("/choices/0/logprobs").isNull()).isTrue();
        assertThat(answer.at("/usage/total_tokens").asInt()).isEqualTo(7);
        GenerateRequest request = node.rawRequests.element();
        assertThat(request.getModel()).isEmpty();
        assertThat(request.getText()).isEqualTo("On");
        assertThat(request.getLimits().getMaxTokens()).isEqualTo(2);
        assertThat(request.getLimits().getStopList()).containsExactly("x");
        assertThat(request.hasLogprobs()).isFalse();
    }

    @Test
    void continuesSeveralPromptsSeveralTimes() throws Exception {
        JsonNode answer = json(post("/v1/completions", "{\"prompt\":[\"a\",\"b\",\"c\"],\"n\":2}")
                .body());

        assertThat(answer.get("choices"))
                .extracting(choice ->
                        choice.get("index").asInt() + choice.get("text").asString())
                .containsExactly("0a and on", "1a and on", "2b and on", "3b and on", "4c and on", "5c and on");
        assertThat(answer.at("/usage/prompt_tokens").asInt()).isEqualTo(15);
        assertThat(answer.at("/usage/completion_tokens").asInt()).isEqualTo(12);
    }

    @Test
    void streamsSeveralPromptsBesideEachOther() throws Exception {
        HttpResponse<String> response = post(
                "/v1/completions",
                "{\"prompt\":[\"a\",\"b\"],\"n\":2,\"stream\":true,\"stream_options\":{\"include_usage\":true}}");

        Map<Integer, String> texts = new TreeMap<>();
        Map<Integer, String> ends = new TreeMap<>();
        List<JsonNode> events = data(response.body());
        for (JsonNode event : events.subList(0, events.size() - 1)) {
            JsonNode choice = event.at("/choices/0");
            int index = choice.get("index").asInt();
            texts.merge(index, choice.get("text").asString(), String::concat);
            if (!choice.get("finish_reason").isNull()) {
                ends.put(index, choice.get("finish_reason").asString());
            }
        }
        assertThat(texts).isEqualTo(Map.of(0, "a and on", 1, "a and on", 2, "b and on", 3, "b and on"));
        assertThat(ends).hasSize(4).containsValue("length");
        assertThat(events.get(events.size() - 1).at("/usage/completion_tokens").asInt())
                .isEqualTo(8);
        assertThat(response.body()).endsWith("data: [DONE]\n\n");
    }

    @Test
    void onePromptThatFailsFailsAll() throws Exception {
        node.continues((request, answer) -> {
            answer.admit(1);
            if (request.getText().equals("b")) {
                answer.fail(ScriptedNode.error(
                        Status.Code.RESOURCE_EXHAUSTED, ErrorReason.ERROR_REASON_QUEUE_FULL, "Full.", null, 1000));
            }
        });

        assertThat(post("/v1/completions", "{\"prompt\":[\"a\",\"b\"]}").statusCode())
                .isEqualTo(429);
        assertThat(node.cancelled.poll(10, java.util.concurrent.TimeUnit.SECONDS))
                .as("the other prompt's call")
                .isNotNull();
    }

    @Test
    void echoesTextsAndTokens() throws Exception {
        assertThat(json(post("/v1/completions", "{\"prompt\":\"Sö\",\"echo\":true}")
                                .body())
                        .at("/choices/0/text")
                        .asString())
                .isEqualTo("SöSö and on");
        HttpResponse<String> response =
                post("/v1/completions", "{\"prompt\":[[72,105],[33]],\"echo\":true,\"stream\":true}");

        assertThat(node.rawRequests.stream().skip(1).map(r -> r.getTokens().getIdsList()))
                .containsExactlyInAnyOrder(List.of(72, 105), List.of(33));
        assertThat(data(response.body()).stream()
                        .filter(e -> e.at("/choices/0/index").asInt() == 0)
                        .map(e -> e.at("/choices/0/text").asString())
                        .collect(Collectors.joining()))
                .isEqualTo("Hi and on");
    }

    @Test
    void probabilitiesComeInTheOldShape() throws Exception {
        node.continues((request, answer) -> {
            answer.admit(1);
            for (String piece : List.of("Hé", "llo")) {
                answer.delta(Delta.newBuilder()
                        .setContent(piece)
                        .addLogprobs(TokenLogprob.newBuilder()
                                .setPiece(ByteString.copyFromUtf8(piece))
                                .setLogprob(-0.5f)
                                .addTop(TopLogprob.newBuilder()
                                        .setPiece(ByteString.copyFromUtf8(piece))
                                        .setLogprob(-0.5f))
                                .addTop(TopLogprob.newBuilder()
                                        .setPiece(ByteString.copyFrom(new byte[] {(byte) 0xe2}))
                                        .setLogprob(-2f))));
            }
            answer.finish(0, FinishReason.FINISH_REASON_STOP, 2);
            answer.complete(1, 0, 2);
        });
        String expected = "{\"tokens\":[\"Hé\",\"llo\"],\"token_logprobs\":[-0.5,-0.5],\"top_logprobs\":["
                + "{\"Hé\":-0.5,\"bytes:\\\\xe2\":-2},{\"llo\":-0.5,\"bytes:\\\\xe2\":-2}],\"text_offset\":[0,2]}";

        String whole =
                post("/v1/completions", "{\"prompt\":\"a\",\"logprobs\":2}").body();
        String stream = post("/v1/completions", "{\"prompt\":\"a\",\"logprobs\":2,\"stream\":true}")
                .body();

        assertThat(whole).contains("\"logprobs\":" + expected);
        assertThat(stream)
                .contains("\"text_offset\":[0]}")
                .contains("\"tokens\":[\"llo\"]")
                .contains("\"text_offset\":[2]}");
        assertThat(node.rawRequests.element().getLogprobs().getTop()).isEqualTo(2);
    }

    /** What programs that compare models by how likely they find a text ask for. */
    @Test
    void anEchoComesWithItsOwnProbabilities() throws Exception {
        node.continues((request, answer) -> {
            answer.admit(3);
            for (int choice = 0; choice < request.getChoices(); choice++) {
                answer.delta(Delta.newBuilder()
                        .setChoice(choice)
                        .addPromptLogprobs(logprob("<s>", Float.NaN))
                        .addPromptLogprobs(logprob("Sö", -2)));
                answer.delta(Delta.newBuilder().setChoice(choice).addPromptLogprobs(logprob(" da", -0.25f)));
                answer.delta(
                        Delta.newBuilder().setChoice(choice).setContent("!").addLogprobs(logprob("!", -0.5f)));
                answer.finish(choice, FinishReason.FINISH_REASON_LENGTH, 1);
            }
            answer.complete(3, 0, 1);
        });
        String expected = "{\"tokens\":[\"<s>\",\"Sö\",\" da\",\"!\"],\"token_logprobs\":[null,-2,-0.25,-0.5],"
                + "\"top_logprobs\":[null,{\"Sö\":-2},{\" da\":-0.25},{\"!\":-0.5}],\"text_offset\":[0,0,2,5]}";

        String request = "{\"prompt\":\"Sö da\",\"echo\":true,\"logprobs\":0,\"n\":2,\"max_tokens\":1";
        JsonNode whole = json(post("/v1/completions", request + "}").body());
        List<JsonNode> stream =
                data(post("/v1/completions", request + ",\"stream\":true}").body());

        for (int choice = 0; choice < 2; choice++) {
            int index = choice;
            assertThat(whole.at("/choices/" + choice + "/text").asString()).isEqualTo("Sö da!");
            assertThat(whole.at("/choices/" + choice + "/logprobs")).isEqualTo(json(expected));
            List<JsonNode> pieces = stream.stream()
                    .map(event -> event.at("/choices/0"))
                    .filter(piece -> piece.path("index").asInt(-1) == index)
                    .toList();
            assertThat(pieces).extracting(piece -> piece.get("text").asString()).containsExactly("Sö da", "!", "");
            assertThat(pieces.get(0).at("/logprobs/token_logprobs")).isEqualTo(json("[null,-2,-0.25]"));
            assertThat(pieces.get(1).at("/logprobs/text_offset")).isEqualTo(json("[5]"));
        }
        assertThat(node.rawRequests.element().getPromptLogprobs().getTop()).isZero();
        assertThat(node.rawRequests.element().hasPromptLogprobs()).isTrue();
    }

    @Test
    void aCharacterOfSeveralTokensIsCountedOnce() throws Exception {
        node.continues((request, answer) -> {
            answer.admit(1);
            Delta.Builder delta = Delta.newBuilder().setContent("😀é x");
            for (int[] bytes : new int[][] {{0xf0, 0x9f}, {0x98, 0x80}, {0xc3, 0xa9}, {' ', 'x'}}) {
                ByteString.Output piece = ByteString.newOutput();
                IntStream.of(bytes).forEach(piece::write);
                delta.addLogprobs(TokenLogprob.newBuilder().setPiece(piece.toByteString()));
            }
            answer.delta(delta);
            answer.finish(0, FinishReason.FINISH_REASON_STOP, 4);
            answer.complete(1, 0, 4);
        });

        JsonNode answer = json(
                post("/v1/completions", "{\"prompt\":\"a\",\"logprobs\":0}").body());

        assertThat(answer.at("/choices/0/logprobs/text_offset")).isEqualTo(json("[0,0,1,2]"));
    }

    @Test
    void noTokensAtAllCanBeAskedFor() throws Exception {
        node.continues((request, answer) -> {
            answer.admit(1);
            answer.finish(0, FinishReason.FINISH_REASON_LENGTH, 0);
            answer.complete(1, 0, 0);
        });

        JsonNode answer = json(post("/v1/completions", "{\"prompt\":\"a\",\"echo\":true,\"max_tokens\":0}")
                .body());

        assertThat(answer.at("/choices/0/text").asString()).isEqualTo("a");
        assertThat(answer.at("/choices/0/finish_reason").asString()).isEqualTo("length");
        assertThat(node.rawRequests.element().getLimits().getPromptOnly()).isTrue();
    }

    private static TokenLogprob logprob(String piece, float value) {
        return TokenLogprob.newBuilder()
                .setPiece(ByteString.copyFromUtf8(piece))
                .setLogprob(value)
                .build();
    }

    @Test
    void theChosenTokenIsToldAlsoWhereOthersWereLikelier() throws Exception {
        node.continues((request, answer) -> {
            answer.admit(1);
            answer.delta(Delta.newBuilder()
                    .setContent("rare")
                    .addLogprobs(TokenLogprob.newBuilder()
                            .setPiece(ByteString.copyFromUtf8("rare"))
                            .setLogprob(-3f)
                            .addTop(TopLogprob.newBuilder()
                                    .setPiece(ByteString.copyFromUtf8("usual"))
                                    .setLogprob(-0.5f))));
            answer.finish(0, FinishReason.FINISH_REASON_STOP, 1);
            answer.complete(1, 0, 1);
        });

        JsonNode answer = json(
                post("/v1/completions", "{\"prompt\":\"a\",\"logprobs\":1}").body());

        assertThat(answer.at("/choices/0/logprobs/top_logprobs/0")).isEqualTo(json("{\"usual\":-0.5,\"rare\":-3}"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\u0000',
            value = {
                "/v1/completions|{}|prompt: absent (expected: a string, an array of strings, of tokens, or of arrays of"
                        + " tokens)",
                "/v1/completions|{\"prompt\":[]}|prompt: an empty array (expected: a string, an array of strings, of"
                        + " tokens, or of arrays of tokens)",
                "/v1/completions|{\"prompt\":[1,-2]}|prompt[1]: -2 (expected: the number of a token)",
                "/v1/completions|{\"prompt\":[1,\"secret\"]}|prompt[1]: a string (expected: the number of a token)",
                "/v1/completions|{\"prompt\":[\"a\",{}]}|prompt[1]: an object (expected: a string, an array of strings, of"
                        + " tokens, or of arrays of tokens)",
                "/v1/completions|{\"prompt\":\"a\",\"suffix\":\"b\"}|suffix: a string of 1 characters (expected: absent;"
                        + " text is continued at its end)",
                "/v1/completions|{\"prompt\":\"a\",\"best_of\":3}|best_of: 3 (expected: the same as n, 1)",
                "/v1/completions|{\"prompt\":\"a\",\"logprobs\":true}|logprobs: true (expected: a whole number, 0 to 20)",
                "/v1/embeddings|{\"input\":7}|input: 7 (expected: a string, an array of strings, of tokens, or of arrays"
                        + " of tokens)",
                "/v1/embeddings|{\"input\":\"a\",\"encoding_format\":\"int8\"}|encoding_format: \"int8\" (expected: float,"
                        + " base64)",
                "/v1/embeddings|{\"input\":\"a\",\"dimensions\":0}|dimensions: 0 (expected: a whole number, 1 to 65536)",
                "/v1/rerank|{\"documents\":[\"a\"]}|query: absent (expected: a string)",
                "/v1/rerank|{\"query\":\"q\"}|documents: absent (expected: an array of at least one document)",
                "/v1/rerank|{\"query\":\"q\",\"documents\":[{\"x\":1}]}|documents[0]: absent (expected: a string, or an"
                        + " object with a text)",
                "/tokenize|{}|content: absent (expected: a string)",
                "/tokenize|{\"prompt\":5}|prompt: a number (expected: a string)",
                "/detokenize|{}|tokens: absent (expected: an array of tokens)",
                "/detokenize|{\"tokens\":[\"a\"]}|tokens[0]: a string (expected: the number of a token)",
            })
    void namesTheFieldAndWhatItShouldBe(String path, String body, String message) throws Exception {
        HttpResponse<String> response = post(path, body);

        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(json(response.body()).at("/error/message").asString()).isEqualTo(message);
    }

    @Test
    void tokensAsLlamaServerTellsThem() throws Exception {
        assertThat(post("/tokenize", "{\"content\":\"Hi\"}").body()).isEqualTo("{\"tokens\":[72,105],\"count\":2}");
        assertThat(post("/tokenize", "{\"content\":\"H\",\"add_special\":true,\"with_pieces\":true}")
                        .body())
                .isEqualTo("{\"tokens\":[{\"id\":1,\"piece\":\"<s>\"},{\"id\":72,\"piece\":\"H\"}],\"count\":2}");
        assertThat(json(post("/detokenize", "{\"tokens\":[72,105]}").body())
                        .get("content")
                        .asString())
                .isEqualTo("Hi");
    }

    @Test
    void tokensAsVllmTellsThem() throws Exception {
        assertThat(json(post("/tokenize", "{\"prompt\":\"Hi\"}").body())
                        .get("count")
                        .asInt())
                .isEqualTo(3);
        assertThat(json(post("/tokenize", "{\"prompt\":\"Hi\",\"add_special_tokens\":false}")
                                .body())
                        .get("count")
                        .asInt())
                .isEqualTo(2);
    }

    @Test
    void embeddingsInNumbersAndBytes() throws Exception {
        JsonNode numbers = json(post("/v1/embeddings", "{\"input\":[\"a\",\"b\"],\"dimensions\":3}")
                .body());
        JsonNode bytes = json(post("/v1/embeddings", "{\"input\":[[1,2]],\"encoding_format\":\"base64\"}")
                .body());

        assertThat(numbers.get("object").asString()).isEqualTo("list");
        assertThat(numbers.at("/data/1/index").asInt()).isEqualTo(1);
        assertThat(numbers.at("/data/1/embedding").toString()).isEqualTo("[1.0,0.5,-0.25]");
        assertThat(numbers.at("/usage/prompt_tokens").asInt()).isEqualTo(6);
        assertThat(numbers.get("model").asString()).isEqualTo(ScriptedNode.MODEL);
        assertThat(bytes.at("/data/0/embedding").asString()).isEqualTo("AAAAAAAAAD8AAIC+");
        assertThat(node.embedRequests.remove().getDimensions()).isEqualTo(3);
        assertThat(node.embedRequests.remove().getInputs(0).getTokens().getIdsList())
                .containsExactly(1, 2);
    }

    @Test
    void manyEmbeddingsArriveWhole() throws Exception {
        String inputs = java.util.stream.IntStream.range(0, 2048)
                .mapToObj(i -> "\"t" + i + "\"")
                .collect(Collectors.joining(","));

        JsonNode answer =
                json(post("/v1/embeddings", "{\"input\":[" + inputs + "]}").body());

        assertThat(answer.get("data")).hasSize(2048);
        assertThat(answer.at("/data/2047/embedding/0").asInt()).isEqualTo(2047);
    }

    @Test
    void rerankingTellsTheBestFirst() throws Exception {
        JsonNode answer = json(post(
                        "/v1/rerank",
                        "{\"query\":\"q\",\"documents\":[\"a\",{\"text\":\"abc\"},\"ab\"],"
                                + "\"top_n\":2,\"return_documents\":true}")
                .body());

        assertThat(answer.get("results"))
                .extracting(r -> r.get("index").asInt() + ":" + r.get("relevance_score") + ":"
                        + r.at("/document/text").asString())
                .containsExactly("1:3.0:abc", "2:2.0:ab");
        assertThat(answer.at("/usage/total_tokens").asInt()).isEqualTo(9);
        assertThat(json(post("/rerank", "{\"query\":\"q\",\"documents\":[\"a\"]}")
                                .body())
                        .at("/results/0")
                        .has("document"))
                .isFalse();
    }

    @Test
    void theOfficialClientCompletesAndEmbeds() {
        OpenAIClient client = OpenAIOkHttpClient.builder()
                .baseUrl(uri("/v1").toString())
                .apiKey("none-needed")
                .maxRetries(0)
                .build();
        try {
            CompletionCreateParams params = CompletionCreateParams.builder()
                    .model(CompletionCreateParams.Model.GPT_3_5_TURBO_INSTRUCT)
                    .prompt("On")
                    .build();
            Completion whole = client.completions().create(params);
            whole.validate();
            assertThat(whole.choices().get(0).text()).isEqualTo("On and on");
            try (StreamResponse<Completion> stream = client.completions().createStreaming(params)) {
                assertThat(stream.stream()
                                .map(chunk -> chunk.choices().get(0).text())
                                .collect(Collectors.joining()))
                        .isEqualTo("On and on");
            }
            var embeddings = client.embeddings()
                    .create(EmbeddingCreateParams.builder()
                            .model("text-embedding-3-small")
                            .inputOfArrayOfStrings(List.of("a", "b"))
                            .build());
            embeddings.validate();
            assertThat(embeddings.data().get(1).embedding()).containsExactly(1f, 0.5f, -0.25f);
        } finally {
            client.close();
        }
    }
}
