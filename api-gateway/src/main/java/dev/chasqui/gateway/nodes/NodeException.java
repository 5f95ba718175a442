package dev.chasqui.gateway.nodes;

import dev.chasqui.proto.v1.ErrorReason;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Why a node did not do what it was asked for, in the product's own vocabulary.
 *
 * <p>The message is one sentence for people and never holds a prompt or an answer. There is no stack trace: this says
 * what happened elsewhere.
 */
public final class NodeException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final ErrorReason reason;
    private final @Nullable String field;
    private final @Nullable Duration retryAfter;
    private final boolean beforeAnswer;

    /**
     * @param field the request field at fault, where it is one
     * @param retryAfter how long to wait before the same call may succeed; null where it never will
     */
    public NodeException(ErrorReason reason, String message, @Nullable String field, @Nullable Duration retryAfter) {
        this(reason, message, field, retryAfter, false);
    }

    private NodeException(
            ErrorReason reason,
            @Nullable String message,
            @Nullable String field,
            @Nullable Duration retryAfter,
            boolean beforeAnswer) {
        super(message, null, false, false);
        this.reason = reason;
        this.field = field;
        this.retryAfter = retryAfter;
        this.beforeAnswer = beforeAnswer;
    }

    /** No node can be asked. */
    static NodeException unreachable() {
        return new NodeException(
                ErrorReason.ERROR_REASON_NODE_UNREACHABLE,
                "The inference node is not reachable; it may be starting.",
                null,
                Duration.ofSeconds(2));
    }

    /** The same, of a node that had not begun to answer. */
    NodeException toldBeforeAnswer() {
        return new NodeException(reason, getMessage(), field, retryAfter, true);
    }

    /** Whether nothing of the answer had come, so that another node may give it. */
    boolean beforeAnswer() {
        return beforeAnswer;
    }

    public ErrorReason reason() {
        return reason;
    }

    /** Whether a node refused to go on with an answer of another model than it has by that name. */
    boolean isOfAnotherModel() {
        return "resume.model_fingerprint".equals(field);
    }

    /** The request field at fault, named as in the proto. */
    public @Nullable String field() {
        return field;
    }

    /** How long to wait before the same call may succeed; null where it never will. */
    public @Nullable Duration retryAfter() {
        return retryAfter;
    }

    /** The message, never null. */
    public String sentence() {
        String message = getMessage();
        return message == null ? reason.name() : message;
    }
}
