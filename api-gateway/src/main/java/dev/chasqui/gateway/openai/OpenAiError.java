package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.gateway.nodes.NodeException;
import dev.chasqui.gateway.requests.RequestError;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A refusal or a failure in OpenAI's words.
 *
 * @param status of HTTP
 * @param retryAfter how long to wait before the same request may succeed; null where it never will
 */
record OpenAiError(
        int status,
        String type,
        String message,
        @Nullable String param,
        @Nullable String code,
        @Nullable Duration retryAfter) {
    private static final String INVALID = "invalid_request_error";
    private static final String SERVER = "server_error";

    /** The one mapping of anything thrown to OpenAI's words. */
    static OpenAiError of(Throwable failure) {
        if (failure instanceof NodeException e) {
            return of(e);
        }
        return failure instanceof RequestError e ? of(e) : internal();
    }

    private static OpenAiError of(RequestError e) {
        String type = switch (e.status()) {
            case 403 -> "permission_error";
            case 429 -> "rate_limit_error";
            default -> e.status() >= 500 ? SERVER : INVALID;
        };
        return new OpenAiError(e.status(), type, e.sentence(), e.field(), e.code(), e.retryAfter());
    }

    private static OpenAiError of(NodeException e) {
        String message = e.sentence();
        Duration retry = e.retryAfter();
        return switch (e.reason()) {
            case ERROR_REASON_INVALID_REQUEST ->
                new OpenAiError(400, INVALID, message, e.field(), "invalid_value", null);
            case ERROR_REASON_CONTEXT_LENGTH_EXCEEDED ->
                new OpenAiError(400, INVALID, message, prompt(e), "context_length_exceeded", null);
            case ERROR_REASON_TEMPLATE_REFUSED ->
                new OpenAiError(400, INVALID, message, prompt(e), "template_refused", null);
            case ERROR_REASON_MODEL_NOT_FOUND ->
                new OpenAiError(404, INVALID, message, "model", "model_not_found", null);
            case ERROR_REASON_MODEL_NOT_READY -> new OpenAiError(503, SERVER, message, null, "model_not_ready", retry);
            case ERROR_REASON_MODEL_UNUSABLE -> new OpenAiError(503, SERVER, message, "model", "model_unusable", null);
            case ERROR_REASON_MODEL_IN_USE -> new OpenAiError(409, INVALID, message, "model", "model_in_use", retry);
            case ERROR_REASON_QUEUE_FULL ->
                new OpenAiError(429, "rate_limit_error", message, null, "rate_limit_exceeded", retry);
            case ERROR_REASON_CANCELLED -> new OpenAiError(500, SERVER, message, null, "cancelled", null);
            case ERROR_REASON_DEADLINE_EXCEEDED -> new OpenAiError(504, SERVER, message, null, "timeout", null);
            case ERROR_REASON_SHUTTING_DOWN -> new OpenAiError(503, SERVER, message, null, "shutting_down", retry);
            case ERROR_REASON_NODE_UNREACHABLE ->
                new OpenAiError(503, SERVER, message, null, "node_unreachable", retry);
            case ERROR_REASON_UNAUTHENTICATED ->
                new OpenAiError(502, SERVER, message, null, "node_unauthenticated", null);
            case ERROR_REASON_INTERNAL, ERROR_REASON_UNSPECIFIED, UNRECOGNIZED -> internal();
        };
    }

    private static String prompt(NodeException e) {
        String field = e.field();
        return field == null ? "messages" : field;
    }

    /** A defect; what it was is in the log. */
    static OpenAiError internal() {
        return new OpenAiError(500, SERVER, "The server had an error while processing the request.", null, null, null);
    }

    /** The body: {@code {"error":{…}}}. */
    byte[] body() {
        JsonBytes out = new JsonBytes(256);
        out.raw("{\"error\":{\"message\":").string(message);
        out.raw(",\"type\":").string(type).raw(",\"param\":");
        nullable(out, param);
        out.raw(",\"code\":");
        nullable(out, code);
        return out.raw("}}").toArray();
    }

    private static void nullable(JsonBytes out, @Nullable String value) {
        if (value == null) {
            out.raw("null");
        } else {
            out.string(value);
        }
    }
}
