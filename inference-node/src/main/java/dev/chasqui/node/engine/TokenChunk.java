package dev.chasqui.node.engine;

import java.util.List;

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
}
