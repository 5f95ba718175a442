package dev.chasqui.node.engine;

/** What tokens say. Pure, quick, and safe on any thread. */
public interface TokenText {
    /** The token's bytes; alone they need not be valid UTF-8, and a control token may have none. Not to be changed. */
    byte[] piece(int token);

    /** Whether the model ends its answer with this token. */
    boolean endsAnswer(int token);
}
