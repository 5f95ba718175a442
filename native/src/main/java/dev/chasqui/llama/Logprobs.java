package dev.chasqui.llama;

/**
 * Natural logarithms of probabilities at one position, before any sampler changed them.
 *
 * @param logprob that of the token asked for
 * @param topTokens the most likely tokens, most likely first
 * @param topLogprobs theirs
 */
public record Logprobs(float logprob, int[] topTokens, float[] topLogprobs) {}
