package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.nodes.NodeException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A refusal or a failure in the words of the product's own interface: {@code {"success":false,"error":"…"}}. */
public final class RestError extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int status;
    private final @Nullable Duration retryAfter;

    /**
     * @param status of HTTP
     * @param message one sentence for people
     * @param retryAfter how long to wait before the same request may succeed; null where it never will
     */
    public RestError(int status, String message, @Nullable Duration retryAfter) {
        super(message, null, false, false);
        this.status = status;
        this.retryAfter = retryAfter;
    }

    /** The one mapping of a node's failure to HTTP. */
    public static RestError of(NodeException e) {
        int status = switch (e.reason()) {
            case ERROR_REASON_INVALID_REQUEST, ERROR_REASON_CONTEXT_LENGTH_EXCEEDED, ERROR_REASON_TEMPLATE_REFUSED ->
                400;
            case ERROR_REASON_MODEL_NOT_FOUND -> 404;
            case ERROR_REASON_MODEL_IN_USE -> 409;
            case ERROR_REASON_QUEUE_FULL -> 429;
            case ERROR_REASON_MODEL_NOT_READY,
                    ERROR_REASON_MODEL_UNUSABLE,
                    ERROR_REASON_SHUTTING_DOWN,
                    ERROR_REASON_NODE_UNREACHABLE -> 503;
            case ERROR_REASON_UNAUTHENTICATED -> 502;
            case ERROR_REASON_DEADLINE_EXCEEDED -> 504;
            case ERROR_REASON_CANCELLED, ERROR_REASON_INTERNAL, ERROR_REASON_UNSPECIFIED, UNRECOGNIZED -> 500;
        };
        return new RestError(status, e.sentence(), e.retryAfter());
    }

    /** The HTTP status. */
    public int status() {
        return status;
    }

    /** How long to wait before the same request may succeed; null where it never will. */
    public @Nullable Duration retryAfter() {
        return retryAfter;
    }
}
