package dev.chasqui.node.grpc;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A failed call as a client reads it.
 *
 * @param field that is at fault; empty where none is named
 * @param retryAfter null where the call says nothing of it
 */
record Refusal(
        Status.Code code,
        String reason,
        String field,
        String message,
        @Nullable Duration retryAfter,
        ErrorInfo info) {
    static Refusal of(StatusRuntimeException failure) {
        com.google.rpc.Status status = StatusProto.fromThrowable(failure);
        if (status == null) {
            throw new AssertionError("no details", failure);
        }
        try {
            ErrorInfo info = ErrorInfo.getDefaultInstance();
            Duration retry = null;
            for (Any detail : status.getDetailsList()) {
                if (detail.is(ErrorInfo.class)) {
                    info = detail.unpack(ErrorInfo.class);
                } else if (detail.is(RetryInfo.class)) {
                    com.google.protobuf.Duration delay =
                            detail.unpack(RetryInfo.class).getRetryDelay();
                    retry = Duration.ofSeconds(delay.getSeconds(), delay.getNanos());
                }
            }
            if (!info.getDomain().equals("chasqui")) {
                throw new AssertionError("domain: " + info.getDomain(), failure);
            }
            return new Refusal(
                    failure.getStatus().getCode(),
                    info.getReason(),
                    info.getMetadataOrDefault("field", ""),
                    status.getMessage(),
                    retry,
                    info);
        } catch (InvalidProtocolBufferException e) {
            throw new AssertionError("details that nobody can read", e);
        }
    }
}
