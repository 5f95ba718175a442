package dev.chasqui.gateway.requests;

import dev.chasqui.gateway.nodes.NodeException;

/** What a node's failure is in HTTP, for dialects that have no more to say of it. */
public final class NodeFailures {
    private NodeFailures() {}

    /** The status: 400, 404, 409, 429, 500, 502, 503 or 504. */
    public static int status(NodeException e) {
        return switch (e.reason()) {
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
    }
}
