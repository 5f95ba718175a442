package dev.chasqui.gateway.rest;

import dev.chasqui.gateway.answers.JsonBytes;
import dev.chasqui.gateway.nodes.NodeException;
import dev.chasqui.gateway.requests.NodeFailures;
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
        int status = NodeFailures.status(e);
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
