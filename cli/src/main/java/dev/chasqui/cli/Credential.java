package dev.chasqui.cli;

import java.net.URI;

/**
 * What requests show of who asks.
 *
 * @param token sent as {@code Authorization: Bearer}; empty: nothing is
 */
record Credential(Kind kind, String token) {
    static final Credential NONE = new Credential(Kind.NONE, "");

    /** In the request's own body. */
    static final Credential PASSWORD = new Credential(Kind.PASSWORD, "");

    /** Where it comes from. */
    enum Kind {
        NONE,
        PASSWORD,
        KEY,
        SESSION
    }

    /** A session that the server does not know any more. */
    static final class Ended extends Failure {
        private static final long serialVersionUID = 1L;

        Ended(URI server) {
            super("the session at " + server + " has ended (sign in with: chasqui session login)", 1);
        }
    }

    static Credential key(String key) {
        return new Credential(Kind.KEY, key);
    }

    static Credential session(String token) {
        return new Credential(Kind.SESSION, token);
    }

    /** What a server's 401 means, and what helps. */
    Failure refused(URI server, String said) {
        return switch (kind) {
            case SESSION -> new Ended(server);
            case NONE ->
                new Failure(
                        said.replaceFirst("\\.$", "")
                                + "; bring a key with --api-key, or sign in with: chasqui session login",
                        1);
            case KEY, PASSWORD -> new Failure(said, 1);
        };
    }

    /** No tokens in messages. */
    @Override
    public String toString() {
        return "Credential[" + kind + "]";
    }
}
