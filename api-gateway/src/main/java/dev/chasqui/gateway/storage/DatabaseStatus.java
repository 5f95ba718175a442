package dev.chasqui.gateway.storage;

import java.util.Locale;

/**
 * Whether the database can be used.
 *
 * @param message one sentence for people
 */
public record DatabaseStatus(State state, String message) {

    /** What it is doing. */
    public enum State {
        READY,
        /** It is being opened, and brought up to date. */
        OPENING,
        /** It cannot be reached or used. */
        UNAVAILABLE;

        /** As the wire writes it: {@code ready}. */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }
}
