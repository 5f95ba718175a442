package dev.chasqui.gateway.answers;

import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.Progress;
import java.nio.charset.StandardCharsets;

/**
 * Lets pings that are comments say where the request stands: {@code : ping queue_position=3}, how many are in front of it, or
 * {@code : ping prompt_tokens=512/2048}, how much of its prompt is computed.
 */
final class PlacePings implements AnswerEncoder<GenerationEvent> {
    private final AnswerEncoder<? super GenerationEvent> answers;
    private Progress place = Progress.getDefaultInstance();

    PlacePings(AnswerEncoder<? super GenerationEvent> answers) {
        this.answers = answers;
    }

    @Override
    public JsonBytes encode(GenerationEvent event) {
        switch (event.getEventCase()) {
            case ADMITTED ->
                place = Progress.newBuilder()
                        .setQueuePosition(event.getAdmitted().getQueuePosition())
                        .build();
            case PROGRESS -> place = event.getProgress();
            case DELTA -> place = Progress.getDefaultInstance();
            default -> {}
        }
        return answers.encode(event);
    }

    @Override
    public JsonBytes fail(Throwable failure) {
        return answers.fail(failure);
    }

    @Override
    public byte[] ping() {
        byte[] ping = answers.ping();
        if (ping != COMMENT) {
            return ping;
        }
        if (place.getQueuePosition() > 0) {
            return comment("queue_position=" + Integer.toUnsignedString(place.getQueuePosition()));
        }
        return place.getPromptTokensDone() > 0
                ? comment("prompt_tokens=" + place.getPromptTokensDone() + "/" + place.getPromptTokens())
                : ping;
    }

    private static byte[] comment(String place) {
        return (": ping " + place + "\n\n").getBytes(StandardCharsets.US_ASCII);
    }
}
