package dev.chasqui.llama;

/** How the states of a text's tokens become one vector. In the order of the shim's numbers, which begin at 1. */
public enum Pooling {
    /** Their mean. */
    MEAN,
    /** The first token's. */
    CLS,
    /** The last token's. */
    LAST
}
