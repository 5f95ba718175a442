package dev.chasqui.llama;

/**
 * A conversation as the model wants to read it.
 *
 * @param tokens start token included where the model wants one. The template's role tokens are special tokens; text of messages
 *     never is, whatever it spells. Not copied: do not change it.
 * @param form of its answers
 */
public record ChatPrompt(int[] tokens, AnswerForm form) {}
