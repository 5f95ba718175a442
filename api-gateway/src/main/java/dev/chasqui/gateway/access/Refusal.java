package dev.chasqui.gateway.access;

/** A request that is not let in, with what HTTP says about it. There is no stack trace: it is an answer. */
public final class Refusal extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int status;
    private final String code;

    Refusal(int status, String code, String message) {
        super(message, null, false, false);
        this.status = status;
        this.code = code;
    }

    /** The HTTP status: 403. */
    public int status() {
        return status;
    }

    /** For programs: {@code host_not_allowed} or {@code origin_not_allowed}. */
    public String code() {
        return code;
    }

    /** The message, never null. */
    public String sentence() {
        String message = getMessage();
        return message == null ? code : message;
    }
}
