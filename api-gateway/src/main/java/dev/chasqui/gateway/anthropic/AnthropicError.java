package dev.chasqui.gateway.anthropic;

import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.gateway.nodes.NodeException;
import dev.chasqui.gateway.requests.RequestError;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A refusal or a failure in Anthropic's words.
 *
 * @param status of HTTP
 * @param retryAfter how long to wait before the same request may succeed; null where it never will
 */
record AnthropicError(
        int status, String type, String message, @Nullable Duration retryAfter) {
    private static final String INVALID = "invalid_request_error";
    private static final String API = "api_error";
    private static final String OVERLOADED = "overloaded_error";
    private static final String DEFECT = "The server had an error while processing the request.";

    /** The one mapping of anything thrown to Anthropic's words. */
    static AnthropicError of(Throwable failure) {
        if (failure instanceof NodeException e) {
            return of(e);
        }
        return failure instanceof RequestError e
                ? new AnthropicError(e.status(), type(e.status()), e.sentence(), e.retryAfter())
                : new AnthropicError(500, API, DEFECT, null);
    }

    private static String type(int status) {
        return switch (status) {
            case 401 -> "authentication_error";
            case 403 -> "permission_error";
            case 404 -> "not_found_error";
            case 413 -> "request_too_large";
            case 429 -> "rate_limit_error";
            case 503 -> OVERLOADED;
            case 504 -> "timeout_error";
            default -> status >= 500 ? API : INVALID;
        };
    }

    private static AnthropicError of(NodeException e) {
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
        return new AnthropicError(status, type(status), status == 500 ? DEFECT : e.sentence(), e.retryAfter());
    }

    /** The body: {@code {"type":"error","error":{…},"request_id":…}}. */
    byte[] body(String requestId) {
        return new JsonBytes(256)
                .raw("{\"type\":\"error\",\"error\":{\"type\":")
                .string(type)
                .raw(",\"message\":")
                .string(message)
                .raw("},\"request_id\":")
                .string(requestId)
                .raw("}")
                .toArray();
    }
}
