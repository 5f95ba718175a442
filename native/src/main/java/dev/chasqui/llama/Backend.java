package dev.chasqui.llama;

/** What computes. */
public enum Backend {
    /** The processor. */
    CPU,
    /** NVIDIA's GPUs. */
    CUDA,
    /** GPUs of any make. */
    VULKAN
}
