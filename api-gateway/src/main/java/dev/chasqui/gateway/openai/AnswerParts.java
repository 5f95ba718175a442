package dev.chasqui.gateway.openai;

import com.google.protobuf.ByteString;
import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.proto.v1.FinishReason;
import dev.chasqui.proto.v1.Timings;
import dev.chasqui.proto.v1.TokenLogprob;
import dev.chasqui.proto.v1.TopLogprob;
import dev.chasqui.proto.v1.Usage;
import java.util.List;

/** The pieces that a streamed and a whole answer share. */
final class AnswerParts {
    private static final double MOST_MS = 1e12;
    /** What OpenAI writes for a token that is next to impossible. */
    private static final double LEAST_LOGPROB = 9999;

    private AnswerParts() {}

    static String finishReason(FinishReason reason) {
        return switch (reason) {
            case FINISH_REASON_LENGTH -> "length";
            case FINISH_REASON_TOOL_CALLS -> "tool_calls";
            case FINISH_REASON_STOP, FINISH_REASON_UNSPECIFIED, UNRECOGNIZED -> "stop";
        };
    }

    static void usage(JsonBytes out, Usage usage) {
        long prompt = Integer.toUnsignedLong(usage.getPromptTokens());
        long completion = Integer.toUnsignedLong(usage.getCompletionTokens());
        out.raw("{\"prompt_tokens\":").number(prompt);
        out.raw(",\"completion_tokens\":").number(completion);
        out.raw(",\"total_tokens\":").number(prompt + completion);
        out.raw(",\"prompt_tokens_details\":{\"cached_tokens\":").number(usage.getCachedTokens());
        out.raw("},\"completion_tokens_details\":{\"reasoning_tokens\":").number(usage.getReasoningTokens());
        out.raw("}}");
    }

    static void timings(JsonBytes out, Usage usage, Timings timings) {
        int computed = Math.max(0, usage.getPromptTokens() - usage.getCachedTokens());
        out.raw("{\"cache_n\":").number(usage.getCachedTokens());
        rate(out, ",\"prompt_", computed, timings.getPromptMs());
        rate(out, ",\"predicted_", usage.getCompletionTokens(), timings.getDecodeMs());
        out.raw(",\"queue_ms\":").number(timings.getQueueMs(), 3, MOST_MS);
        if (usage.getDraftedTokens() > 0) {
            out.raw(",\"draft_n\":").number(usage.getDraftedTokens());
            out.raw(",\"draft_n_accepted\":").number(usage.getAcceptedTokens());
        }
        out.raw("}");
    }

    private static void rate(JsonBytes out, String prefix, int tokens, double ms) {
        out.raw(prefix).raw("n\":").number(tokens);
        out.raw(prefix).raw("ms\":").number(ms, 3, MOST_MS);
        out.raw(prefix).raw("per_token_ms\":").number(tokens > 0 ? ms / tokens : 0, 3, MOST_MS);
        out.raw(prefix).raw("per_second\":").number(ms > 0 ? tokens * 1000.0 / ms : 0, 3, MOST_MS);
    }

    /** The elements of {@code logprobs.content}, without its brackets. */
    static void logprobs(JsonBytes out, List<TokenLogprob> logprobs) {
        for (int i = 0; i < logprobs.size(); i++) {
            TokenLogprob token = logprobs.get(i);
            token(out.raw(i == 0 ? "" : ","), token.getPiece(), token.getLogprob());
            out.raw(",\"top_logprobs\":[");
            for (int k = 0; k < token.getTopCount(); k++) {
                TopLogprob top = token.getTop(k);
                token(out.raw(k == 0 ? "" : ","), top.getPiece(), top.getLogprob());
                out.raw("}");
            }
            out.raw("]}");
        }
    }

    private static void token(JsonBytes out, ByteString piece, float logprob) {
        out.raw("{\"token\":").string(piece.toStringUtf8());
        out.raw(",\"logprob\":").number(logprob, 6, LEAST_LOGPROB);
        out.raw(",\"bytes\":[");
        for (int i = 0; i < piece.size(); i++) {
            out.raw(i == 0 ? "" : ",").number(piece.byteAt(i) & 0xff);
        }
        out.raw("]");
    }
}
