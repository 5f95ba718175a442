package dev.chasqui.llama;

import java.util.List;
import java.util.Set;

/**
 * A conversation as the model wants to read it, and what is needed to sample and parse its answer.
 *
 * @param prompt the rendered text
 * @param tokens the rendered text as tokens, start token included where the model wants one. The template's role tokens are
 *     special tokens; text of messages never is, whatever it spells. Not copied: do not change it.
 * @param json the whole result, opaque; {@link ChatParser} and {@link SamplerOptions} read it
 * @param plainText every answer is content only, so no parser is needed
 * @param constrained a grammar restricts the answer, from its start or from a trigger on
 * @param additionalStops strings before which the answer ends
 * @param preservedTokens control tokens whose text belongs to the answer: the parser needs it, so ask
 *     {@link Vocabulary#piece} for them with {@code special}
 */
public record ChatPrompt(
        String prompt,
        int[] tokens,
        String json,
        boolean plainText,
        boolean constrained,
        List<String> additionalStops,
        Set<Integer> preservedTokens) {
    public ChatPrompt {
        preservedTokens = Set.copyOf(preservedTokens);
        additionalStops = List.copyOf(additionalStops);
    }
}
