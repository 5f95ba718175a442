package dev.chasqui.node.engine;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * A piece of an answer.
 *
 * @param text whole characters; free of stop strings; may be empty where tokens have no text
 * @param ids the generated tokens that became known with this chunk; not to be changed
 * @param learnt of the {@link TokenSampler}, when the last of them was chosen
 * @param logprobs one entry for each token whose text this chunk ends; empty unless asked for
 */
public record TokenChunk(String text, int[] ids, float learnt, List<TokenLogprob> logprobs) {
    /** How many generated tokens became known with this chunk. */
    public int tokens() {
        return ids.length;
    }

    /** This one and the one behind it. */
    TokenChunk and(TokenChunk next) {
        int[] all = Arrays.copyOf(ids, ids.length + next.ids.length);
        System.arraycopy(next.ids, 0, all, ids.length, next.ids.length);
        return new TokenChunk(
                text + next.text,
                all,
                next.learnt,
                Stream.concat(logprobs.stream(), next.logprobs.stream()).toList());
    }
}
