package dev.chasqui.node.engine;

import java.util.List;

/**
 * A piece of an answer.
 *
 * @param text whole characters; free of stop strings; may be empty where tokens have no text
 * @param tokens how many generated tokens became known with this chunk
 * @param logprobs one entry for each token whose text this chunk ends; empty unless asked for
 */
public record TokenChunk(String text, int tokens, List<TokenLogprob> logprobs) {}
