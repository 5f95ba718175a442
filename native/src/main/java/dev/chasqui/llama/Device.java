package dev.chasqui.llama;

/**
 * A device that can compute.
 *
 * @param name the backend's name of it, such as {@code CUDA0} or {@code CPU}
 * @param description the hardware's name
 * @param kind what it is
 * @param totalBytes its memory
 * @param freeBytes its free memory when asked
 */
public record Device(String name, String description, Kind kind, long totalBytes, long freeBytes) {

    /** What a device is. */
    public enum Kind {
        CPU,
        /** With memory of its own. */
        GPU,
        /** Sharing the host's memory. */
        IGPU,
        /** A library or chip that helps the CPU, such as BLAS. */
        ACCELERATOR
    }
}
