package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.proto.v1.ChatRequest;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** What of a long conversation goes to the model, and what is said of the rest; and titles. */
class HistoryTest extends GatewayTest {
    private static final int MOST = 8;

    @Override
    GatewaySettings settings() {
        GatewaySettings.Stored usual = GatewaySettings.Stored.defaults();
        return stored(new GatewaySettings.Stored(
                usual.database(),
                MOST,
                true,
                usual.undo(),
                usual.retention(),
                usual.mostEvents(),
                usual.queue(),
                usual.backpressure()));
    }

    @Test
    void atMostSoManyMessagesGoAndTheCutStaysForAWhile() throws Exception {
        String id = imported(20);
        List<Integer> firsts = new ArrayList<>();
        for (int turn = 0; turn < 3; turn++) {
            JsonNode answer = chat(id, "Q" + turn);
            ChatRequest sent = lastChat();
            assertThat(sent.getMessagesCount()).isLessThanOrEqualTo(MOST);
            assertThat(sent.getMessages(0).getRole()).isEqualTo("user");
            int all = 20 + 2 * turn + 1;
            assertThat(answer.at("/left_out/messages").asInt()).isEqualTo(all - sent.getMessagesCount());
            assertThat(answer.at("/left_out/by").asString()).isEqualTo("max_history_messages");
            firsts.add(answer.at("/left_out/messages").asInt());
        }

        assertThat(firsts.get(1)).as("the second turn begins as the first").isEqualTo(firsts.get(0));
    }

    @Test
    void whatTheContextDoesNotHoldIsLeftOutAndSaid() throws Exception {
        // Ten tokens a message; the context leaves 75 of 100 for the prompt.
        node.counts(request -> 10 * request.getMessagesCount(), 100);
        String id = imported(6);

        JsonNode small = chat(id, "Q0");
        assertThat(small.get("left_out").isNull()).isTrue();
        assertThat(lastChat().getMessagesCount()).isEqualTo(7);

        node.counts(request -> 20 * request.getMessagesCount(), 100);
        JsonNode large = chat(imported(6), "Q1");
        assertThat(large.at("/left_out/by").asString()).isEqualTo("context_window");
        assertThat(lastChat().getMessagesCount()).isBetween(1, 3);
        assertThat(large.at("/left_out/messages").asInt())
                .isEqualTo(7 - lastChat().getMessagesCount());
        assertThat(lastChat()
                        .getMessages(lastChat().getMessagesCount() - 1)
                        .getContent(0)
                        .getText())
                .isEqualTo("Q1");
    }

    @Test
    void theLastQuestionGoesInAnyCase() throws Exception {
        node.counts(request -> 1000, 100);

        chat(imported(6), "Q");

        assertThat(lastChat().getMessagesCount()).isEqualTo(1);
    }

    @Test
    void theModelGivesATitleAfterTheFirstAnswer() throws Exception {
        node.does((request, answer) -> {
            boolean title = request.getMessagesCount() == 3;
            ScriptedNode.saying(title ? "\"A Greeting\"" : "Hello").answer(request, answer);
        });
        String id = json(post("/api/chat", "{\"message\":\"Hi there\",\"stream\":false}")
                        .body())
                .at("/data/conversation_id")
                .asString();

        await(() -> conversation(id).get("title_by").asString().equals("model"));
        assertThat(conversation(id).get("title").asString()).isEqualTo("A Greeting");
    }

    private JsonNode conversation(String id) {
        try {
            return json(get("/api/conversations/" + id).body()).get("data");
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private JsonNode chat(String id, String text) throws Exception {
        return json(post(
                                "/api/chat",
                                "{\"message\":\"" + text + "\",\"conversation_id\":\"" + id + "\",\"stream\":false}")
                        .body())
                .get("data");
    }

    /** The last one that was generated for, as counting asks with requests of its own, whose answers nobody saw. */
    private ChatRequest lastChat() {
        List<ChatRequest> all = List.copyOf(node.requests);
        return all.get(all.size() - 1);
    }

    /** A conversation with so many messages and a title. */
    private String imported(int messages) throws Exception {
        StringBuilder body = new StringBuilder("{\"conversations\":[{\"title\":\"Long\",\"messages\":[");
        for (int i = 0; i < messages; i++) {
            body.append(i == 0 ? "" : ",")
                    .append("{\"id\":\"m" + i + "\",\"role\":\"" + (i % 2 == 0 ? "user" : "assistant"));
            body.append(
                    "\",\"content\":\"text " + i + "\"" + (i == 0 ? "" : ",\"parent_id\":\"m" + (i - 1) + "\"") + "}");
        }
        return json(post("/api/conversations/import", body + "]}]}").body())
                .at("/data/conversations/0/id")
                .asString();
    }
}
