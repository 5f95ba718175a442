package dev.chasqui.node.model;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Why a model cannot be had or changed now. The message is one sentence for people. */
public final class ModelException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** The kinds of failure. */
    public enum Reason {
        /** No model of that name is known, or it is known but not on disk. */
        NOT_FOUND,
        /** It is being fetched, or memory for it is not free yet. Has a retry delay. */
        NOT_READY,
        /** It cannot be loaded. */
        UNUSABLE,
        /** It answers requests and cannot be unloaded or deleted now. */
        IN_USE
    }

    private final Reason reason;
    private final transient @Nullable Duration retryAfter;

    ModelException(Reason reason, String message) {
        this(reason, message, null, null);
    }

    ModelException(Reason reason, String message, @Nullable Duration retryAfter, @Nullable Throwable cause) {
        super(message, cause);
        this.reason = reason;
        this.retryAfter = retryAfter;
    }

    public Reason reason() {
        return reason;
    }

    /** When the same call may succeed, where that can be said. */
    public @Nullable Duration retryAfter() {
        return retryAfter;
    }
}
