package dev.chasqui.node.engine;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Why the engine did not finish a request. The message is for people and never holds a prompt or an answer. */
public final class EngineException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** The kinds of failure. */
    public enum Reason {
        /** The prompt leaves no room for an answer in one sequence's context. */
        CONTEXT_LENGTH_EXCEEDED,
        /** As many requests wait as may. Has a retry delay. */
        QUEUE_FULL,
        /** Whoever asked went away. */
        CANCELLED,
        /** The request's deadline passed. */
        DEADLINE_EXCEEDED,
        /** What the request asks for allows no next token. */
        DEAD_END,
        /** The engine takes no more requests. */
        SHUTTING_DOWN,
        /** Computing failed; a defect here or below. */
        INTERNAL
    }

    private final Reason reason;

    private final int promptTokens;

    private final int contextTokens;

    private final transient @Nullable Duration retryAfter;

    EngineException(Reason reason, String message) {
        this(reason, message, null, null);
    }

    EngineException(Reason reason, String message, @Nullable Duration retryAfter, @Nullable Throwable cause) {
        super(message, cause);
        this.reason = reason;
        this.retryAfter = retryAfter;
        this.promptTokens = 0;
        this.contextTokens = 0;
    }

    /**
     * CONTEXT_LENGTH_EXCEEDED, in words that clients look for to shorten a conversation.
     *
     * @param least whether the prompt may have more tokens
     */
    EngineException(int promptTokens, boolean least, int contextTokens) {
        super("prompt: " + (least ? "at least " : "") + promptTokens
                + " tokens (expected: fewer; this model's maximum context length is " + contextTokens + " tokens)");
        this.reason = Reason.CONTEXT_LENGTH_EXCEEDED;
        this.retryAfter = null;
        this.promptTokens = promptTokens;
        this.contextTokens = contextTokens;
    }

    public Reason reason() {
        return reason;
    }

    /** With CONTEXT_LENGTH_EXCEEDED: what the prompt has; else 0. */
    public int promptTokens() {
        return promptTokens;
    }

    /** With CONTEXT_LENGTH_EXCEEDED: what a sequence may have; else 0. */
    public int contextTokens() {
        return contextTokens;
    }

    /** When the same request may succeed, where that can be said. */
    public @Nullable Duration retryAfter() {
        return retryAfter;
    }
}
