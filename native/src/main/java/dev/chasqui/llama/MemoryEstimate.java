package dev.chasqui.llama;

import java.util.List;

/**
 * What a model takes in memory, by llama.cpp's own reckoning, with one context where it generates text.
 *
 * @param layers of the model
 * @param generates it generates text; else only its weights are counted
 * @param parts one for each device that holds a part of it
 */
public record MemoryEstimate(int layers, boolean generates, List<Part> parts) {
    /**
     * On one device.
     *
     * @param device such as {@code CUDA0} or {@code CPU}
     * @param kind what it is; host memory is {@link Device.Kind#CPU}'s
     * @param weightsBytes the weights there, as that device lays them out
     * @param arrangedBytes of the weights: laid out anew for that device's own kernels
     * @param kvBytes the KV cache there
     * @param computeBytes buffers that a step computes in
     */
    public record Part(
            String device, Device.Kind kind, long weightsBytes, long arrangedBytes, long kvBytes, long computeBytes) {
        public long totalBytes() {
            return weightsBytes + kvBytes + computeBytes;
        }

        boolean inHostMemory() {
            return kind != Device.Kind.GPU;
        }
    }

    public MemoryEstimate {
        parts = List.copyOf(parts);
    }

    public long weightsBytes() {
        return parts.stream().mapToLong(Part::weightsBytes).sum();
    }

    /** Of the weights: laid out anew for a device's own kernels, which compute many sequences at once quickly. */
    public long arrangedBytes() {
        return parts.stream().mapToLong(Part::arrangedBytes).sum();
    }

    public long kvBytes() {
        return parts.stream().mapToLong(Part::kvBytes).sum();
    }

    public long computeBytes() {
        return parts.stream().mapToLong(Part::computeBytes).sum();
    }

    public long totalBytes() {
        return parts.stream().mapToLong(Part::totalBytes).sum();
    }

    /** What lies in the machine's own memory, not in a GPU's. */
    public long hostBytes() {
        return parts.stream()
                .filter(Part::inHostMemory)
                .mapToLong(Part::totalBytes)
                .sum();
    }
}
