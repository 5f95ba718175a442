package dev.chasqui.gateway.anthropic;

import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.gateway.nodes.NodeException;
import dev.chasqui.gateway.requests.NodeFailures;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.proto.v1.ErrorReason;
import java.time.Duration;
import java.util.regex.Pattern;
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
    /** Anthropic's clients look for the words that replace it, and shorten the conversation. */
    private static final Pattern TOO_LONG = Pattern.compile("^[a-z]+: (?=(at least )?[0-9])");

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
        int status = NodeFailures.status(e);
        String message = e.reason() == ErrorReason.ERROR_REASON_CONTEXT_LENGTH_EXCEEDED
                ? TOO_LONG.matcher(e.sentence()).replaceFirst("prompt is too long: ")
                : e.sentence();
        return new AnthropicError(status, type(status), status == 500 ? DEFECT : message, e.retryAfter());
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
