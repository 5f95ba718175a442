package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.answers.AnswerEncoder;
import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.TokenLogprob;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes one streamed response: the node's events in, the bytes of OpenAI's events out. Each event has a number, and
 * most speak of the item of the output that is open.
 */
final class ResponseEncoder implements AnswerEncoder<GenerationEvent>, Response.Growth {
    private static final byte[] DELTA = ",\"delta\":\"".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] DELTA_END = "\"}\n\n".getBytes(StandardCharsets.US_ASCII);

    private final Response response;
    private final JsonBytes out = new JsonBytes(1024);
    private int sequence;
    /** A delta of the open item up to its number, and from there up to its text. */
    private byte[] deltaHead = new byte[0];

    private byte[] deltaMiddle = new byte[0];
    /** Whether a delta of the open item has a place for probabilities. */
    private boolean deltaLogprobs;

    ResponseEncoder(Response response) {
        this.response = response;
    }

    @Override
    public JsonBytes encode(GenerationEvent event) {
        out.clear();
        response.add(event, this);
        if (event.hasAdmitted()) {
            whole("response.created");
            whole("response.in_progress");
        } else if (event.hasCompleted()) {
            whole(response.isCut() ? "response.incomplete" : "response.completed");
        }
        return out;
    }

    @Override
    public JsonBytes fail(Throwable failure) {
        out.clear();
        OpenAiError error = OpenAiError.of(failure);
        response.fail(failure);
        whole("response.failed");
        begin("error").raw(",\"message\":").string(error.message()).raw(",\"code\":");
        nullable(error.code()).raw(",\"param\":");
        return nullable(error.param()).raw("}\n\n");
    }

    private JsonBytes nullable(@Nullable String value) {
        return value == null ? out.raw("null") : out.string(value);
    }

    @Override
    public void began(int index, ResponseItem item) {
        begin("response.output_item.added").raw(",\"output_index\":").number(index);
        item.write(out.raw(",\"item\":"), "in_progress").raw("}\n\n");
        String place = place(index, item);
        if (item.kind != ResponseItem.Kind.CALL) {
            begin("response.content_part.added").raw(place).raw(",\"part\":");
            item.part(out, "", List.of()).raw("}\n\n");
        }
        String type = deltaType(item) + ".delta";
        deltaLogprobs = item.kind == ResponseItem.Kind.MESSAGE;
        deltaHead = bytes("event: " + type + "\ndata: {\"type\":\"" + type + "\",\"sequence_number\":");
        deltaMiddle = bytes(place);
    }

    @Override
    public void grew(String more, List<TokenLogprob> logprobs) {
        out.raw(deltaHead).number(sequence++).raw(deltaMiddle);
        if (deltaLogprobs) {
            AnswerParts.logprobs(out.raw(",\"logprobs\":["), logprobs);
            out.raw("]");
        }
        out.raw(DELTA).escaped(more).raw(DELTA_END);
    }

    @Override
    public void ended(int index, ResponseItem item, String status) {
        String place = place(index, item);
        begin(deltaType(item) + ".done").raw(place);
        switch (item.kind) {
            case CALL ->
                out.raw(",\"name\":").string(item.name()).raw(",\"arguments\":").string(item.text());
            case MESSAGE -> {
                AnswerParts.logprobs(out.raw(",\"logprobs\":["), item.logprobs());
                out.raw("],\"text\":").string(item.text());
            }
            case REASONING -> out.raw(",\"text\":").string(item.text());
        }
        out.raw("}\n\n");
        if (item.kind != ResponseItem.Kind.CALL) {
            begin("response.content_part.done").raw(place).raw(",\"part\":");
            item.part(out, item.text(), item.logprobs()).raw("}\n\n");
        }
        begin("response.output_item.done").raw(",\"output_index\":").number(index);
        item.write(out.raw(",\"item\":"), status).raw("}\n\n");
    }

    private static String deltaType(ResponseItem item) {
        return switch (item.kind) {
            case REASONING -> "response.reasoning_text";
            case MESSAGE -> "response.output_text";
            case CALL -> "response.function_call_arguments";
        };
    }

    private static String place(int index, ResponseItem item) {
        String content = item.kind == ResponseItem.Kind.CALL ? "" : ",\"content_index\":0";
        return ",\"item_id\":\"" + item.id + "\",\"output_index\":" + index + content;
    }

    private void whole(String type) {
        response.write(begin(type).raw(",\"response\":")).raw("}\n\n");
    }

    private JsonBytes begin(String type) {
        out.raw("event: ").raw(type).raw("\ndata: {\"type\":\"").raw(type);
        return out.raw("\",\"sequence_number\":").number(sequence++);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
