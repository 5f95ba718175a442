package dev.chasqui.gateway.requests;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A request that cannot be served as it is. Each dialect says it in its own words.
 *
 * <p>There is no stack trace: each is an answer, not a defect. The message never quotes content.
 */
public final class RequestError extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int status;
    private final @Nullable String field;
    private final @Nullable String code;
    private final @Nullable Duration retryAfter;

    private RequestError(
            int status, String message, @Nullable String field, @Nullable String code, @Nullable Duration retryAfter) {
        super(message, null, false, false);
        this.status = status;
        this.field = field;
        this.code = code;
        this.retryAfter = retryAfter;
    }

    /** A value that is not as it must be; the message begins with the name of its field. */
    public static RequestError badValue(String field, String problem) {
        return new RequestError(400, field + ": " + problem, field, "invalid_value", null);
    }

    /** The name of something that is not there; the message begins with the name of its field. */
    public static RequestError notThere(String field, String problem, String code) {
        return new RequestError(400, field + ": " + problem, field, code, null);
    }

    /** A body that cannot be read at all. */
    public static RequestError badBody(String message) {
        return new RequestError(400, message, null, "invalid_body", null);
    }

    /** A refusal of HTTP itself: wrong path, method, key, size. */
    public static RequestError http(int status, String message, @Nullable String code, @Nullable Duration retryAfter) {
        return new RequestError(status, message, null, code, retryAfter);
    }

    /** The HTTP status. */
    public int status() {
        return status;
    }

    /** The message, never null. */
    public String sentence() {
        String message = getMessage();
        return message == null ? "The request cannot be served." : message;
    }

    /** The field at fault, where it is one. */
    public @Nullable String field() {
        return field;
    }

    /** For programs: {@code invalid_value}. */
    public @Nullable String code() {
        return code;
    }

    /** How long to wait before the same request may succeed; null where it never will. */
    public @Nullable Duration retryAfter() {
        return retryAfter;
    }
}
