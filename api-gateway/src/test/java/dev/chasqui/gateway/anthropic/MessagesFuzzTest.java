package dev.chasqui.gateway.anthropic;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.chasqui.gateway.nodes.ModelNames;
import dev.chasqui.gateway.requests.FuzzedBodies;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** As OpenAI's: whatever bytes come, a request is read or refused. */
class MessagesFuzzTest {
    private static final int BODIES = 20_000;
    private static final ModelNames NAMES = new ModelNames(List.of());

    @FuzzTest
    void messages(byte[] body) {
        FuzzedBodies.read(body, MessagesFuzzTest::read);
    }

    @Test
    void bodiesLikeThoseOfTheCorpus() {
        FuzzedBodies.like(MessagesFuzzTest.class, "MessagesFuzzTestInputs/messages", BODIES)
                .forEach(body -> FuzzedBodies.read(body, MessagesFuzzTest::read));
    }

    private static void read(JsonNode body) {
        MessagesRequest.parse(body, NAMES).chat().toByteArray();
    }
}
