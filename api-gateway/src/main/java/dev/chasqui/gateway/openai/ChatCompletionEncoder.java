package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.answers.AnswerEncoder;
import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.proto.v1.Admitted;
import dev.chasqui.proto.v1.Completed;
import dev.chasqui.proto.v1.Delta;
import dev.chasqui.proto.v1.Finished;
import dev.chasqui.proto.v1.GenerationEvent;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * Writes one streamed answer: the node's events in, the bytes of OpenAI's chunks out.
 *
 * <p>A chunk is the same text over and over but for a few letters, so everything around them is written once, when the
 * node admits the request, and copied from then on. The last chunk waits for the node's {@code Completed}, because it
 * carries the timings.
 */
final class ChatCompletionEncoder implements AnswerEncoder<GenerationEvent> {
    private static final byte[] DONE = ascii("data: [DONE]\n\n");
    private static final byte[] CONTENT = ascii("{\"content\":\"");
    private static final byte[] CONTENT_END = ascii("\"}");

    private final Heading heading;
    private final String reasoningField;
    private final CallWords words;
    private final boolean mayCall;
    private final int choices;
    private final boolean includeUsage;
    private final JsonBytes out = new JsonBytes(512);

    /** Up to the choice's index. */
    private byte[] head = new byte[0];
    /** From behind the choice's index up to its delta, for each choice. */
    private byte[][] delta = new byte[0][];
    /** Choices whose role is told. */
    private final BitSet opened = new BitSet();
    /** From behind the delta of a choice that goes on to the end of the chunk. */
    private byte[] goesOn = new byte[0];

    private @Nullable Finished unsaid;

    /**
     * @param reasoningField where it tells what the model thinks
     * @param words for calls of tools
     * @param mayCall whether an answer may be a call: then its first chunk waits until it shows, as one of a call has no content
     * @param choices how many answers there are
     * @param includeUsage whether a chunk of token counts ends the stream
     */
    ChatCompletionEncoder(
            Heading heading,
            String reasoningField,
            CallWords words,
            boolean mayCall,
            int choices,
            boolean includeUsage) {
        this.mayCall = mayCall;
        this.heading = heading;
        this.reasoningField = reasoningField;
        this.words = words;
        this.choices = choices;
        this.includeUsage = includeUsage;
    }

    @Override
    public JsonBytes encode(GenerationEvent event) {
        out.clear();
        switch (event.getEventCase()) {
            case DELTA -> delta(event.getDelta());
            case ADMITTED -> admitted(event.getAdmitted());
            case FINISHED -> finished(event.getFinished());
            case COMPLETED -> completed(event.getCompleted());
            case PROGRESS, EVENT_NOT_SET -> {}
        }
        return out;
    }

    @Override
    public JsonBytes fail(Throwable failure) {
        out.clear();
        return out.raw("data: ").raw(OpenAiError.of(failure).body()).raw("\n\n");
    }

    private void admitted(Admitted admitted) {
        JsonBytes text = new JsonBytes(256);
        heading.write(text.raw("data: "), "chat.completion.chunk", admitted.getModel());
        head = text.toArray();
        delta = new byte[choices][];
        for (int i = 0; i < choices; i++) {
            delta[i] = ascii("{\"index\":" + i + ",\"delta\":");
        }
        goesOn = ascii(
                ",\"logprobs\":null,\"finish_reason\":null}]" + (includeUsage ? ",\"usage\":null" : "") + "}\n\n");
        for (int i = 0; i < choices && !mayCall; i++) {
            open(i, "\"\"");
        }
    }

    private void open(int choice, String content) {
        if (!opened.get(choice)) {
            opened.set(choice);
            out.raw(head).raw(delta[choice]);
            out.raw("{\"role\":\"assistant\",\"content\":").raw(content).raw(",\"refusal\":null}");
            out.raw(goesOn);
        }
    }

    private void delta(Delta piece) {
        open(piece.getChoice(), piece.getContent().isEmpty() ? "null" : "\"\"");
        boolean plain = piece.getReasoning().isEmpty() && piece.getToolCallsCount() == 0;
        if (plain && piece.getLogprobsCount() == 0) {
            if (!piece.getContent().isEmpty()) {
                out.raw(head).raw(delta[piece.getChoice()]).raw(CONTENT);
                out.escaped(piece.getContent()).raw(CONTENT_END).raw(goesOn);
            }
            return;
        }
        out.raw(head).raw(delta[piece.getChoice()]);
        members(piece);
        if (piece.getLogprobsCount() == 0) {
            out.raw(goesOn);
        } else {
            out.raw(",\"logprobs\":{\"content\":[");
            AnswerParts.logprobs(out, piece.getLogprobsList());
            out.raw("],\"refusal\":null},\"finish_reason\":null}]");
            end(includeUsage ? ",\"usage\":null" : "");
        }
    }

    private void members(Delta piece) {
        String comma = "{";
        if (!piece.getReasoning().isEmpty()) {
            out.raw("{\"").raw(reasoningField).raw("\":").string(piece.getReasoning());
            comma = ",";
        }
        if (!piece.getContent().isEmpty() || (piece.getToolCallsCount() == 0 && comma.equals("{"))) {
            out.raw(comma).raw("\"content\":").string(piece.getContent());
            comma = ",";
        }
        if (piece.getToolCallsCount() > 0) {
            words.writeDeltas(out.raw(comma), piece.getToolCallsList());
        }
        out.raw("}");
    }

    private void finished(Finished finished) {
        open(finished.getChoice(), "\"\"");
        if (unsaid != null) {
            finish(unsaid);
            end(includeUsage ? ",\"usage\":null" : "");
        }
        unsaid = finished;
    }

    private void finish(Finished finished) {
        out.raw(head).raw(delta[finished.getChoice()]).raw("{},\"logprobs\":null,\"finish_reason\":");
        out.string(words.finishReason(finished.getReason())).raw("}]");
    }

    private void completed(Completed completed) {
        if (unsaid != null) {
            finish(unsaid);
            unsaid = null;
            if (includeUsage) {
                end(",\"usage\":null");
            } else {
                timings(completed);
            }
        }
        if (includeUsage) {
            out.raw(head).raw("],\"usage\":");
            AnswerParts.usage(out, completed.getUsage());
            timings(completed);
        }
        out.raw(DONE);
    }

    private void timings(Completed completed) {
        out.raw(",\"timings\":");
        AnswerParts.timings(out, completed.getUsage(), completed.getTimings());
        end("");
    }

    private void end(String last) {
        out.raw(last).raw("}\n\n");
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
