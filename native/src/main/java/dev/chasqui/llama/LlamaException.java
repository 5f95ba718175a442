package dev.chasqui.llama;

/** What llama.cpp or this package could not do, with one clear sentence. Never holds text of a prompt or an answer. */
public final class LlamaException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** What kind of failure it is, and so whose fault. */
    public enum Reason {
        /** A value that the caller gave is out of range or malformed. */
        INVALID_REQUEST,
        /** The model's chat template cannot render these messages. */
        TEMPLATE,
        /** What the model wrote does not follow the form that its template promises. */
        PARSE,
        /** The model file or a library cannot be loaded. */
        LOAD_FAILED,
        /** The listener asked to end a load. */
        ABORTED,
        /** The device or the host has too little memory. */
        OUT_OF_MEMORY,
        /** This build has no libraries for this operating system or processor. */
        UNSUPPORTED_PLATFORM,
        /** The libraries are of another release than this build. */
        VERSION_MISMATCH,
        /** The batch could not be computed; the sequences in it are in an unknown state. */
        DECODE_FAILED,
        /** An error inside llama.cpp that has no better name. */
        INTERNAL
    }

    private final Reason reason;

    public LlamaException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    public LlamaException(Reason reason, String message, Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
