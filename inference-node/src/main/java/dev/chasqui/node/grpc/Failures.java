package dev.chasqui.node.grpc;

import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.chasqui.llama.LlamaException;
import dev.chasqui.node.embedding.EmbeddingException;
import dev.chasqui.node.engine.EngineException;
import dev.chasqui.node.model.ModelException;
import dev.chasqui.node.store.StoreException;
import dev.chasqui.proto.v1.ErrorReason;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Turns whatever went wrong into the status that the wire promises; the only place that does. */
final class Failures {
    static final String DOMAIN = "chasqui";

    private static final Logger log = LoggerFactory.getLogger(Failures.class);
    private static final Pattern NAMED_FIELD = Pattern.compile("([a-z]\\w*(?:\\.[a-z]\\w*)*): .*", Pattern.DOTALL);

    /** Where the layers below have another name than the wire. */
    private static final Map<String, String> WIRE_NAMES = Map.of(
            "dry.breakers", "dry.sequence_breakers",
            "grammar", "output_format.grammar",
            "chat_template_kwargs", "template_arguments",
            "chat_template_kwargs.enable_thinking", "template_arguments.enable_thinking",
            "continue_final_message", "continue_last_message");

    private static final int MOST_MESSAGE = 500;
    private static final int MOST_FIELD = 100;
    private static final java.time.Duration SOON = java.time.Duration.ofSeconds(1);
    private static final Pattern HUMP = Pattern.compile("([a-z])([A-Z])");

    private Failures() {}

    static StatusRuntimeException status(Throwable failure) {
        if (failure instanceof CompletionException && failure.getCause() != null) {
            return status(failure.getCause());
        }
        if (failure instanceof StatusRuntimeException already) {
            return already;
        }
        if (failure instanceof InvalidRequest invalid) {
            return status(ErrorReason.ERROR_REASON_INVALID_REQUEST, message(invalid), null, invalid.field());
        }
        if (failure instanceof EngineException engine) {
            if (engine.reason() == EngineException.Reason.DEAD_END) {
                return invalid(message(engine));
            }
            return status(reason(engine), message(engine), engine.retryAfter(), details(engine));
        }
        if (failure instanceof CancellationException) {
            return status(ErrorReason.ERROR_REASON_CANCELLED, "the caller went away", null, "");
        }
        if (failure instanceof EmbeddingException embedding) {
            return embedding(embedding);
        }
        if (failure instanceof ModelException model) {
            return status(reason(model), message(model), model.retryAfter(), "model");
        }
        if (failure instanceof StoreException store) {
            return status(reason(store), message(store), null, "model");
        }
        if (failure instanceof LlamaException llama) {
            return llama(llama);
        }
        return internal(failure);
    }

    private static StatusRuntimeException llama(LlamaException failure) {
        return switch (failure.reason()) {
            case INVALID_REQUEST -> invalid(message(failure));
            case TEMPLATE -> status(ErrorReason.ERROR_REASON_TEMPLATE_REFUSED, message(failure), null, "messages");
            case LOAD_FAILED, OUT_OF_MEMORY, UNSUPPORTED_PLATFORM, VERSION_MISMATCH ->
                status(ErrorReason.ERROR_REASON_MODEL_UNUSABLE, message(failure), null, "model");
            case ABORTED -> status(ErrorReason.ERROR_REASON_CANCELLED, message(failure), null, "");
            case PARSE, DECODE_FAILED, INTERNAL -> internal(failure);
        };
    }

    private static StatusRuntimeException embedding(EmbeddingException failure) {
        return switch (failure.reason()) {
            case FULL -> status(ErrorReason.ERROR_REASON_QUEUE_FULL, message(failure), SOON, "");
            case CLOSED -> status(ErrorReason.ERROR_REASON_SHUTTING_DOWN, message(failure), SOON, "");
        };
    }

    /** A text that does not fit its model. */
    static StatusRuntimeException tooLong(String field, int tokens, int most) {
        return status(
                ErrorReason.ERROR_REASON_CONTEXT_LENGTH_EXCEEDED,
                field + ": " + tokens + " tokens (expected: at most " + most + ")",
                null,
                Map.of(
                        "field", field,
                        "prompt_tokens", String.valueOf(tokens),
                        "context_tokens", String.valueOf(most)));
    }

    /** The layers below name fields in Java's spelling; the wire's is snake case. */
    private static StatusRuntimeException invalid(String message) {
        Matcher named = NAMED_FIELD.matcher(message);
        if (!named.matches()) {
            return status(ErrorReason.ERROR_REASON_INVALID_REQUEST, message, null, "");
        }
        String below = HUMP.matcher(named.group(1)).replaceAll("$1_$2").toLowerCase(Locale.ROOT);
        String field = WIRE_NAMES.getOrDefault(below, below);
        String rest = message.substring(named.end(1));
        return status(ErrorReason.ERROR_REASON_INVALID_REQUEST, field + rest, null, field);
    }

    private static StatusRuntimeException internal(Throwable failure) {
        log.error("a request failed by a defect", failure);
        return status(
                ErrorReason.ERROR_REASON_INTERNAL,
                "internal error: " + failure.getClass().getSimpleName(),
                null,
                "");
    }

    private static Map<String, String> details(EngineException failure) {
        return failure.contextTokens() == 0
                ? Map.of()
                : Map.of(
                        "prompt_tokens", String.valueOf(failure.promptTokens()),
                        "context_tokens", String.valueOf(failure.contextTokens()));
    }

    private static ErrorReason reason(EngineException failure) {
        return switch (failure.reason()) {
            case CONTEXT_LENGTH_EXCEEDED -> ErrorReason.ERROR_REASON_CONTEXT_LENGTH_EXCEEDED;
            case DEAD_END -> ErrorReason.ERROR_REASON_INVALID_REQUEST;
            case QUEUE_FULL -> ErrorReason.ERROR_REASON_QUEUE_FULL;
            case CANCELLED -> ErrorReason.ERROR_REASON_CANCELLED;
            case DEADLINE_EXCEEDED -> ErrorReason.ERROR_REASON_DEADLINE_EXCEEDED;
            case SHUTTING_DOWN -> ErrorReason.ERROR_REASON_SHUTTING_DOWN;
            case INTERNAL -> ErrorReason.ERROR_REASON_INTERNAL;
        };
    }

    private static ErrorReason reason(ModelException failure) {
        return switch (failure.reason()) {
            case NOT_FOUND -> ErrorReason.ERROR_REASON_MODEL_NOT_FOUND;
            case NOT_READY -> ErrorReason.ERROR_REASON_MODEL_NOT_READY;
            case UNUSABLE -> ErrorReason.ERROR_REASON_MODEL_UNUSABLE;
            case IN_USE -> ErrorReason.ERROR_REASON_MODEL_IN_USE;
        };
    }

    private static ErrorReason reason(StoreException failure) {
        return switch (failure.reason()) {
            case NOT_FOUND -> ErrorReason.ERROR_REASON_MODEL_NOT_FOUND;
            case INVALID_NAME -> ErrorReason.ERROR_REASON_INVALID_REQUEST;
            case UNREACHABLE, BAD_FILE, NO_SPACE, CHECKSUM, IO -> ErrorReason.ERROR_REASON_MODEL_UNUSABLE;
            case CANCELLED -> ErrorReason.ERROR_REASON_CANCELLED;
        };
    }

    private static Status.Code code(ErrorReason reason) {
        return switch (reason) {
            case ERROR_REASON_INVALID_REQUEST, ERROR_REASON_CONTEXT_LENGTH_EXCEEDED, ERROR_REASON_TEMPLATE_REFUSED ->
                Status.Code.INVALID_ARGUMENT;
            case ERROR_REASON_MODEL_NOT_FOUND -> Status.Code.NOT_FOUND;
            case ERROR_REASON_MODEL_NOT_READY, ERROR_REASON_SHUTTING_DOWN, ERROR_REASON_NODE_UNREACHABLE ->
                Status.Code.UNAVAILABLE;
            case ERROR_REASON_MODEL_UNUSABLE, ERROR_REASON_MODEL_IN_USE -> Status.Code.FAILED_PRECONDITION;
            case ERROR_REASON_QUEUE_FULL -> Status.Code.RESOURCE_EXHAUSTED;
            case ERROR_REASON_CANCELLED -> Status.Code.CANCELLED;
            case ERROR_REASON_DEADLINE_EXCEEDED -> Status.Code.DEADLINE_EXCEEDED;
            case ERROR_REASON_UNAUTHENTICATED -> Status.Code.UNAUTHENTICATED;
            case ERROR_REASON_INTERNAL, ERROR_REASON_UNSPECIFIED, UNRECOGNIZED -> Status.Code.INTERNAL;
        };
    }

    /** A status with its details; an empty field means that no one field is at fault. */
    static StatusRuntimeException status(
            ErrorReason reason, String message, java.time.@Nullable Duration retryAfter, String field) {
        return status(reason, message, retryAfter, field.isEmpty() ? Map.of() : Map.of("field", field));
    }

    private static StatusRuntimeException status(
            ErrorReason reason, String message, java.time.@Nullable Duration retryAfter, Map<String, String> metadata) {
        ErrorInfo.Builder info =
                ErrorInfo.newBuilder().setDomain(DOMAIN).setReason(reason.name().substring("ERROR_REASON_".length()));
        metadata.forEach((key, value) -> info.putMetadata(key, bounded(value, MOST_FIELD)));
        com.google.rpc.Status.Builder status = com.google.rpc.Status.newBuilder()
                .setCode(code(reason).value())
                .setMessage(bounded(message, MOST_MESSAGE))
                .addDetails(Any.pack(info.build()));
        if (retryAfter != null) {
            status.addDetails(Any.pack(RetryInfo.newBuilder()
                    .setRetryDelay(Duration.newBuilder()
                            .setSeconds(retryAfter.getSeconds())
                            .setNanos(retryAfter.getNano()))
                    .build()));
        }
        return StatusProto.toStatusRuntimeException(status.build());
    }

    /** Statuses travel as headers, which are short, and may name what a caller made up. */
    private static String bounded(String text, int most) {
        if (text.length() <= most) {
            return text;
        }
        int end = Character.isHighSurrogate(text.charAt(most - 1)) ? most - 1 : most;
        return text.substring(0, end) + "…";
    }

    private static String message(Throwable failure) {
        return String.valueOf(failure.getMessage());
    }
}
