package dev.chasqui.gateway.openai;

import com.google.protobuf.ByteString;
import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.proto.v1.TokenLogprob;
import dev.chasqui.proto.v1.TopLogprob;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The pieces that a streamed and a whole completion share. */
final class CompletionParts {
    private static final double LEAST_LOGPROB = 9999;

    private CompletionParts() {}

    /**
     * Where the first token begins: one that is not of the text, which a model's tokenizer puts before it, begins so far before it.
     *
     * @param prompt its tokens; none where they are not told
     */
    static int begin(String text, List<TokenLogprob> prompt) {
        ByteString first = prompt.isEmpty() ? ByteString.EMPTY : prompt.get(0).getPiece();
        // By bytes: a token may be the beginning of a character.
        return ByteString.copyFromUtf8(text).startsWith(first) ? 0 : -characters(first);
    }

    /**
     * Probabilities in the shape that completions have.
     *
     * @param offset where the first token begins in the text, in characters
     * @return where the next token begins
     */
    static int logprobs(JsonBytes out, List<TokenLogprob> tokens, int offset) {
        out.raw("{\"tokens\":[");
        for (int i = 0; i < tokens.size(); i++) {
            out.raw(i == 0 ? "" : ",").string(name(tokens.get(i).getPiece()));
        }
        out.raw("],\"token_logprobs\":[");
        for (int i = 0; i < tokens.size(); i++) {
            out.raw(i == 0 ? "" : ",");
            if (unknown(tokens.get(i))) {
                out.raw("null");
            } else {
                out.number(tokens.get(i).getLogprob(), 6, LEAST_LOGPROB);
            }
        }
        out.raw("],\"top_logprobs\":[");
        for (int i = 0; i < tokens.size(); i++) {
            out.raw(i == 0 ? "" : ",");
            if (unknown(tokens.get(i))) {
                out.raw("null");
            } else {
                top(out.raw("{"), tokens.get(i));
                out.raw("}");
            }
        }
        out.raw("],\"text_offset\":[");
        int at = offset;
        for (int i = 0; i < tokens.size(); i++) {
            ByteString piece = tokens.get(i).getPiece();
            boolean amid = !piece.isEmpty() && goesOn(piece.byteAt(0));
            out.raw(i == 0 ? "" : ",").number(Math.max(0, amid ? at - 1 : at));
            at += characters(piece);
        }
        out.raw("]}");
        return at;
    }

    /** How many begin in it. */
    private static int characters(ByteString piece) {
        int characters = 0;
        for (int i = 0; i < piece.size(); i++) {
            characters += goesOn(piece.byteAt(i)) ? 0 : 1;
        }
        return characters;
    }

    /** Whether a byte of UTF-8 belongs to the character before it. */
    private static boolean goesOn(byte one) {
        return (one & 0xC0) == 0x80;
    }

    /** The first token of a prompt. */
    private static boolean unknown(TokenLogprob token) {
        return Float.isNaN(token.getLogprob());
    }

    /** The likeliest tokens, and the one that was chosen, which OpenAI tells also where it is none of them. */
    private static void top(JsonBytes out, TokenLogprob token) {
        Map<String, Float> named = new LinkedHashMap<>();
        for (TopLogprob one : token.getTopList()) {
            named.putIfAbsent(name(one.getPiece()), one.getLogprob());
        }
        named.putIfAbsent(name(token.getPiece()), token.getLogprob());
        String comma = "";
        for (Map.Entry<String, Float> one : named.entrySet()) {
            out.raw(comma).string(one.getKey()).raw(":").number(one.getValue(), 6, LEAST_LOGPROB);
            comma = ",";
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
