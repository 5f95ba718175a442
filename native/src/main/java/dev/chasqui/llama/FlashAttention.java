package dev.chasqui.llama;

/** Whether to compute attention in one fused kernel. */
public enum FlashAttention {
    /** Where the device can. */
    AUTO,
    ON,
    OFF
}
