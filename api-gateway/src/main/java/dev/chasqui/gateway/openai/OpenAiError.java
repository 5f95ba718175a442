package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.nodes.NodeException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A refusal or a failure in OpenAI's words.
 *
 * <p>There is no stack trace: each is an answer, not a defect.
 */
public final class OpenAiError extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private static final String INVALID = "invalid_request_error";
    private static final String SERVER = "server_error";

    private final int status;
    private final String type;
    private final @Nullable String param;
    private final @Nullable String code;
    private final @Nullable Duration retryAfter;

    private OpenAiError(
            int status,
            String type,
            String message,
            @Nullable String param,
            @Nullable String code,
            @Nullable Duration retryAfter) {
        super(message, null, false, false);
        this.status = status;
        this.type = type;
        this.param = param;
        this.code = code;
        this.retryAfter = retryAfter;
    }

    /** A value that is not as it must be; the message begins with the name of its field. */
    static OpenAiError badValue(String param, String problem) {
        return new OpenAiError(400, INVALID, param + ": " + problem, param, "invalid_value", null);
    }

    static OpenAiError badBody(String message) {
        return new OpenAiError(400, INVALID, message, null, "invalid_body", null);
    }

    /** A refusal of HTTP itself: wrong path, method, key, size. */
    public static OpenAiError http(int status, String message, @Nullable String code, @Nullable Duration retryAfter) {
        String type = switch (status) {
            case 403 -> "permission_error";
            case 429 -> "rate_limit_error";
            default -> status >= 500 ? SERVER : INVALID;
        };
        return new OpenAiError(status, type, message, null, code, retryAfter);
    }

    /** The one mapping of a node's failure to OpenAI's words. */
    public static OpenAiError of(NodeException e) {
        String message = e.sentence();
        Duration retry = e.retryAfter();
        return switch (e.reason()) {
            case ERROR_REASON_INVALID_REQUEST ->
                new OpenAiError(400, INVALID, message, e.field(), "invalid_value", null);
            case ERROR_REASON_CONTEXT_LENGTH_EXCEEDED ->
                new OpenAiError(400, INVALID, message, "messages", "context_length_exceeded", null);
            case ERROR_REASON_TEMPLATE_REFUSED ->
                new OpenAiError(400, INVALID, message, "messages", "template_refused", null);
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

    /** A defect; what it was is in the log. */
    public static OpenAiError internal() {
        return new OpenAiError(500, SERVER, "The server had an error while processing the request.", null, null, null);
    }

    /** The HTTP status. */
    public int status() {
        return status;
    }

    /** How long to wait before the same request may succeed; null where it never will. */
    public @Nullable Duration retryAfter() {
        return retryAfter;
    }

    /** The body: {@code {"error":{…}}}. */
    public byte[] body() {
        JsonBytes out = new JsonBytes(256);
        String message = getMessage();
        out.raw("{\"error\":{\"message\":").string(message == null ? type : message);
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
