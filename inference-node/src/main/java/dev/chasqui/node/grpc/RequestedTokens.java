package dev.chasqui.node.grpc;

import dev.chasqui.llama.Vocabulary;
import java.util.List;

/** Tokens as a request names them. */
final class RequestedTokens {
    private RequestedTokens() {}

    /** @throws InvalidRequest for one that the vocabulary has not */
    static int[] of(List<Integer> ids, Vocabulary vocabulary, String field) {
        int size = vocabulary.size();
        int[] tokens = new int[ids.size()];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = ids.get(i);
            InvalidRequest.require(tokens[i] >= 0 && tokens[i] < size, field, tokens[i], "0 to " + (size - 1));
        }
        return tokens;
    }
}
