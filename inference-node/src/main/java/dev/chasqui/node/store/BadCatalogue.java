package dev.chasqui.node.store;

/** A catalogue that cannot be read; the message names file, entry, field, and the offending and expected value. */
public final class BadCatalogue extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    BadCatalogue(String message) {
        super(message);
    }
}
