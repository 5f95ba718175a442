package dev.chasqui.node.store;

import org.jspecify.annotations.Nullable;

/** Why the store could not do what was asked. The message is one sentence for people. */
public sealed class StoreException extends RuntimeException permits BadModelFile {
    private static final long serialVersionUID = 1L;

    /** The closed list of reasons. */
    public enum Reason {
        /** No model of that name is in the catalogue or on disk, or its source has no such file. */
        NOT_FOUND,
        /** No source answered, or none of them let us have the file. */
        UNREACHABLE,
        /** The file is not a model that can be loaded. */
        BAD_FILE,
        /** The models folder's disk is too full. */
        NO_SPACE,
        /** The file that arrived is not the one the catalogue describes. */
        CHECKSUM,
        /** Somebody stopped it. */
        CANCELLED,
        /** The name is not one that a model may have. */
        INVALID_NAME,
        /** The models folder cannot be read or written. */
        IO
    }

    private final Reason reason;
    private final String sentence;

    public StoreException(Reason reason, String message) {
        this(reason, message, null);
    }

    public StoreException(Reason reason, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.reason = reason;
        sentence = message;
    }

    /** The message. */
    public String sentence() {
        return sentence;
    }

    public Reason reason() {
        return reason;
    }
}
