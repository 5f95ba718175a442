package dev.chasqui.node.engine;

import java.util.List;

/**
 * How likely a chosen token was, before any sampler changed the odds.
 *
 * @param token the token
 * @param logprob natural logarithm of its probability
 * @param top the likeliest tokens at this place, best first; empty where none were asked for
 */
public record TokenLogprob(int token, float logprob, List<Candidate> top) {
    /** A token that could have come, with the natural logarithm of its probability. */
    public record Candidate(int token, float logprob) {}
}
