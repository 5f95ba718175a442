package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.gateway.nodes.NodeException;
import dev.chasqui.gateway.requests.NodeFailures;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.proto.v1.ErrorReason;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A refusal or a failure in the words of the product's own interface: {@code {"success":false,"error":"…","code":"…"}}.
 *
 * @param status of HTTP
 * @param message one sentence for people
 * @param code for programs, as {@code docs/errors.md} lists them
 * @param retryAfter how long to wait before the same request may succeed; null where it never will
 */
record RestError(
        int status, String message, String code, @Nullable Duration retryAfter) {
    private static final String DEFECT = "The server had an error while processing the request.";

    /** The one mapping of anything thrown to this interface's words. */
    static RestError of(Throwable failure) {
        if (failure instanceof NodeException e) {
            return of(e);
        }
        return failure instanceof RequestError e
                ? new RestError(e.status(), e.sentence(), code(e), e.retryAfter())
                : new RestError(500, DEFECT, "internal", null);
    }

    private static RestError of(NodeException e) {
        int status = NodeFailures.status(e);
        String code = e.reason().name().replace("ERROR_REASON_", "").toLowerCase(Locale.ROOT);
        // That somebody ended it is no defect, and may be told.
        boolean defect = status == 500 && e.reason() != ErrorReason.ERROR_REASON_CANCELLED;
        return new RestError(status, defect ? DEFECT : e.sentence(), code, e.retryAfter());
    }

    private static String code(RequestError e) {
        String code = e.code();
        return code == null ? "invalid_request" : code;
    }

    /** The body: {@code {"success":false,"error":"…","code":"…"}}. */
    byte[] body() {
        return new JsonBytes(128)
                .raw("{\"success\":false,\"error\":")
                .string(message)
                .raw(",\"code\":")
                .string(code)
                .raw("}")
                .toArray();
    }
}
