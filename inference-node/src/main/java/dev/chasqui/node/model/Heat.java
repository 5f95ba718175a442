package dev.chasqui.node.model;

/** How soon a model on disk can answer. */
public enum Heat {
    /** It is in memory. */
    HOT,
    /** It has to be loaded, but the system still holds its file in memory. */
    WARM,
    /** Its file has to be read. */
    COLD
}
