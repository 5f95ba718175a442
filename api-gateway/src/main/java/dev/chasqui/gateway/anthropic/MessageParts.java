package dev.chasqui.gateway.anthropic;

import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.proto.v1.FinishReason;
import dev.chasqui.proto.v1.Usage;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;

/** The pieces that a streamed and a whole message share. */
final class MessageParts {
    private MessageParts() {}

    /**
     * Of the text of thoughts. Clients send thoughts back only with a signature; which one is nobody's concern here.
     *
     * @param thoughts has read all of the text in UTF-8
     */
    static byte[] signature(MessageDigest thoughts) {
        return Base64.getEncoder().encode(thoughts.digest());
    }

    static MessageDigest thoughts() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java has it
        }
    }

    /** @param stop the stop string that ended the answer; empty if none did */
    static void stop(JsonBytes out, FinishReason reason, String stop) {
        String word = switch (reason) {
            case FINISH_REASON_LENGTH -> "max_tokens";
            case FINISH_REASON_TOOL_CALLS -> "tool_use";
            case FINISH_REASON_STOP, FINISH_REASON_UNSPECIFIED, UNRECOGNIZED ->
                stop.isEmpty() ? "end_turn" : "stop_sequence";
        };
        out.raw("\"stop_reason\":\"").raw(word).raw("\",\"stop_sequence\":");
        if (stop.isEmpty()) {
            out.raw("null");
        } else {
            out.string(stop);
        }
    }

    /** Prompt tokens that needed no computing count for themselves. */
    static void usage(JsonBytes out, Usage usage) {
        int computed = Math.max(0, usage.getPromptTokens() - usage.getCachedTokens());
        out.raw("{\"input_tokens\":").number(computed);
        out.raw(",\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":")
                .number(usage.getCachedTokens());
        out.raw(",\"output_tokens\":").number(usage.getCompletionTokens()).raw("}");
    }
}
