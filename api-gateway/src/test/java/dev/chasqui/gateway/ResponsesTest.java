package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.errors.NotFoundException;
import com.openai.helpers.ResponseAccumulator;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import com.openai.models.responses.ResponseIncludable;
import com.openai.models.responses.ResponseItem;
import com.openai.models.responses.ResponseRetrieveParams;
import com.openai.models.responses.ResponseStatus;
import com.openai.models.responses.ResponseStreamEvent;
import com.openai.models.responses.inputitems.InputItemListParams;
import dev.chasqui.proto.v1.ChatMessage;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.Delta;
import dev.chasqui.proto.v1.ErrorReason;
import dev.chasqui.proto.v1.FinishReason;
import dev.chasqui.proto.v1.TokenLogprob;
import dev.chasqui.proto.v1.Tool;
import dev.chasqui.proto.v1.ToolCallDelta;
import dev.chasqui.proto.v1.ToolChoice;
import dev.chasqui.proto.v1.TopLogprob;
import io.grpc.Status;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** OpenAI's responses; its own client for Java is the judge. */
class ResponsesTest extends GatewayTest {
    private static final String PATH = "/v1/responses";
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
    void oneResponse() {
        Response response = client.responses()
                .create(params().instructions("Be short.").temperature(0.5).build());

        response.validate();
        assertThat(response.status()).hasValue(ResponseStatus.COMPLETED);
        assertThat(text(response)).isEqualTo("Hello wörld!");
        assertThat(response.usage().orElseThrow().totalTokens()).isEqualTo(10);
        assertThat(response.temperature()).hasValue(0.5);
        ChatRequest sent = node.requests.element();
        assertThat(sent.getMessagesList()).extracting(ChatMessage::getRole).containsExactly("system", "user");
        assertThat(sent.getSampling().getTemperature()).isEqualTo(0.5f);
    }

    private static String text(Response response) {
        StringBuilder text = new StringBuilder();
        response.output()
                .forEach(item -> item.message()
                        .ifPresent(message -> message.content()
                                .forEach(part -> text.append(part.asOutputText().text()))));
        return text.toString();
    }

    @Test
    void aStreamAsTheClientReadsIt() {
        thinksAndCalls();
        ResponseAccumulator whole = ResponseAccumulator.create();
        List<Long> numbers = new ArrayList<>();
        try (StreamResponse<ResponseStreamEvent> stream = client.responses().createStreaming(params().build())) {
            stream.stream().forEach(event -> {
                event.validate();
                whole.accumulate(event);
                numbers.add((long) numbers.size());
            });
        }

        Response response = whole.response();
        response.validate();
        assertThat(response.output()).hasSize(4);
        assertThat(response.output()
                        .get(0)
                        .asReasoning()
                        .content()
                        .orElseThrow()
                        .get(0)
                        .text())
                .isEqualTo("hm");
        assertThat(text(response)).isEqualTo("Let me see.");
        assertThat(response.output().get(2).asFunctionCall().name()).isEqualTo("weather");
        assertThat(response.output().get(2).asFunctionCall().arguments()).isEqualTo("{\"city\":\"Cusco\"}");
        assertThat(response.output().get(3).asFunctionCall().callId()).isEqualTo("call_2");
    }

    private void thinksAndCalls() {
        node.does((request, answer) -> {
            answer.admit(7);
            answer.delta(Delta.newBuilder().setReasoning("hm"));
            answer.delta(Delta.newBuilder().setContent("Let me"));
            answer.delta(Delta.newBuilder().setContent(" see."));
            answer.delta(call(0, "call_1", "weather", ""));
            answer.delta(call(0, "", "", "{\"city\":"));
            answer.delta(call(0, "", "", "\"Cusco\"}"));
            answer.delta(call(1, "call_2", "time", "{}"));
            answer.finish(0, FinishReason.FINISH_REASON_TOOL_CALLS, 3);
            answer.complete(7, 0, 3);
        });
    }

    private static Delta.Builder call(int index, String id, String name, String arguments) {
        return Delta.newBuilder()
                .addToolCalls(ToolCallDelta.newBuilder()
                        .setIndex(index)
                        .setId(id)
                        .setName(name)
                        .setArguments(arguments));
    }

    @Test
    void theEventsOfAStream() throws Exception {
        thinksAndCalls();

        HttpResponse<String> response = post(PATH, "{\"input\":\"Hi\",\"stream\":true}");

        List<JsonNode> events = data(response.body());
        assertThat(events)
                .extracting(event -> event.get("type").asString().replace("response.", ""))
                .containsExactly(
                        "created",
                        "in_progress",
                        "output_item.added",
                        "content_part.added",
                        "reasoning_text.delta",
                        "reasoning_text.done",
                        "content_part.done",
                        "output_item.done",
                        "output_item.added",
                        "content_part.added",
                        "output_text.delta",
                        "output_text.delta",
                        "output_text.done",
                        "content_part.done",
                        "output_item.done",
                        "output_item.added",
                        "function_call_arguments.delta",
                        "function_call_arguments.delta",
                        "function_call_arguments.done",
                        "output_item.done",
                        "output_item.added",
                        "function_call_arguments.delta",
                        "function_call_arguments.done",
                        "output_item.done",
                        "completed");
        for (int i = 0; i < events.size(); i++) {
            assertThat(events.get(i).get("sequence_number").asInt()).isEqualTo(i);
        }
        String id = events.get(8).at("/item/id").asString();
        assertThat(events.get(10).toString())
                .isEqualTo("{\"type\":\"response.output_text.delta\",\"sequence_number\":10,\"item_id\":\"" + id
                        + "\",\"output_index\":1,\"content_index\":0,\"logprobs\":[],\"delta\":\"Let me\"}");
        assertThat(events.get(14).at("/item").toString())
                .isEqualTo("{\"id\":\"" + id + "\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":"
                        + "\"output_text\",\"text\":\"Let me see.\",\"annotations\":[],\"logprobs\":[]}],"
                        + "\"status\":\"completed\"}");
        assertThat(events.get(24).at("/response/usage/output_tokens").asInt()).isEqualTo(3);
        assertThat(response.body())
                .startsWith("event: response.created\ndata: {")
                .doesNotContain("[DONE]");
    }

    @Test
    void aResponseGoesOnFromAnother() throws Exception {
        thinksAndCalls();
        String first = json(post(
                                PATH,
                                "{\"input\":\"Hi\",\"instructions\":\"old\",\"tools\":[{\"type\":\"function\","
                                        + "\"name\":\"weather\",\"parameters\":{\"type\":\"object\"}}]}")
                        .body())
                .get("id")
                .asString();
        node.requests.clear();

        JsonNode second = json(post(
                        PATH,
                        "{\"previous_response_id\":\"" + first + "\",\"instructions\":\"new\",\"input\":["
                                + "{\"type\":\"function_call_output\",\"call_id\":\"call_1\",\"output\":\"rain\"},"
                                + "{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"And?\"}]}]}")
                .body());

        assertThat(second.get("previous_response_id").asString()).isEqualTo(first);
        ChatRequest sent = node.requests.element();
        assertThat(sent.getMessagesList())
                .extracting(ChatMessage::getRole)
                .containsExactly("system", "user", "assistant", "tool", "user");
        assertThat(sent.getMessages(0).getContent(0).getText()).isEqualTo("new");
        ChatMessage said = sent.getMessages(2);
        assertThat(said.getReasoning()).isEqualTo("hm");
        assertThat(said.getContent(0).getText()).isEqualTo("Let me see.");
        assertThat(said.getToolCallsList()).extracting(c -> c.getId()).containsExactly("call_1", "call_2");
        assertThat(sent.getMessages(3).getToolCallId()).isEqualTo("call_1");
    }

    @Test
    void itemsOfTheAssistantAreOneMessage() throws Exception {
        post(
                PATH,
                "{\"input\":[{\"role\":\"user\",\"content\":\"a\"},"
                        + "{\"type\":\"reasoning\",\"summary\":[{\"type\":\"summary_text\",\"text\":\"t\"}]},"
                        + "{\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\","
                        + "\"text\":\"b\",\"annotations\":[]}]},"
                        + "{\"type\":\"function_call\",\"call_id\":\"1\",\"name\":\"f\",\"arguments\":\"{}\"},"
                        + "{\"type\":\"function_call_output\",\"call_id\":\"1\",\"output\":\"c\"},"
                        + "{\"role\":\"assistant\",\"content\":\"d\"},{\"role\":\"assistant\",\"content\":\"e\"}]}");

        ChatRequest sent = node.requests.element();
        assertThat(sent.getMessagesList())
                .extracting(ChatMessage::getRole)
                .containsExactly("user", "assistant", "tool", "assistant", "assistant");
        assertThat(sent.getMessages(1).getReasoning()).isEqualTo("t");
        assertThat(sent.getMessages(1).getToolCalls(0).getName()).isEqualTo("f");
    }

    @Test
    void aStoredResponseIsShownAndRemoved() {
        Response made = client.responses().create(params().build());

        Response shown = client.responses().retrieve(made.id());
        client.responses().delete(made.id());

        assertThat(shown).isEqualTo(made);
        assertThatThrownBy(() -> client.responses().retrieve(made.id())).isInstanceOf(NotFoundException.class);
    }

    @Test
    void aResponseThatIsNotToBeStoredIsNot() {
        Response made = client.responses().create(params().store(false).build());

        assertThat(text(made)).isEqualTo("Hello wörld!");
        assertThatThrownBy(() -> client.responses().retrieve(made.id())).isInstanceOf(NotFoundException.class);
    }

    @Test
    void oneInTheBackgroundIsAskedForLater() throws Exception {
        CountDownLatch mayEnd = new CountDownLatch(1);
        node.does((request, answer) -> {
            mayEnd.await();
            ScriptedNode.saying("done").answer(request, answer);
        });

        Response made = client.responses().create(params().background(true).build());
        assertThat(made.status()).hasValue(ResponseStatus.IN_PROGRESS);
        mayEnd.countDown();
        await(() ->
                client.responses().retrieve(made.id()).status().orElseThrow().equals(ResponseStatus.COMPLETED));

        assertThat(text(client.responses().retrieve(made.id()))).isEqualTo("done");
    }

    @Test
    void aStreamInTheBackgroundIsReadOnFromWhereItBroke() throws Exception {
        CountDownLatch mayEnd = new CountDownLatch(1);
        node.does((request, answer) -> {
            answer.admit(1);
            answer.say(0, "one ");
            mayEnd.await();
            answer.say(0, "two");
            answer.finish(0, FinishReason.FINISH_REASON_STOP, 2);
            answer.complete(1, 0, 2);
        });
        AtomicReference<String> id = new AtomicReference<>();
        try (StreamResponse<ResponseStreamEvent> stream =
                client.responses().createStreaming(params().background(true).build())) {
            ResponseStreamEvent created = stream.stream().findFirst().orElseThrow();
            id.set(created.asCreated().response().id());
        }
        mayEnd.countDown();

        StringBuilder text = new StringBuilder();
        List<Long> numbers = new ArrayList<>();
        try (StreamResponse<ResponseStreamEvent> rest = client.responses()
                .retrieveStreaming(
                        id.get(),
                        ResponseRetrieveParams.builder().startingAfter(1).build())) {
            rest.stream().forEach(event -> {
                event.validate();
                event.outputTextDelta().ifPresent(delta -> {
                    text.append(delta.delta());
                    numbers.add(delta.sequenceNumber());
                });
            });
        }

        assertThat(text.toString()).isEqualTo("one two");
        assertThat(numbers).containsExactly(4L, 5L);
        assertThat(data(get(PATH + "/" + id.get() + "?stream=true").body()))
                .extracting(event -> event.get("type").asString())
                .startsWith("response.created", "response.in_progress")
                .endsWith("response.completed");
        assertThat(node.cancelled).isEmpty();
    }

    @Test
    void whatWasNotMadeForItIsNotToldAgain() throws Exception {
        Response made = client.responses().create(params().build());

        for (String query : List.of("?stream=true", "?stream=maybe", "?starting_after=-1", "?starting_after=x")) {
            HttpResponse<String> refused = get(PATH + "/" + made.id() + query);
            assertThat(refused.statusCode()).as(query).isEqualTo(400);
            assertThat(query).contains(json(refused.body()).at("/error/param").asString());
        }
    }

    @Test
    void whatAResponseWasMadeOfIsListed() throws Exception {
        thinksAndCalls();
        String first = json(post(PATH, "{\"input\":\"Hi\"}").body()).get("id").asString();
        String second = json(post(
                                PATH,
                                "{\"previous_response_id\":\"" + first + "\",\"input\":["
                                        + "{\"type\":\"function_call_output\",\"call_id\":\"call_1\",\"output\":\"rain\"}]}")
                        .body())
                .get("id")
                .asString();

        List<ResponseItem> items = client
                .responses()
                .inputItems()
                .list(
                        second,
                        InputItemListParams.builder()
                                .limit(2)
                                .order(InputItemListParams.Order.ASC)
                                .build())
                .autoPager()
                .stream()
                .toList();

        JsonNode all = json(get(PATH + "/" + second + "/input_items").body());
        assertThat(items).hasSize(6);
        assertThat(items.get(0)
                        .asResponseInputMessageItem()
                        .content()
                        .get(0)
                        .asInputText()
                        .text())
                .isEqualTo("Hi");
        assertThat(items.get(3).asFunctionCall().name()).isEqualTo("weather");
        assertThat(all.get("has_more").asBoolean()).isFalse();
        assertThat(all.get("data"))
                .extracting(item -> item.get("type").asString())
                .containsExactly(
                        "function_call_output", "function_call", "function_call", "message", "reasoning", "message");
        assertThat(get(PATH + "/" + second + "/input_items?after=x").statusCode())
                .isEqualTo(400);
    }

    @Test
    void itemsOfStoredResponsesAreNamedInsteadOfRepeated() throws Exception {
        thinksAndCalls();
        JsonNode output = json(post(PATH, "{\"input\":\"Hi\"}").body()).get("output");
        node.requests.clear();

        StringBuilder references = new StringBuilder();
        output.forEach(item -> references
                .append("{\"type\":\"item_reference\",\"id\":\"")
                .append(item.get("id").asString())
                .append("\"},"));
        post(
                PATH,
                "{\"input\":[{\"role\":\"user\",\"content\":\"Hi\"}," + references
                        + "{\"type\":\"function_call_output\",\"call_id\":\"call_1\",\"output\":\"rain\"}]}");

        ChatRequest sent = node.requests.element();
        assertThat(sent.getMessagesList())
                .extracting(ChatMessage::getRole)
                .containsExactly("user", "assistant", "tool");
        ChatMessage said = sent.getMessages(1);
        assertThat(said.getReasoning()).isEqualTo("hm");
        assertThat(said.getContent(0).getText()).isEqualTo("Let me see.");
        assertThat(said.getToolCallsList()).extracting(c -> c.getName()).containsExactly("weather", "time");
    }

    @Test
    void probabilitiesWhereTheyAreAskedFor() throws Exception {
        node.does((request, answer) -> {
            answer.admit(1);
            answer.delta(Delta.newBuilder()
                    .setContent("a")
                    .addLogprobs(TokenLogprob.newBuilder()
                            .setPiece(ByteString.copyFromUtf8("a"))
                            .setLogprob(-0.5f)
                            .addTop(TopLogprob.newBuilder()
                                    .setPiece(ByteString.copyFromUtf8("b"))
                                    .setLogprob(-1))));
            answer.finish(0, FinishReason.FINISH_REASON_STOP, 1);
            answer.complete(1, 0, 1);
        });
        Response response = client.responses()
                .create(params().topLogprobs(1)
                        .addInclude(ResponseIncludable.MESSAGE_OUTPUT_TEXT_LOGPROBS)
                        .build());
        List<JsonNode> events = data(post(
                        PATH,
                        "{\"input\":\"Hi\",\"stream\":true,\"include\":[\"message.output_text.logprobs\","
                                + "\"reasoning.encrypted_content\"]}")
                .body());

        response.validate();
        assertThat(response.output()
                        .get(0)
                        .asMessage()
                        .content()
                        .get(0)
                        .asOutputText()
                        .logprobs()
                        .orElseThrow()
                        .get(0)
                        .logprob())
                .isEqualTo(-0.5);
        assertThat(node.requests.remove().getLogprobs().getTop()).isEqualTo(1);
        assertThat(node.requests.remove().hasLogprobs()).isTrue();
        assertThat(events.get(4).at("/logprobs/0/top_logprobs/0/token").asString())
                .isEqualTo("b");
        assertThat(events.get(5).at("/logprobs/0/token").asString()).isEqualTo("a");
    }

    @Test
    void theTokensOfAPromptAreCounted() throws Exception {
        JsonNode counted = json(post(PATH + "/input_tokens", "{\"input\":\"Hi\",\"instructions\":\"Be.\"}")
                .body());

        assertThat(counted.toString()).isEqualTo("{\"object\":\"response.input_tokens\",\"input_tokens\":42}");
        assertThat(node.requests.element().getMessagesCount()).isEqualTo(2);
    }

    @Test
    void onlySomeOfTheToolsAreAllowed() throws Exception {
        String tools = "\"tools\":[{\"type\":\"function\",\"name\":\"a\"},{\"type\":\"function\",\"name\":\"b\"}]";
        post(
                PATH,
                "{\"input\":\"Hi\"," + tools + ",\"tool_choice\":{\"type\":\"allowed_tools\",\"mode\":\"required\","
                        + "\"tools\":[{\"type\":\"function\",\"name\":\"b\"}]}}");

        ChatRequest sent = node.requests.element();
        assertThat(sent.getToolsList()).extracting(Tool::getName).containsExactly("b");
        assertThat(sent.getToolChoice().getMode()).isEqualTo(ToolChoice.Mode.MODE_REQUIRED);
    }

    @Test
    void cancellingFreesTheNode() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        node.does((request, answer) -> {
            answer.admit(1);
            answer.say(0, "a");
            begun.countDown();
        });
        Response made = client.responses().create(params().background(true).build());
        assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();

        Response cancelled = client.responses().cancel(made.id());

        assertThat(cancelled.status()).hasValue(ResponseStatus.CANCELLED);
        assertThat(node.cancelled.poll(10, TimeUnit.SECONDS)).isNotNull();
        assertThat(client.responses().cancel(made.id()).status()).hasValue(ResponseStatus.CANCELLED);
    }

    @Test
    void anAnswerCutByItsLengthIsIncomplete() throws Exception {
        node.does((request, answer) -> {
            answer.admit(1);
            answer.say(0, "a");
            answer.finish(0, FinishReason.FINISH_REASON_LENGTH, 1);
            answer.complete(1, 0, 1);
        });

        JsonNode whole =
                json(post(PATH, "{\"input\":\"Hi\",\"max_output_tokens\":1}").body());
        List<JsonNode> events =
                data(post(PATH, "{\"input\":\"Hi\",\"stream\":true}").body());

        assertThat(whole.get("status").asString()).isEqualTo("incomplete");
        assertThat(whole.at("/incomplete_details/reason").asString()).isEqualTo("max_output_tokens");
        assertThat(whole.at("/output/0/status").asString()).isEqualTo("incomplete");
        assertThat(node.requests.element().getLimits().getMaxTokens()).isEqualTo(1);
        assertThat(events.get(events.size() - 1).get("type").asString()).isEqualTo("response.incomplete");
    }

    @Test
    void aFailureInTheMiddleIsToldTwice() throws Exception {
        node.does((request, answer) -> {
            answer.admit(1);
            answer.say(0, "a");
            answer.fail(ScriptedNode.error(
                    Status.Code.UNAVAILABLE, ErrorReason.ERROR_REASON_SHUTTING_DOWN, "It ends.", null, 1000));
        });

        List<JsonNode> events =
                data(post(PATH, "{\"input\":\"Hi\",\"stream\":true}").body());

        JsonNode failed = events.get(events.size() - 2);
        assertThat(failed.get("type").asString()).isEqualTo("response.failed");
        assertThat(failed.at("/response/error/message").asString()).isEqualTo("It ends.");
        assertThat(events.get(events.size() - 1).get("type").asString()).isEqualTo("error");
        assertThat(events.get(events.size() - 1).get("code").asString()).isEqualTo("shutting_down");
        assertThat(json(get(PATH + "/" + failed.at("/response/id").asString()).body())
                        .get("status")
                        .asString())
                .isEqualTo("failed");
    }

    @Test
    void onlySoManyAreKept() throws Exception {
        String first = json(post(PATH, "{\"input\":\"Hi\"}").body()).get("id").asString();
        for (int i = 0; i < 1_000; i++) {
            post(PATH, "{\"input\":\"Hi\"}");
        }

        assertThat(get(PATH + "/" + first).statusCode()).isEqualTo(404);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\u0000',
            value = {
                "{}|input: absent (expected: a string or an array of items)",
                "{\"input\":[]}|input: an empty array (expected: a string or an array of items)",
                "{\"input\":[{\"role\":\"bot\",\"content\":\"a\"}]}|input[0].role: \"bot\" (expected: user, assistant,"
                        + " system, developer)",
                "{\"input\":[{\"type\":\"item_reference\",\"id\":\"x\"}]}|input[0].id: \"x\" (expected: the name of"
                        + " an item of a stored response)",
                "{\"input\":[{\"type\":\"mcp_call\"}]}|input[0].type: \"mcp_call\" (expected: message, function_call,"
                        + " function_call_output, reasoning or item_reference)",
                "{\"input\":\"a\",\"include\":[7]}|include[0]: 7 (expected: a string)",
                "{\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_image\"}]}]}|input[0].content[0].type:"
                        + " \"input_image\" (expected: input_text; other kinds of content are not supported)",
                "{\"input\":\"a\",\"tools\":[{\"type\":\"web_search\"}]}|tools[0].type: \"web_search\" (expected:"
                        + " function; tools that the server runs are not supported)",
                "{\"input\":\"a\",\"truncation\":\"always\"}|truncation: \"always\" (expected: disabled, auto)",
                "{\"input\":\"a\",\"conversation\":\"c\"}|conversation: \"c\" (expected: absent; this server has none)",
                "{\"input\":\"a\",\"background\":true,\"store\":false}|background: true without store (expected: stored,"
                        + " and asked for later)",
                "{\"input\":\"a\",\"text\":{\"format\":{\"type\":\"json_schema\"}}}|text.format.schema: absent"
                        + " (expected: a JSON schema)",
                "{\"input\":\"a\",\"tool_choice\":\"required\"}|tool_choice: \"required\" without tools (expected: tools"
                        + " to choose from)",
            })
    void namesTheFieldAndWhatItShouldBe(String body, String message) throws Exception {
        HttpResponse<String> response = post(PATH, body);

        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(json(response.body()).at("/error/message").asString()).isEqualTo(message);
    }

    /** Ten tokens a message of a hundred; 75 are for the prompt, and after a cut 57. */
    private void holdsFewMessages() {
        node.counts(request -> 10 * request.getMessagesCount(), 100);
    }

    private static String input(String... messages) {
        StringBuilder items = new StringBuilder();
        for (String message : messages) {
            String[] parts = message.split(":", 2);
            items.append(items.isEmpty() ? "" : ",")
                    .append(
                            switch (parts[0]) {
                                case "call" ->
                                    "{\"type\":\"function_call\",\"call_id\":\"" + parts[1]
                                            + "\",\"name\":\"f\",\"arguments\":\"{}\"}";
                                case "result" ->
                                    "{\"type\":\"function_call_output\",\"call_id\":\"" + parts[1] + "\",\"output\":\""
                                            + parts[1] + "\"}";
                                default -> "{\"role\":\"" + parts[0] + "\",\"content\":\"" + parts[1] + "\"}";
                            });
        }
        return "{\"truncation\":\"auto\",\"input\":[" + items + "]";
    }

    private List<String> wentToTheModel() {
        List<ChatRequest> countedAndAsked = List.copyOf(node.requests);
        return countedAndAsked.get(countedAndAsked.size() - 1).getMessagesList().stream()
                .map(message -> message.getRole() + ":"
                        + (message.getContentCount() > 0
                                ? message.getContent(0).getText()
                                : message.getToolCalls(0).getId()))
                .toList();
    }

    @Test
    void theOldestTurnsAreLeftOutWhereTheContextDoesNotHoldThem() throws Exception {
        holdsFewMessages();
        HttpResponse<String> small = post(PATH, input("user:a", "assistant:b", "user:c") + "}");
        assertThat(json(small.body()).get("truncation").asString()).isEqualTo("auto");
        assertThat(wentToTheModel()).containsExactly("user:a", "assistant:b", "user:c");

        String[] long9 = {
            "developer:s", "user:a", "assistant:b", "user:c", "assistant:d", "user:e", "assistant:f", "user:g", "user:h"
        };
        JsonNode counted = json(post(PATH + "/input_tokens", input(long9) + "}").body());
        assertThat(counted.get("input_tokens").asInt()).isEqualTo(50);
        JsonNode first = json(post(PATH, input(long9) + "}").body());
        assertThat(first.get("status").asString()).isEqualTo("completed");
        assertThat(wentToTheModel()).containsExactly("developer:s", "user:e", "assistant:f", "user:g", "user:h");

        post(
                PATH,
                input("user:i") + ",\"previous_response_id\":\""
                        + first.get("id").asString() + "\"}");
        assertThat(wentToTheModel())
                .as("the next turn begins alike")
                .containsExactly(
                        "developer:s", "user:e", "assistant:f", "user:g", "user:h", "assistant:Hello wörld!", "user:i");
    }

    @Test
    void ofALongTurnTheOldestCallsAreLeftOutWithTheirResults() throws Exception {
        holdsFewMessages();
        post(
                PATH,
                input(
                                "user:x",
                                "assistant:y",
                                "user:a",
                                "call:1",
                                "result:1",
                                "call:2",
                                "result:2",
                                "call:3",
                                "result:3",
                                "call:4",
                                "result:4")
                        + "}");
        assertThat(wentToTheModel()).containsExactly("user:a", "assistant:3", "tool:3", "assistant:4", "tool:4");
    }

    @Test
    void whereNothingFitsTheLastQuestionGoes() throws Exception {
        node.counts(request -> 1000, 100);
        post(PATH, input("system:s", "user:a", "assistant:b", "user:c") + "}");
        assertThat(wentToTheModel()).containsExactly("system:s", "user:c");
    }

    @Test
    void whatIsUnknownIsNotFound() throws Exception {
        HttpResponse<String> previous = post(PATH, "{\"input\":\"a\",\"previous_response_id\":\"resp_x\"}");
        assertThat(previous.statusCode()).isEqualTo(400);
        assertThat(json(previous.body()).get("error"))
                .isEqualTo(json(
                        "{\"message\":\"previous_response_id: resp_x (expected: a stored response; it may have been "
                                + "forgotten)\",\"type\":\"invalid_request_error\",\"param\":\"previous_response_id\","
                                + "\"code\":\"previous_response_not_found\"}"));
        assertThat(get(PATH + "/resp_x").statusCode()).isEqualTo(404);
        assertThat(post(PATH + "/resp_x/cancel", "").statusCode()).isEqualTo(404);
        assertThat(send(HttpRequest.newBuilder(uri(PATH + "/resp_x")).DELETE()).statusCode())
                .isEqualTo(404);
    }

    private static ResponseCreateParams.Builder params() {
        return ResponseCreateParams.builder().model("gpt-4o-mini").input("Hi");
    }
}
