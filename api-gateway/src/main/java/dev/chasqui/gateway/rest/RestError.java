package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.gateway.nodes.NodeException;
import dev.chasqui.gateway.requests.RequestError;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A refusal or a failure in the words of the product's own interface: {@code {"success":false,"error":"…"}}.
 *
 * @param status of HTTP
 * @param message one sentence for people
 * @param retryAfter how long to wait before the same request may succeed; null where it never will
 */
record RestError(int status, String message, @Nullable Duration retryAfter) {
    private static final String DEFECT = "The server had an error while processing the request.";

    /** The one mapping of anything thrown to this interface's words. */
    static RestError of(Throwable failure) {
        if (failure instanceof NodeException e) {
            return of(e);
        }
        return failure instanceof RequestError e
                ? new RestError(e.status(), e.sentence(), e.retryAfter())
                : new RestError(500, DEFECT, null);
    }

    private static RestError of(NodeException e) {
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
        return new RestError(status, status == 500 ? DEFECT : e.sentence(), e.retryAfter());
    }

    /** The body: {@code {"success":false,"error":"…"}}. */
    byte[] body() {
        return new JsonBytes(128)
                .raw("{\"success\":false,\"error\":")
                .string(message)
                .raw("}")
                .toArray();
    }
}
