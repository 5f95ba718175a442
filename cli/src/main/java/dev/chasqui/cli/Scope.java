package dev.chasqui.cli;

import java.util.Locale;

/** What a key is good for. */
enum Scope {
    INFERENCE,
    CONVERSATIONS,
    KEYS,
    MODELS,
    METRICS,
    ADMIN;

    /** As it is written. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
