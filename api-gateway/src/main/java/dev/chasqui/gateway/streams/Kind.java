package dev.chasqui.gateway.streams;

import java.util.Locale;

/** What an event is about. */
public enum Kind {
    /** A conversation is new or has changed. */
    CONVERSATION,
    /** A message is new, or has ended. */
    MESSAGE,
    /** A conversation is no more. */
    GONE;

    /** As the wire and the database write it. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    static Kind of(String word) {
        return valueOf(word.toUpperCase(Locale.ROOT));
    }

    /** Whether a strategy may leave it out: the list of conversations can be read anew. */
    boolean isSystem() {
        return this != MESSAGE;
    }
}
