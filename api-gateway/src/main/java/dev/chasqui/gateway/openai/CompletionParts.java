package dev.chasqui.gateway.openai;

import com.google.protobuf.ByteString;
import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.proto.v1.TokenLogprob;
import dev.chasqui.proto.v1.TopLogprob;
import java.util.List;

/** The pieces that a streamed and a whole completion share. */
final class CompletionParts {
    private static final double LEAST_LOGPROB = 9999;

    private CompletionParts() {}

    /**
     * Probabilities in the shape that completions have.
     *
     * @param offset where the first token begins in the text
     * @return where the next token begins
     */
    static int logprobs(JsonBytes out, List<TokenLogprob> tokens, int offset) {
        out.raw("{\"tokens\":[");
        for (int i = 0; i < tokens.size(); i++) {
            out.raw(i == 0 ? "" : ",").string(name(tokens.get(i).getPiece()));
        }
        out.raw("],\"token_logprobs\":[");
        for (int i = 0; i < tokens.size(); i++) {
            out.raw(i == 0 ? "" : ",").number(tokens.get(i).getLogprob(), 6, LEAST_LOGPROB);
        }
        out.raw("],\"top_logprobs\":[");
        for (int i = 0; i < tokens.size(); i++) {
            top(out.raw(i == 0 ? "{" : ",{"), tokens.get(i).getTopList());
            out.raw("}");
        }
        out.raw("],\"text_offset\":[");
        int at = offset;
        for (int i = 0; i < tokens.size(); i++) {
            out.raw(i == 0 ? "" : ",").number(at);
            at += tokens.get(i).getPiece().toStringUtf8().length();
        }
        out.raw("]}");
        return at;
    }

    private static void top(JsonBytes out, List<TopLogprob> top) {
        for (int i = 0; i < top.size(); i++) {
            out.raw(i == 0 ? "" : ",").string(name(top.get(i).getPiece()));
            out.raw(":").number(top.get(i).getLogprob(), 6, LEAST_LOGPROB);
        }
    }

    /** A token's text; where its bytes are none, the bytes as OpenAI spells them. */
    private static String name(ByteString piece) {
        if (piece.isValidUtf8()) {
            return piece.toStringUtf8();
        }
        StringBuilder name = new StringBuilder("bytes:");
        for (int i = 0; i < piece.size(); i++) {
            name.append(String.format("\\x%02x", piece.byteAt(i) & 0xff));
        }
        return name.toString();
    }
}
