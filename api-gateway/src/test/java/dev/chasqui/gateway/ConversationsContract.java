package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.Delta;
import dev.chasqui.proto.v1.FinishReason;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** Stored conversations, whatever the database. */
abstract class ConversationsContract extends GatewayTest {
    /** Where this test's chats are stored. */
    abstract String database() throws Exception;

    @Override
    GatewaySettings settings() {
        try {
            return stored(new GatewaySettings.Stored(
                    database(),
                    200,
                    false,
                    java.time.Duration.ofHours(1),
                    java.time.Duration.ofHours(48),
                    10_000,
                    256,
                    "drop_tokens"));
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aQuestionIsStoredWithItsAnswer() throws Exception {
        String id = create("{}");
        JsonNode begun = ask(id, "How are you?");

        assertThat(begun.at("/question/content").asString()).isEqualTo("How are you?");
        assertThat(begun.at("/answer/status").asString()).isEqualTo("running");
        List<JsonNode> messages = ended(id);
        assertThat(messages).extracting(one -> one.get("role").asString()).containsExactly("user", "assistant");
        JsonNode answer = messages.get(1);
        assertThat(answer.get("content").asString()).isEqualTo("Hello wörld!");
        assertThat(answer.get("status").asString()).isEqualTo("complete");
        assertThat(answer.get("finish_reason").asString()).isEqualTo("stop");
        assertThat(answer.get("model").asString()).isEqualTo(ScriptedNode.MODEL);
        assertThat(answer.get("parent_id")).isEqualTo(messages.get(0).get("id"));
        assertThat(answer.at("/usage/prompt_tokens").asInt()).isEqualTo(7);
        assertThat(answer.at("/usage/completion_tokens").asInt()).isEqualTo(3);
        assertThat(answer.at("/timings/prompt_ms").asInt()).isEqualTo(8);
        assertThat(answer.get("left_out").isNull()).isTrue();
        JsonNode conversation = data(get("/api/conversations/" + id));
        assertThat(conversation.get("title").asString()).isEqualTo("How are you?");
        assertThat(conversation.get("current_message_id")).isEqualTo(answer.get("id"));
    }

    @Test
    void theHistoryAndTheSettingsGoToTheModel() throws Exception {
        String id = create("{\"system_prompt\":\"Be kind.\",\"settings\":{\"temperature\":0.5,\"max_tokens\":9}}");
        ask(id, "One?");
        ended(id);
        node.requests.clear();
        send(json("/api/conversations/" + id + "/messages", "{\"content\":\"Two?\",\"temperature\":0.25}"));
        ended(id);

        ChatRequest sent =
                node.requests.stream().reduce((first, second) -> second).orElseThrow();
        assertThat(sent.getMessagesList())
                .extracting(m -> m.getRole() + ":" + m.getContent(0).getText())
                .containsExactly("system:Be kind.", "user:One?", "assistant:Hello wörld!", "user:Two?");
        assertThat(sent.getSampling().getTemperature()).isEqualTo(0.25f);
        assertThat(sent.getLimits().getMaxTokens()).isEqualTo(9);
    }

    @Test
    void regeneratingAndEditingKeepWhatWas() throws Exception {
        String id = create("{}");
        ask(id, "First?");
        List<JsonNode> first = ended(id);
        String question = first.get(0).get("id").asString();
        String oldAnswer = first.get(1).get("id").asString();
        node.does(ScriptedNode.saying("Another"));
        post("/api/conversations/" + id + "/regenerate", "{}");
        List<JsonNode> second = ended(id);
        post("/api/conversations/" + id + "/edit", "{\"message_id\":\"" + question + "\",\"content\":\"Second?\"}");
        List<JsonNode> third = ended(id);

        assertThat(second)
                .extracting(one -> one.get("content").asString())
                .containsExactly("First?", "Hello wörld!", "Another");
        assertThat(second.get(2).get("parent_id").asString()).isEqualTo(question);
        assertThat(third)
                .extracting(one -> one.get("content").asString())
                .containsExactly("First?", "Hello wörld!", "Another", "Second?", "Another");
        assertThat(third.get(3).get("parent_id").isNull()).isTrue();
        assertThat(path(id)).containsExactly("Second?", "Another");

        JsonNode changed = data(get("/api/conversations/" + id)).get("updated_at");
        JsonNode back = data(patch(id, "{\"current_message_id\":\"" + oldAnswer + "\"}"));
        assertThat(path(id)).containsExactly("First?", "Hello wörld!");
        assertThat(back.get("updated_at")).as("its place in the list").isEqualTo(changed);
        patch(id, "{\"current_message_id\":\"" + question + "\"}");
        assertThat(path(id)).containsExactly("First?", "Another");
    }

    @Test
    void anAnswerIsPutInOtherWordsWithoutGeneratingAndGoneOnWith() throws Exception {
        String id = create("{}");
        ask(id, "First?");
        String answer = ended(id).get(1).get("id").asString();
        node.requests.clear();

        JsonNode edited = data(post(
                "/api/conversations/" + id + "/edit", "{\"message_id\":\"" + answer + "\",\"content\":\"Mine.\"}"));

        assertThat(edited.at("/answer/status").asString()).isEqualTo("complete");
        assertThat(path(id)).containsExactly("First?", "Mine.");
        assertThat(node.requests).isEmpty();

        node.does(ScriptedNode.saying(" And more."));
        post("/api/conversations/" + id + "/continue", "{}");

        assertThat(ended(id))
                .extracting(one -> one.get("content").asString())
                .containsExactly("First?", "Hello wörld!", "Mine. And more.");
        ChatRequest sent =
                node.requests.stream().reduce((first, second) -> second).orElseThrow();
        assertThat(sent.getContinueLastMessage()).isTrue();
        assertThat(sent.getMessages(1).getContent(0).getText()).isEqualTo("Mine.");
    }

    @Test
    void anAnswerGoesOnWithoutItsReader() throws Exception {
        BlockingQueue<String> words = new LinkedBlockingQueue<>();
        node.does((request, answer) -> {
            answer.admit(3);
            for (String word = words.take(); !word.equals("end"); word = words.take()) {
                answer.say(0, word);
            }
            answer.finish(0, FinishReason.FINISH_REASON_LENGTH, 2);
            answer.complete(3, 0, 2);
        });
        String id = create("{}");
        try (RawStream stream = RawStream.post(
                gateway.port(), "/api/conversations/" + id + "/messages", "{\"content\":\"Go\",\"stream\":true}")) {
            words.add("one");
            stream.await("\"content\":\"one\"");
        }
        words.add(" two");

        await(() -> messages(id).get(1).get("content").asString().equals("one two"));
        assertThat(node.cancelled).isEmpty();
        words.add("end");
        JsonNode answer = ended(id).get(1);
        assertThat(answer.get("status").asString()).isEqualTo("complete");
        assertThat(answer.get("finish_reason").asString()).isEqualTo("length");
    }

    @Test
    void anybodyStopsAnAnswerAndWhatThereIsStays() throws Exception {
        node.does((request, answer) -> {
            answer.admit(3);
            answer.say(0, "some text");
        });
        String id = create("{}");
        ask(id, "Go");
        await(() -> messages(id).get(1).get("content").asString().equals("some text"));

        JsonNode stopped = data(post("/api/conversations/" + id + "/stop", "{}"));

        assertThat(stopped.at("/stopped/0/status").asString()).isEqualTo("stopped");
        assertThat(stopped.at("/stopped/0/content").asString()).isEqualTo("some text");
        assertThat(node.cancelled.poll(5, TimeUnit.SECONDS)).isNotNull();
        assertThat(messages(id).get(1).get("status").asString()).isEqualTo("stopped");
        assertThat(data(post("/api/conversations/" + id + "/stop", "{}"))
                        .get("stopped")
                        .isEmpty())
                .isTrue();
    }

    @Test
    void aStoppedAnswerIsGoneOnWith() throws Exception {
        anybodyStopsAnAnswerAndWhatThereIsStays();
        String id = data(get("/api/conversations")).at("/conversations/0/id").asString();
        node.requests.clear();
        node.does(ScriptedNode.saying(", and more"));

        post("/api/conversations/" + id + "/continue", "{}");

        List<JsonNode> messages = ended(id);
        assertThat(messages).hasSize(2);
        assertThat(messages.get(1).get("content").asString()).isEqualTo("some text, and more");
        ChatRequest sent =
                node.requests.stream().reduce((first, second) -> second).orElseThrow();
        assertThat(sent.getContinueLastMessage()).isTrue();
        assertThat(sent.getMessages(1).getContent(0).getText()).isEqualTo("some text");
    }

    @Test
    void thoughtsAreKeptApart() throws Exception {
        node.does((request, answer) -> {
            answer.admit(1);
            answer.delta(Delta.newBuilder().setReasoning("hm\0m").setTokens(1));
            answer.delta(Delta.newBuilder().setContent("so\0").setTokens(1));
            answer.finish(0, FinishReason.FINISH_REASON_STOP, 2);
            answer.complete(1, 0, 2);
        });
        String id = create("{}");
        ask(id, "Why\\u0000?");

        JsonNode answer = ended(id).get(1);

        assertThat(answer.get("reasoning").asString()).isEqualTo("hm\ufffdm");
        assertThat(answer.get("content").asString()).isEqualTo("so\ufffd");
        assertThat(messages(id).get(0).get("content").asString()).isEqualTo("Why\ufffd?");
    }

    @Test
    void conversationsAreListedSearchedRenamedDeletedAndBroughtBack() throws Exception {
        String first = create("{\"title\":\"Bread 100%\"}");
        String second = create("{\"title\":\"Cheese\"}");
        ask(second, "How is GRÜYERE_made? " + "x".repeat(300));
        ended(second);

        assertThat(titles("")).containsExactly("Cheese", "Bread 100%");
        assertThat(titles("?query=grüyere_MADE")).containsExactly("Cheese");
        assertThat(titles("?query=0%25")).containsExactly("Bread 100%");
        assertThat(titles("?query=gr_yere")).isEmpty();
        assertThat(data(get("/api/conversations?query=made"))
                        .at("/conversations/0/snippet")
                        .asString())
                .startsWith("How is GRÜYERE_made?")
                .endsWith("…");
        JsonNode page = data(get("/api/conversations?limit=1"));
        assertThat(titles("?limit=1&after=" + page.get("next").asString())).containsExactly("Bread 100%");

        patch(first, "{\"title\":\"Rye\",\"settings\":{\"top_k\":5}}");
        assertThat(data(get("/api/conversations/" + first))
                        .at("/settings/top_k")
                        .asInt())
                .isEqualTo(5);
        assertThat(delete(first).statusCode()).isEqualTo(200);
        assertThat(titles("")).containsExactly("Cheese");
        assertThat(get("/api/conversations/" + first).statusCode()).isEqualTo(404);
        assertThat(titles("?deleted=true")).containsExactly("Rye");
        patch(first, "{\"deleted\":false}");
        assertThat(titles("")).containsExactlyInAnyOrder("Rye", "Cheese");
        assertThat(delete(first + "?purge=true").statusCode()).isEqualTo(200);
        assertThat(titles("?deleted=true")).isEmpty();
        assertThat(patch(first, "{\"deleted\":false}").statusCode()).isEqualTo(404);
    }

    @Test
    void whatWasExportedComesBack() throws Exception {
        String id = create("{\"system_prompt\":\"Sys\",\"settings\":{\"seed\":7}}");
        ask(id, "Q <!-- chasqui: user -->");
        ended(id);
        node.does(ScriptedNode.saying("<!-- chasqui: user -->\n## User\n\nnot really\n"));
        post("/api/conversations/" + id + "/regenerate", "{}");
        ended(id);
        String all = get("/api/conversations/export").body();
        String markdown =
                get("/api/conversations/" + id + "/export?format=markdown").body();

        assertThat(json(all).get("format").asString()).isEqualTo("chasqui-conversations");
        String copy = data(post("/api/conversations/import", all))
                .at("/conversations/0/id")
                .asString();
        assertThat(copy).isNotEqualTo(id);
        assertThat(messages(copy))
                .extracting(one -> one.get("content"))
                .isEqualTo(messages(id).stream().map(one -> one.get("content")).toList());
        assertThat(path(copy)).isEqualTo(path(id));
        assertThat(data(get("/api/conversations/" + copy)).at("/settings/seed").asInt())
                .isEqualTo(7);
        assertThat(json(get("/api/conversations/" + id + "/export").body())
                        .at("/conversations/0/id")
                        .asString())
                .isEqualTo(id);

        String body = tools.jackson.databind.node.JsonNodeFactory.instance
                .objectNode()
                .put("markdown", markdown)
                .toString();
        String read = data(post("/api/conversations/import", body))
                .at("/conversations/0/id")
                .asString();
        assertThat(path(read)).isEqualTo(path(id));
        assertThat(data(get("/api/conversations/" + read)).get("system_prompt").asString())
                .isEqualTo("Sys");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\u0000',
            value = {
                "messages|{}|content: absent (expected: a string)",
                "messages|{\"content\":\" \"}|content: empty (expected: some text)",
                "messages|{\"content\":\"x\",\"temperature\":9}|temperature: 9 (expected: 0 to 2)",
                "messages|{\"content\":\"x\",\"parent_id\":\"msg_no\"}|There is no such message in this conversation.",
                "edit|{\"content\":\"x\"}|message_id: absent (expected: a non-empty string)",
                "regenerate|{\"message_id\":\"msg_no\"}|There is no such message in this conversation.",
            })
    void whatIsWrongIsNamed(String what, String body, String message) throws Exception {
        String id = create("{}");

        HttpResponse<String> response = post("/api/conversations/" + id + "/" + what, body);

        assertThat(response.statusCode()).isIn(400, 404);
        assertThat(json(response.body()).get("error").asString()).isEqualTo(message);
        assertThat(messages(id)).isEmpty();
        assertThat(post("/api/conversations/conv_no/" + what, "{\"content\":\"x\",\"message_id\":\"x\"}")
                        .statusCode())
                .isEqualTo(404);
    }

    @Test
    void whatTheNodeRefusesHasItsStatusAndStays() throws Exception {
        node.does(ScriptedNode.failing(
                io.grpc.Status.Code.RESOURCE_EXHAUSTED,
                dev.chasqui.proto.v1.ErrorReason.ERROR_REASON_QUEUE_FULL,
                "Full.",
                null,
                2000));
        String id = create("{}");

        HttpResponse<String> refused =
                post("/api/chat", "{\"message\":\"Hi\",\"conversation_id\":\"" + id + "\",\"stream\":false}");

        assertThat(refused.statusCode()).isEqualTo(429);
        assertThat(refused.headers().firstValue("retry-after")).hasValue("2");
        assertThat(messages(id).get(1).get("status").asString()).isEqualTo("failed");
        assertThat(messages(id).get(1).get("error").asString()).isEqualTo("Full.");
    }

    String create(String body) throws Exception {
        return data(post("/api/conversations", body)).get("id").asString();
    }

    JsonNode ask(String id, String text) throws Exception {
        return data(post("/api/conversations/" + id + "/messages", "{\"content\":\"" + text + "\"}"));
    }

    static JsonNode data(HttpResponse<String> response) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return json(response.body()).get("data");
    }

    List<JsonNode> messages(String id) {
        try {
            return data(get("/api/conversations/" + id + "/messages"))
                    .get("messages")
                    .valueStream()
                    .toList();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    List<String> path(String id) throws Exception {
        return data(get("/api/conversations/" + id + "/messages?path=current"))
                .get("messages")
                .valueStream()
                .map(one -> one.get("content").asString())
                .toList();
    }

    /** All messages, when none of them runs. */
    List<JsonNode> ended(String id) throws Exception {
        await(() -> messages(id).stream()
                .noneMatch(one -> one.get("status").asString().equals("running")));
        return messages(id);
    }

    private List<String> titles(String query) throws Exception {
        return data(get("/api/conversations" + query))
                .get("conversations")
                .valueStream()
                .map(one -> one.get("title").asString())
                .toList();
    }

    HttpResponse<String> patch(String id, String body) throws Exception {
        return send(HttpRequest.newBuilder(uri("/api/conversations/" + id))
                .header("content-type", "application/json")
                .method("PATCH", HttpRequest.BodyPublishers.ofString(body)));
    }

    private HttpResponse<String> delete(String id) throws Exception {
        return send(HttpRequest.newBuilder(uri("/api/conversations/" + id)).DELETE());
    }

    private HttpRequest.Builder json(String path, String body) {
        return HttpRequest.newBuilder(uri(path))
                .header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body));
    }
}
