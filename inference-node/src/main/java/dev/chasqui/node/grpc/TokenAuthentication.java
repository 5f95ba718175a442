package dev.chasqui.node.grpc;

import dev.chasqui.proto.v1.ErrorReason;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.StatusRuntimeException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;

/** Lets only those in who bring the shared token as {@code authorization: Bearer …}; health checks need none. */
final class TokenAuthentication implements ServerInterceptor {
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
    private static final String HEALTH = "grpc.health.v1.Health";

    private final byte[] expected;
    private final Refusals refusals;

    TokenAuthentication(String token, Refusals refusals) {
        this.refusals = refusals;
        this.expected = ("Bearer " + token).getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
        if (HEALTH.equals(call.getMethodDescriptor().getServiceName()) || authentic(headers.get(AUTHORIZATION))) {
            return next.startCall(call, headers);
        }
        refusals.call(call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR), headers.containsKey(AUTHORIZATION));
        StatusRuntimeException refusal = Failures.status(
                ErrorReason.ERROR_REASON_UNAUTHENTICATED,
                "authorization: missing or wrong (expected: Bearer and the node's shared token)",
                null,
                "authorization");
        Metadata trailers = refusal.getTrailers() == null ? new Metadata() : refusal.getTrailers();
        call.close(refusal.getStatus(), trailers);
        return new ServerCall.Listener<>() {};
    }

    private boolean authentic(@Nullable String given) {
        return given != null && MessageDigest.isEqual(expected, given.getBytes(StandardCharsets.UTF_8));
    }
}
