package dev.chasqui.llama;

import java.util.List;
import java.util.Set;

/**
 * What a template says of the answers to a chat: how they are sampled and parsed. Chats that differ in their messages only share
 * theirs, as a rule.
 *
 * @param json opaque; {@link ChatParser} and {@link SamplerOptions} read it
 * @param plainText every answer is content only, so no parser is needed
 * @param constrained a grammar restricts the answer, from its start or from a trigger on
 * @param additionalStops strings before which the answer ends
 * @param preservedTokens control tokens whose text belongs to the answer: the parser needs it, so ask
 *     {@link Vocabulary#piece} for them with {@code special}
 */
public record AnswerForm(
        String json,
        boolean plainText,
        boolean constrained,
        List<String> additionalStops,
        Set<Integer> preservedTokens) {
    public AnswerForm {
        preservedTokens = Set.copyOf(preservedTokens);
        additionalStops = List.copyOf(additionalStops);
    }

    /** The same with another {@link #json}. */
    public AnswerForm withJson(String other) {
        return new AnswerForm(other, plainText, constrained, additionalStops, preservedTokens);
    }
}
