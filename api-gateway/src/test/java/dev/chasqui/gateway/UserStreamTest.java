package dev.chasqui.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.proto.v1.FinishReason;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** {@code /api/stream/local} over the wire. */
class UserStreamTest extends GatewayTest {
    private static final Pattern ID = Pattern.compile("(?m)^id: (\\d+)$");

    @TempDir
    Path folder;

    private final BlockingQueue<String> words = new LinkedBlockingQueue<>();

    @Override
    GatewaySettings settings() {
        GatewaySettings.Stored usual = GatewaySettings.Stored.defaults();
        return stored(new GatewaySettings.Stored(
                "file:" + folder.resolve("chasqui"),
                usual.maxHistoryMessages(),
                false,
                usual.undo(),
                usual.retention(),
                usual.mostEvents(),
                usual.queue(),
                usual.backpressure()));
    }

    /** Says what the test gives it, until it says "end". */
    private void dictate() {
        node.does((request, answer) -> {
            answer.admit(3);
            for (String word = words.take(); !word.equals("end"); word = words.take()) {
                answer.say(0, word);
            }
            answer.finish(0, FinishReason.FINISH_REASON_STOP, 2);
            answer.complete(3, 0, 2);
        });
    }

    @Test
    void tellsWhatHappensAndAgainToWhoComesBack() throws Exception {
        dictate();
        String id = create();
        String cursor;
        try (RawStream stream = RawStream.get(gateway.port(), "/api/stream/local")) {
            stream.await("\"hello\"");
            ask(id);
            stream.await("\"status\":\"running\"");
            words.add("one");
            String seen = stream.await("\"offset\":0,\"content\":\"one\"");
            cursor = lastId(seen);
        }
        words.add(" two");
        await(() -> text(id).equals("one two"));
        try (RawStream stream = RawStream.get(gateway.port(), "/api/stream/local", "Last-Event-ID: " + cursor)) {
            stream.await("\"offset\":0,\"content\":\"one two\"");
            words.add(" three");
            stream.await("\"offset\":7,\"content\":\" three\"");
            words.add("end");
            stream.await("\"content\":\"one two three\"");
        }
        try (RawStream stream = RawStream.get(gateway.port(), "/api/stream/local?last_event_id=" + cursor)) {
            String all = stream.await("\"type\":\"conversation\"");
            assertThat(all).contains("\"content\":\"one two three\"").doesNotContain("\"offset\"");
        }
    }

    @Test
    void twoReadersSeeTheSameAndOneStopsForBoth() throws Exception {
        dictate();
        String id = create();
        try (RawStream one = RawStream.get(gateway.port(), "/api/stream/local");
                RawStream other = RawStream.get(gateway.port(), "/api/stream/local")) {
            one.await("\"hello\"");
            other.await("\"hello\"");
            ask(id);
            words.add("some");
            one.await("\"content\":\"some\"");
            other.await("\"content\":\"some\"");
            post("/api/conversations/" + id + "/stop", "{}");
            one.await("\"status\":\"stopped\"");
            other.await("\"status\":\"stopped\"");
        }
    }

    @Test
    void outlivesTheGateway() throws Exception {
        String id = create();
        String cursor;
        try (RawStream stream = RawStream.get(gateway.port(), "/api/stream/local")) {
            cursor = lastId(stream.await("\"hello\""));
        }
        ask(id);
        await(() -> text(id).equals("Hello wörld!") && status(id).equals("complete"));
        gateway.close();
        gateway = Gateway.start(settings());
        await(this::isReady);

        try (RawStream stream = RawStream.get(gateway.port(), "/api/stream/local", "Last-Event-ID: " + cursor)) {
            String all = stream.await("\"content\":\"Hello wörld!\"");
            assertThat(all).doesNotContain("reset");
        }
        try (RawStream stream = RawStream.get(gateway.port(), "/api/stream/local", "Last-Event-ID: 999999")) {
            stream.await("\"type\":\"reset\"");
        }
        try (RawStream stream = RawStream.get(gateway.port(), "/api/stream/local", "Last-Event-ID: what?")) {
            stream.await("\"type\":\"reset\"");
        }
    }

    @Test
    void whatIsSentIsCounted() throws Exception {
        dictate();
        String id = create();
        double before = metric("sse_events_sent_total");
        try (RawStream stream = RawStream.get(gateway.port(), "/api/stream/local")) {
            stream.await("\"hello\"");
            ask(id);
            stream.await("\"status\":\"running\"");
            // By now it has caught up, and tells each word as it comes.
            words.add("begin");
            stream.await("\"content\":\"begin\"");
            for (int i = 0; i < 20; i++) {
                words.add("w" + i);
                stream.await("\"content\":\"w" + i + "\"");
            }
            words.add("end");
            stream.await("\"finish_reason\":\"stop\"");
            await(() -> count(stream) == metric("sse_events_sent_total") - before);
            List<String> types = new ArrayList<>(List.of("hello", "conversation", "message", "message"));
            types.addAll(Collections.nCopies(21, "token"));
            types.addAll(List.of("message", "conversation"));
            assertThat(data(stream.text()))
                    .extracting(event -> event.get("type").asString())
                    .containsExactlyElementsOf(types);
        }
        assertThat(metric("sse_events_dropped_total")).isZero();
        assertThat(metric("sse_queue_depth")).isZero();
        assertThat(metric("sse_queue_occupancy_ratio")).isZero();
    }

    private static int count(RawStream stream) {
        try {
            stream.drain();
            return data(stream.text()).size();
        } catch (java.io.IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private double metric(String name) {
        try {
            return get("/metrics")
                    .body()
                    .lines()
                    .filter(line -> line.startsWith(name + " "))
                    .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
                    .findFirst()
                    .orElseThrow();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static String lastId(String stream) {
        Matcher ids = ID.matcher(stream);
        String last = "";
        while (ids.find()) {
            last = ids.group(1);
        }
        return last;
    }

    private String create() throws Exception {
        return json(post("/api/conversations", "{}").body()).at("/data/id").asString();
    }

    private void ask(String id) throws Exception {
        assertThat(post("/api/conversations/" + id + "/messages", "{\"content\":\"Go\"}")
                        .statusCode())
                .isEqualTo(200);
    }

    private JsonNode answer(String id) {
        try {
            List<JsonNode> messages = json(get("/api/conversations/" + id + "/messages")
                            .body())
                    .at("/data/messages")
                    .valueStream()
                    .toList();
            return messages.get(messages.size() - 1);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private String text(String id) {
        return answer(id).get("content").asString();
    }

    private String status(String id) {
        return answer(id).get("status").asString();
    }
}
