package dev.chasqui.gateway.nodes;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.chasqui.proto.v1.ErrorReason;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The one place where a gRPC status becomes a {@link NodeException}. */
final class StatusMapping {
    static final Duration RETRY_SOON = Duration.ofSeconds(1);
    private static final String PREFIX = "ERROR_REASON_";

    private StatusMapping() {}

    static NodeException exception(Status status, @Nullable Metadata trailers) {
        ErrorReason reason = ErrorReason.ERROR_REASON_UNSPECIFIED;
        String field = null;
        Duration retryAfter = null;
        if (trailers != null) {
            com.google.rpc.Status details = StatusProto.fromStatusAndTrailers(status, trailers);
            for (Any detail : details.getDetailsList()) {
                try {
                    if (detail.is(ErrorInfo.class)) {
                        ErrorInfo info = detail.unpack(ErrorInfo.class);
                        reason = reason(info.getReason());
                        field = info.getMetadataMap().get("field");
                    } else if (detail.is(RetryInfo.class)) {
                        com.google.protobuf.Duration delay =
                                detail.unpack(RetryInfo.class).getRetryDelay();
                        retryAfter = Duration.ofSeconds(delay.getSeconds(), delay.getNanos());
                    }
                } catch (InvalidProtocolBufferException e) {
                    // A detail that cannot be read says nothing; the status code still does.
                }
            }
        }
        if (reason == ErrorReason.ERROR_REASON_UNSPECIFIED || reason == ErrorReason.UNRECOGNIZED) {
            return withoutReason(status, retryAfter);
        }
        String description = status.getDescription();
        return new NodeException(reason, description == null ? sentence(reason) : description, field, retryAfter);
    }

    private static ErrorReason reason(String name) {
        try {
            return ErrorReason.valueOf(PREFIX + name);
        } catch (IllegalArgumentException e) {
            return ErrorReason.ERROR_REASON_UNSPECIFIED;
        }
    }

    /** A status of gRPC itself or of a stranger. Its description can hold addresses, so it is passed on only where it helps. */
    private static NodeException withoutReason(Status status, @Nullable Duration retryAfter) {
        return switch (status.getCode()) {
            // Our own cancelling is not told to anybody, so it was the node's: it ends.
            case UNAVAILABLE, CANCELLED ->
                new NodeException(
                        ErrorReason.ERROR_REASON_NODE_UNREACHABLE,
                        "The inference node cannot be reached.",
                        null,
                        retryAfter == null ? RETRY_SOON : retryAfter);
            case DEADLINE_EXCEEDED -> of(ErrorReason.ERROR_REASON_DEADLINE_EXCEEDED, status, retryAfter);
            case UNAUTHENTICATED, PERMISSION_DENIED -> of(ErrorReason.ERROR_REASON_UNAUTHENTICATED, status, retryAfter);
            case INVALID_ARGUMENT -> of(ErrorReason.ERROR_REASON_INVALID_REQUEST, status, retryAfter);
            case NOT_FOUND -> of(ErrorReason.ERROR_REASON_MODEL_NOT_FOUND, status, retryAfter);
            // A full queue comes with a reason; without one it is gRPC's own bound on a message.
            case RESOURCE_EXHAUSTED ->
                new NodeException(
                        ErrorReason.ERROR_REASON_INVALID_REQUEST,
                        "The request is larger than the inference node takes.",
                        null,
                        null);
            case FAILED_PRECONDITION -> of(ErrorReason.ERROR_REASON_MODEL_UNUSABLE, status, retryAfter);
            default -> of(ErrorReason.ERROR_REASON_INTERNAL, status, retryAfter);
        };
    }

    private static NodeException of(ErrorReason reason, Status status, @Nullable Duration retryAfter) {
        String description = status.getDescription();
        String message =
                description == null || reason == ErrorReason.ERROR_REASON_INTERNAL ? sentence(reason) : description;
        return new NodeException(reason, message, null, retryAfter);
    }

    private static String sentence(ErrorReason reason) {
        return switch (reason) {
            case ERROR_REASON_INVALID_REQUEST -> "The node refused the request as invalid.";
            case ERROR_REASON_CONTEXT_LENGTH_EXCEEDED -> "The prompt does not fit the model's context.";
            case ERROR_REASON_TEMPLATE_REFUSED -> "The model's chat template refused the messages.";
            case ERROR_REASON_MODEL_NOT_FOUND -> "There is no model of that name.";
            case ERROR_REASON_MODEL_NOT_READY -> "The model is not ready yet.";
            case ERROR_REASON_MODEL_UNUSABLE -> "The model cannot be loaded.";
            case ERROR_REASON_MODEL_IN_USE -> "The model is in use.";
            case ERROR_REASON_QUEUE_FULL -> "The queue is full.";
            case ERROR_REASON_CANCELLED -> "The request was cancelled.";
            case ERROR_REASON_DEADLINE_EXCEEDED -> "The request took longer than allowed.";
            case ERROR_REASON_SHUTTING_DOWN -> "The node is shutting down.";
            case ERROR_REASON_UNAUTHENTICATED -> "The node refused the gateway's token.";
            case ERROR_REASON_NODE_UNREACHABLE -> "The inference node cannot be reached.";
            case ERROR_REASON_INTERNAL, ERROR_REASON_UNSPECIFIED, UNRECOGNIZED -> "The inference node failed.";
        };
    }
}
