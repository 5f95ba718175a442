package dev.chasqui.node.grpc;

/** A field of a request that makes no sense. The message reads {@code field: value (expected: …)} and never quotes a prompt. */
final class InvalidRequest extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final String field;

    InvalidRequest(String field, Object value, String expected) {
        super(field + ": " + value + " (expected: " + expected + ")");
        this.field = field;
    }

    /** What a layer below said: {@code its name for the field: …}. */
    InvalidRequest(String field, String message) {
        super(field + message.substring(message.indexOf(':')));
        this.field = field;
    }

    String field() {
        return field;
    }

    static void require(boolean holds, String field, Object value, String expected) {
        if (!holds) {
            throw new InvalidRequest(field, value, expected);
        }
    }
}
