package dev.chasqui.gateway.openai;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.chasqui.gateway.nodes.ModelNames;
import dev.chasqui.gateway.requests.Fields;
import dev.chasqui.gateway.requests.FuzzedBodies;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/**
 * Whatever bytes come, a request is read or refused. The corpus lies beside this test's resources; Jazzer looks for more
 * with {@code JAZZER_FUZZ=1}, for one of these methods at a time.
 */
class RequestFuzzTest {
    private static final int BODIES = 20_000;
    private static final String CORPUS = "RequestFuzzTestInputs/";
    private static final ModelNames NAMES = new ModelNames(List.of());

    @FuzzTest
    void chat(byte[] body) {
        FuzzedBodies.read(body, RequestFuzzTest::readChat);
    }

    @FuzzTest
    void completion(byte[] body) {
        FuzzedBodies.read(body, RequestFuzzTest::readCompletion);
    }

    @FuzzTest
    void response(byte[] body) {
        FuzzedBodies.read(body, RequestFuzzTest::readResponse);
    }

    @FuzzTest
    void prompts(byte[] body) {
        FuzzedBodies.read(body, RequestFuzzTest::readPrompts);
    }

    @Test
    void bodiesLikeThoseOfTheCorpus() {
        all("chat", RequestFuzzTest::readChat);
        all("completion", RequestFuzzTest::readCompletion);
        all("response", RequestFuzzTest::readResponse);
        all("prompts", RequestFuzzTest::readPrompts);
    }

    private static void all(String corpus, Consumer<JsonNode> parser) {
        FuzzedBodies.like(RequestFuzzTest.class, CORPUS + corpus, BODIES)
                .forEach(body -> FuzzedBodies.read(body, parser));
    }

    private static void readChat(JsonNode body) {
        ChatCompletionRequest.parse(body, NAMES).chat().toByteArray();
    }

    private static void readCompletion(JsonNode body) {
        CompletionRequest.parse(body, NAMES).calls().forEach(call -> call.toByteArray());
    }

    private static void readResponse(JsonNode body) {
        ResponseRequest request = ResponseRequest.parse(body, NAMES, id -> null);
        request.chat(request.input()).toByteArray();
        new Response("resp_1", 1, request, request.input());
    }

    private static void readPrompts(JsonNode body) {
        Prompt.parse(Fields.of(body, ""), "input", 2048)
                .forEach(prompt -> prompt.tokens().toByteArray());
    }
}
