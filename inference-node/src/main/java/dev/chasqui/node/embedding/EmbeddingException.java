package dev.chasqui.node.embedding;

/** Why an embedder did not take a call, or did not finish it. */
public final class EmbeddingException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** The kinds of failure. */
    public enum Reason {
        /** As many calls wait as may. */
        FULL,
        /** It takes no more calls. */
        CLOSED
    }

    private final Reason reason;

    EmbeddingException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
