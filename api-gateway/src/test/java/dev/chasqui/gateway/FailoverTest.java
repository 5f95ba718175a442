package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.proto.v1.Admitted;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.Delta;
import dev.chasqui.proto.v1.ErrorReason;
import dev.chasqui.proto.v1.FinishReason;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.ResumedChoice;
import io.grpc.Status;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** A node is lost in mid-answer: the other one goes on, and the client sees one unbroken answer. */
class FailoverTest extends GatewayTest {
    private static final int TOKENS = 40;
    private static final String WHOLE =
            IntStream.range(0, TOKENS).mapToObj(i -> "w" + i + " ").collect(Collectors.joining());

    @SuppressWarnings("NullAway.Init") // settings() makes it.
    private ScriptedNode other;

    private int nodePort;
    private int otherPort;
    private final List<ScriptedNode> later = new ArrayList<>();

    /** Tokens that the client of the stream has read, while there is one. */
    private volatile int heard;

    private volatile boolean reading;

    @BeforeEach
    void bothAreThere() throws Exception {
        await(() -> nodesUp() == 2);
    }

    @Override
    GatewaySettings settings() {
        try {
            other = new ScriptedNode();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        nodePort = node.port();
        otherPort = other.port();
        return twoNodes(
                other,
                GatewaySettings.Limits.defaults()
                        .with(Duration.ofSeconds(5), Duration.ofSeconds(10), Duration.ofSeconds(5)));
    }

    @AfterEach
    void stopTheOthers() {
        other.close();
        later.forEach(ScriptedNode::close);
    }

    /** Something that happens before a token. */
    private interface Accident {
        void before(int token, ScriptedNode.Answer answer) throws Exception;
    }

    /** Token number i says "wi ", and {@link #TOKENS} of them are an answer; goes on where the request says. */
    private static ScriptedNode.Script counting(Accident accident) {
        return (request, answer) -> {
            answer.send(admitted("same"));
            int begun = request.hasResume() ? request.getResume().getChoices(0).getTokenIdsCount() : 0;
            for (int i = begun; i < TOKENS - 1; i++) {
                accident.before(i, answer);
                answer.send(token(0, i, false));
            }
            answer.send(token(0, TOKENS - 1, true));
            accident.before(TOKENS - 1, answer);
            answer.finish(0, FinishReason.FINISH_REASON_STOP, TOKENS);
            accident.before(TOKENS, answer);
            answer.complete(7, 3, TOKENS);
        };
    }

    private static final Pattern TOKEN = Pattern.compile("w\\d+ ");

    private static final Accident NONE = (token, answer) -> {};

    private static GenerationEvent admitted(String fingerprint) {
        return GenerationEvent.newBuilder()
                .setAdmitted(Admitted.newBuilder()
                        .setModel(ScriptedNode.MODEL)
                        .setPromptTokens(7)
                        .setSeed(77)
                        .setModelFingerprint(fingerprint))
                .build();
    }

    private static GenerationEvent token(int choice, int number, boolean last) {
        Delta.Builder delta = Delta.newBuilder()
                .setChoice(choice)
                .setContent("w" + number + " ")
                .setTokens(1)
                .setFinal(last);
        if (!last) {
            delta.addTokenIds(number);
        }
        return GenerationEvent.newBuilder().setDelta(delta).build();
    }

    /** Whichever node is asked dies at this token; the other one does not. */
    private void oneDiesAt(int token) {
        for (ScriptedNode one : List.of(node, other)) {
            ScriptedNode rest = one == node ? other : node;
            one.does(counting((at, answer) -> {
                if (at == token) {
                    rest.does(counting(NONE));
                    die(one, answer, at);
                }
            }));
        }
    }

    /** As a process that is killed once its last token has reached the client, if that one reads a stream. */
    private void die(ScriptedNode node, ScriptedNode.Answer answer, int token) throws InterruptedException {
        awaitHeard(token);
        node.close();
        while (!answer.isCancelled()) {
            Thread.interrupted();
            LockSupport.parkNanos(1_000_000);
        }
        throw new InterruptedException();
    }

    private void awaitHeard(int tokens) {
        while (reading && heard < tokens) {
            LockSupport.parkNanos(1_000_000);
        }
    }

    private ScriptedNode backAt(int port) throws IOException {
        ScriptedNode back = new ScriptedNode(port);
        later.add(back);
        return back;
    }

    private ScriptedNode survivor() {
        return node.requests.isEmpty() || node.requests.stream().anyMatch(ChatRequest::hasResume) ? node : other;
    }

    private static String text(String body) {
        return data(body).stream()
                .map(event -> event.path("choices")
                        .path(0)
                        .path("delta")
                        .path("content")
                        .asString(""))
                .collect(Collectors.joining());
    }

    private String stream(String more) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(uri("/v1/chat/completions"))
                .header("content-type", "application/json")
                .timeout(Duration.ofSeconds(60))
                .POST(HttpRequest.BodyPublishers.ofString(
                        "{\"stream\":true,\"stream_options\":{\"include_usage\":true}," + more
                                + "\"messages\":[{\"role\":\"user\",\"content\":\"count\"}]}"))
                .build();
        heard = 0;
        reading = true;
        try {
            HttpResponse<Stream<String>> response = HTTP.send(request, HttpResponse.BodyHandlers.ofLines());
            assertThat(response.statusCode()).isEqualTo(200);
            StringBuilder body = new StringBuilder();
            response.body().forEach(line -> {
                body.append(line).append('\n');
                heard += (int) TOKEN.matcher(line).results().count();
            });
            return body.toString();
        } finally {
            reading = false;
        }
    }

    private static JsonNode usage(String body) {
        List<JsonNode> events = data(body);
        return events.get(events.size() - 1).path("usage");
    }

    private static @Nullable JsonNode error(String body) {
        return data(body).stream()
                .map(event -> event.path("error"))
                .filter(error -> !error.isMissingNode())
                .findFirst()
                .orElse(null);
    }

    private int nodesUp() {
        return nodes("up");
    }

    private int nodes(String state) {
        try {
            return json(get("/api/health").body()).path("nodes").path(state).asInt();
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void theOtherNodeGoesOnBehindTheLastToken() throws Exception {
        oneDiesAt(17);

        String body = stream("");

        assertThat(text(body)).isEqualTo(WHOLE);
        assertThat(body).endsWith("data: [DONE]\n\n").containsOnlyOnce("\"role\"");
        assertThat(usage(body).path("completion_tokens").asInt()).isEqualTo(TOKENS);
        assertThat(usage(body).path("prompt_tokens").asInt()).isEqualTo(7);
        ChatRequest resumed = survivor().requests.remove();
        assertThat(resumed.getResume().getModelFingerprint()).isEqualTo("same");
        assertThat(resumed.getSampling().getSeed()).isEqualTo(77);
        assertThat(resumed.getResume().getChoicesList())
                .singleElement()
                .extracting(ResumedChoice::getTokenIdsList)
                .isEqualTo(IntStream.range(0, 17).boxed().toList());
        assertThat(get("/metrics").body())
                .contains("chasqui_answer_takeovers_total{outcome=\"gone_on\"} 1.0")
                .contains("chasqui_answer_takeover_pause_seconds_count 1");
    }

    @Test
    void atWhateverTokenItDies() throws Exception {
        for (int token = 1; token < TOKENS; token += 9) {
            stopTheOthers();
            stopBoth();
            startBoth();
            bothAreThere();
            oneDiesAt(token);
            assertThat(text(stream(""))).isEqualTo(WHOLE);
        }
    }

    @Test
    void beforeTheFirstToken() throws Exception {
        oneDiesAt(0);
        String body = stream("");
        assertThat(text(body)).isEqualTo(WHOLE);
        assertThat(body).containsOnlyOnce("\"role\"");
    }

    @Test
    void whatEndsAnAnswerIsSaidOnceThoughItsNodeDiesOverIt() throws Exception {
        oneDiesAt(TOKENS - 1);
        String body = stream("");
        assertThat(text(body)).isEqualTo(WHOLE);
        assertThat(usage(body).path("completion_tokens").asInt()).isEqualTo(TOKENS);
    }

    @Test
    void whatOnlyLacksItsSumNeedsNoOtherNode() throws Exception {
        oneDiesAt(TOKENS);
        String body = stream("");
        assertThat(text(body)).isEqualTo(WHOLE);
        assertThat(body).endsWith("data: [DONE]\n\n");
        assertThat(usage(body).path("completion_tokens").asInt()).isEqualTo(TOKENS);
        assertThat(node.requests.size() + other.requests.size()).isEqualTo(1);
    }

    @Test
    void anAnswerThatIsNotStreamedAndOneOfTheOtherDialect() throws Exception {
        oneDiesAt(9);
        HttpResponse<String> whole =
                post("/v1/chat/completions", "{\"messages\":[{\"role\":\"user\",\"content\":\"count\"}]}");
        assertThat(json(whole.body())
                        .path("choices")
                        .path(0)
                        .path("message")
                        .path("content")
                        .asString())
                .isEqualTo(WHOLE);

        ScriptedNode first = survivor();
        ScriptedNode back = backAt(first == node ? otherPort : nodePort);
        await(() -> nodesUp() == 2);
        for (ScriptedNode one : List.of(first, back)) {
            ScriptedNode rest = one == first ? back : first;
            one.does(counting((at, answer) -> {
                if (at == 23) {
                    rest.does(counting(NONE));
                    die(one, answer, at);
                }
            }));
        }
        String message = post(
                        "/v1/messages",
                        "{\"model\":\"" + ScriptedNode.MODEL
                                + "\",\"max_tokens\":100,\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"count\"}]}")
                .body();
        assertThat(data(message).stream()
                        .map(event -> event.path("delta").path("text").asString(""))
                        .collect(Collectors.joining()))
                .isEqualTo(WHOLE);
        assertThat(message).containsOnlyOnce("event: message_start").containsOnlyOnce("event: message_stop");
    }

    @Test
    void ofSeveralAnswersThoseGoOnThatHadNotEnded() throws Exception {
        for (ScriptedNode one : List.of(node, other)) {
            ScriptedNode rest = one == node ? other : node;
            one.does((request, answer) -> {
                answer.send(admitted("same"));
                for (int i = 0; i < 5; i++) {
                    answer.send(token(0, i, false));
                    answer.send(token(1, i, false));
                }
                answer.send(token(0, 5, true));
                answer.finish(0, FinishReason.FINISH_REASON_STOP, 6);
                rest.does((again, more) -> {
                    assertThat(again.getResume().getChoicesList())
                            .singleElement()
                            .satisfies(choice -> {
                                assertThat(choice.getChoice()).isEqualTo(1);
                                assertThat(choice.getTokenIdsList()).containsExactly(0, 1, 2, 3, 4);
                            });
                    more.send(admitted("same"));
                    more.send(token(1, 5, false));
                    more.send(token(1, 6, true));
                    more.finish(1, FinishReason.FINISH_REASON_LENGTH, 7);
                    more.complete(7, 0, 7);
                });
                die(one, answer, 11);
            });
        }
        String body = stream("\"n\":2,");
        for (int choice = 0; choice < 2; choice++) {
            int index = choice;
            assertThat(data(body).stream()
                            .map(event -> event.path("choices").path(0))
                            .filter(said -> said.path("index").asInt(-1) == index)
                            .map(said -> said.path("delta").path("content").asString(""))
                            .collect(Collectors.joining()))
                    .isEqualTo(IntStream.range(0, 6 + choice)
                            .mapToObj(i -> "w" + i + " ")
                            .collect(Collectors.joining()));
        }
        assertThat(usage(body).path("completion_tokens").asInt()).isEqualTo(13);
    }

    @Test
    void aNodeThatEndsHandsItsAnswersOver() throws Exception {
        for (ScriptedNode one : List.of(node, other)) {
            ScriptedNode rest = one == node ? other : node;
            one.does(counting((at, answer) -> {
                if (at == 12) {
                    rest.does(counting(NONE));
                    answer.fail(ScriptedNode.error(
                            Status.Code.UNAVAILABLE, ErrorReason.ERROR_REASON_SHUTTING_DOWN, "It ends.", null, 1000));
                    throw new InterruptedException();
                }
            }));
        }
        assertThat(text(stream(""))).isEqualTo(WHOLE);
    }

    @Test
    void theSameNodeGoesOnWhenItIsBack() throws Exception {
        other.close();
        await(() -> nodes("down") == 1);
        node.does(counting((at, answer) -> {
            if (at == 21) {
                die(node, answer, at);
            }
        }));
        CompletableFuture<String> answer = CompletableFuture.supplyAsync(() -> {
            try {
                return stream("");
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        await(() -> nodes("down") == 2);
        backAt(nodePort).does(counting(NONE));

        assertThat(text(answer.get())).isEqualTo(WHOLE);
    }

    @Test
    void whereNoNodeComesTheAnswerEndsWithAnError() throws Exception {
        other.close();
        await(() -> nodes("down") == 1);
        node.does(counting((at, answer) -> {
            if (at == 3) {
                die(node, answer, at);
            }
        }));
        String body = stream("");
        assertThat(text(body)).isEqualTo("w0 w1 w2 ");
        assertThat(error(body)).isNotNull();
        assertThat(get("/metrics").body()).contains("chasqui_answer_takeovers_total{outcome=\"given_up\"} 1.0");
    }

    @Test
    void aRequestThatBringsNodesDownIsGivenUp() throws Exception {
        AtomicInteger lost = new AtomicInteger();
        for (ScriptedNode one : List.of(node, other)) {
            one.does(counting((at, answer) -> {
                if (at == 5) {
                    lost.incrementAndGet();
                    answer.fail(Status.UNAVAILABLE.asRuntimeException());
                    throw new InterruptedException();
                }
            }));
        }
        String body = stream("");
        assertThat(text(body)).isEqualTo("w0 w1 w2 w3 w4 ");
        assertThat(error(body)).isNotNull();
        assertThat(lost.get()).isBetween(3, 5);
    }

    @Test
    void nodesThatEndAreNotHeldAgainstARequest() throws Exception {
        AtomicInteger ends = new AtomicInteger();
        for (ScriptedNode one : List.of(node, other)) {
            one.does(counting((at, answer) -> {
                if (at == 5 && ends.incrementAndGet() <= 6) {
                    answer.fail(ScriptedNode.error(
                            Status.Code.UNAVAILABLE, ErrorReason.ERROR_REASON_SHUTTING_DOWN, "It ends.", null, 0));
                    throw new InterruptedException();
                }
            }));
        }
        assertThat(text(stream(""))).isEqualTo(WHOLE);
        assertThat(ends.get()).isGreaterThan(6);
    }

    @Test
    void whatIsWrongWithTheAnswerIsNotTriedAgain() throws Exception {
        for (ScriptedNode one : List.of(node, other)) {
            one.does(counting((at, answer) -> {
                if (at == 5) {
                    answer.fail(ScriptedNode.error(
                            Status.Code.INTERNAL, ErrorReason.ERROR_REASON_INTERNAL, "It broke.", null, 0));
                    throw new InterruptedException();
                }
            }));
        }
        String body = stream("");
        assertThat(error(body)).isNotNull();
        assertThat(node.requests.size() + other.requests.size()).isEqualTo(1);
    }

    @Test
    void anotherModelOfTheSameNameDoesNotGoOn() throws Exception {
        for (ScriptedNode one : List.of(node, other)) {
            ScriptedNode rest = one == node ? other : node;
            one.does(counting((at, answer) -> {
                if (at == 5) {
                    rest.does(ScriptedNode.failing(
                            Status.Code.INVALID_ARGUMENT,
                            ErrorReason.ERROR_REASON_INVALID_REQUEST,
                            "resume.model_fingerprint: that of another model",
                            "resume.model_fingerprint",
                            0));
                    awaitHeard(at);
                    one.close();
                    ScriptedNode back = backAt(one == node ? nodePort : otherPort);
                    back.does(counting(NONE));
                    die(one, answer, at);
                }
            }));
        }
        assertThat(text(stream(""))).isEqualTo(WHOLE);
    }

    @Test
    void aNodeThatSaysNotEnoughToGoOnFailsTheAnswerAsEver() throws Exception {
        for (ScriptedNode one : List.of(node, other)) {
            one.does((request, answer) -> {
                answer.send(admitted("same"));
                answer.say(0, "Hello");
                answer.fail(Status.UNAVAILABLE.asRuntimeException());
            });
        }
        String body = stream("");
        assertThat(error(body)).isNotNull();
        assertThat(node.requests.size() + other.requests.size()).isEqualTo(1);
    }

    @Test
    void theTimeOfARequestGoesOnWhileItWaits() throws Exception {
        other.close();
        await(() -> nodes("down") == 1);
        node.does(counting((at, answer) -> {
            if (at == 3) {
                die(node, answer, at);
            }
        }));
        String body = stream("\"timeout_ms\":1000,");
        assertThat(text(body)).isEqualTo("w0 w1 w2 ");
        assertThat(String.valueOf(error(body))).contains("longer than allowed");
    }
}
