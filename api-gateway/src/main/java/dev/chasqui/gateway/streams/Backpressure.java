package dev.chasqui.gateway.streams;

/** What gives way when a reader is slower than what he is told. */
public enum Backpressure {
    /** Pieces of text, which the reader gets later in one piece. */
    DROP_TOKENS,
    /** Those, and changes of the list of conversations, after which the reader is told to read it anew. */
    DROP_TOKENS_AND_SYSTEM
}
