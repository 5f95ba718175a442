package dev.chasqui.gateway.anthropic;

import static org.assertj.core.api.Assertions.assertThat;

import dev.chasqui.gateway.answers.CollectedAnswer;
import dev.chasqui.gateway.nodes.NodeException;
import dev.chasqui.proto.v1.Admitted;
import dev.chasqui.proto.v1.Completed;
import dev.chasqui.proto.v1.Delta;
import dev.chasqui.proto.v1.ErrorReason;
import dev.chasqui.proto.v1.FinishReason;
import dev.chasqui.proto.v1.Finished;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.ToolCallDelta;
import dev.chasqui.proto.v1.Usage;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** Whole transcripts, letter by letter. */
class MessageEncoderTest {
    private static final String START = """
            event: message_start
            data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"tiny",\
            "content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":7,\
            "cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0}}}

            """;
    private static final String END = """
            "usage":{"input_tokens":4,"cache_creation_input_tokens":0,"cache_read_input_tokens":3,"output_tokens":2}}

            event: message_stop
            data: {"type":"message_stop"}

            """;

    @Test
    void plainText() {
        assertThat(transcript(admitted(), said("Hé\n"), said("\"llo"), finished(FinishReason.FINISH_REASON_STOP, "")))
                .isEqualTo(START + """
                        event: content_block_start
                        data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

                        event: content_block_delta
                        data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hé\\n"}}

                        event: content_block_delta
                        data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\\"llo"}}

                        event: content_block_stop
                        data: {"type":"content_block_stop","index":0}

                        event: message_delta
                        data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},\
                        """ + END);
    }

    @Test
    void thoughtsTextAndTwoTools() {
        assertThat(transcript(
                        admitted(),
                        delta(Delta.newBuilder().setReasoning("hm")),
                        said("So:"),
                        tool(0, "toolu_1", "f", ""),
                        tool(0, "", "", "{\"a\":"),
                        tool(0, "", "", "1}"),
                        tool(1, "toolu_2", "g", "{}"),
                        finished(FinishReason.FINISH_REASON_TOOL_CALLS, "")))
                .isEqualTo(START + """
                        event: content_block_start
                        data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"",\
                        "signature":""}}

                        event: content_block_delta
                        data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}

                        event: content_block_delta
                        data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta",\
                        "signature":"uC4heOz00MWFncLhadf+2Gc/n27rnzWRvtXyU7d0JAg="}}

                        event: content_block_stop
                        data: {"type":"content_block_stop","index":0}

                        event: content_block_start
                        data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}

                        event: content_block_delta
                        data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"So:"}}

                        event: content_block_stop
                        data: {"type":"content_block_stop","index":1}

                        event: content_block_start
                        data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_1",\
                        "name":"f","input":{}}}

                        event: content_block_delta
                        data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta",\
                        "partial_json":"{\\"a\\":"}}

                        event: content_block_delta
                        data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta",\
                        "partial_json":"1}"}}

                        event: content_block_stop
                        data: {"type":"content_block_stop","index":2}

                        event: content_block_start
                        data: {"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"toolu_2",\
                        "name":"g","input":{}}}

                        event: content_block_delta
                        data: {"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta",\
                        "partial_json":"{}"}}

                        event: content_block_stop
                        data: {"type":"content_block_stop","index":3}

                        event: message_delta
                        data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},\
                        """ + END);
    }

    @Test
    void anEmptyAnswerHasNoBlock() {
        assertThat(transcript(admitted(), finished(FinishReason.FINISH_REASON_STOP, "END")))
                .isEqualTo(START + """
                        event: message_delta
                        data: {"type":"message_delta","delta":{"stop_reason":"stop_sequence","stop_sequence":"END"},\
                        """ + END);
    }

    @Test
    void aFailureIsTheLastEvent() {
        MessageEncoder encoder = new MessageEncoder("msg_1", "abc");

        assertThat(text(encoder.fail(new NodeException(
                                ErrorReason.ERROR_REASON_QUEUE_FULL, "The queue is full.", null, null))
                        .toArray()))
                .isEqualTo("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\","
                        + "\"message\":\"The queue is full.\"},\"request_id\":\"abc\"}\n\n");
        assertThat(text(encoder.fail(new IllegalStateException("secret")).toArray()))
                .contains("api_error")
                .doesNotContain("secret");
    }

    @Test
    void aWholeMessageHasTheSameParts() {
        assertThat(whole(
                        delta(Delta.newBuilder().setReasoning("hm")),
                        said("Sö"),
                        tool(0, "toolu_1", "f", "{\"a\": \"é\"}"),
                        tool(1, "toolu_2", "g", ""),
                        tool(2, "toolu_3", "h", "{\"cut"),
                        finished(FinishReason.FINISH_REASON_LENGTH, "")))
                .isEqualTo(
                        "{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"tiny\",\"content\":["
                                + "{\"type\":\"thinking\",\"thinking\":\"hm\","
                                + "\"signature\":\"uC4heOz00MWFncLhadf+2Gc/n27rnzWRvtXyU7d0JAg=\"},"
                                + "{\"type\":\"text\",\"text\":\"Sö\"},"
                                + "{\"type\":\"tool_use\",\"id\":\"toolu_1\",\"name\":\"f\",\"input\":{\"a\":\"é\"}},"
                                + "{\"type\":\"tool_use\",\"id\":\"toolu_2\",\"name\":\"g\",\"input\":{}},"
                                + "{\"type\":\"tool_use\",\"id\":\"toolu_3\",\"name\":\"h\",\"input\":"
                                + "{\"unfinished_json\":\"{\\\"cut\"}}],\"stop_reason\":\"max_tokens\",\"stop_sequence\":null,"
                                + "\"usage\":{\"input_tokens\":4,\"cache_creation_input_tokens\":0,"
                                + "\"cache_read_input_tokens\":3,\"output_tokens\":2}}");
    }

    private static String whole(GenerationEvent... events) {
        CollectedAnswer answer = new CollectedAnswer(1);
        answer.add(admitted());
        for (GenerationEvent event : events) {
            answer.add(event);
        }
        answer.add(completed());
        return text(MessageBody.encode("msg_1", answer));
    }

    private static String transcript(GenerationEvent... events) {
        MessageEncoder encoder = new MessageEncoder("msg_1", "abc");
        StringBuilder text = new StringBuilder();
        for (GenerationEvent event : events) {
            text.append(text(encoder.encode(event).toArray()));
        }
        return text.append(text(encoder.encode(completed()).toArray())).toString();
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static GenerationEvent admitted() {
        return GenerationEvent.newBuilder()
                .setAdmitted(Admitted.newBuilder().setModel("tiny").setPromptTokens(7))
                .build();
    }

    private static GenerationEvent said(String text) {
        return delta(Delta.newBuilder().setContent(text).setTokens(1));
    }

    private static GenerationEvent tool(int index, String id, String name, String arguments) {
        return delta(Delta.newBuilder()
                .addToolCalls(ToolCallDelta.newBuilder()
                        .setIndex(index)
                        .setId(id)
                        .setName(name)
                        .setArguments(arguments)));
    }

    private static GenerationEvent delta(Delta.Builder delta) {
        return GenerationEvent.newBuilder().setDelta(delta).build();
    }

    private static GenerationEvent finished(FinishReason reason, String stop) {
        return GenerationEvent.newBuilder()
                .setFinished(Finished.newBuilder().setReason(reason).setStop(stop))
                .build();
    }

    private static GenerationEvent completed() {
        return GenerationEvent.newBuilder()
                .setCompleted(Completed.newBuilder()
                        .setUsage(Usage.newBuilder()
                                .setPromptTokens(7)
                                .setCachedTokens(3)
                                .setCompletionTokens(2)))
                .build();
    }
}
