package dev.chasqui.llama;

import java.util.List;
import java.util.Locale;

/**
 * How several GPUs share a model.
 *
 * @param mode what each of them gets
 * @param first the GPU, from 0, that holds what is not shared; with {@link Mode#NONE} the only one
 * @param shares how much each GPU gets, in proportion, such as 3 and 1; empty: by its free memory
 */
public record GpuSplit(Mode mode, int first, List<Float> shares) {
    /** Whole layers by free memory. */
    public static final GpuSplit AUTO = new GpuSplit(Mode.LAYER, 0, List.of());

    private static final int MOST_DEVICES = 16;

    /** What each GPU gets; in the order of the shim's numbers. */
    public enum Mode {
        /** Whole layers. */
        LAYER,
        /** Rows of the large matrices, which takes a quick link between the GPUs. */
        ROW,
        /** All of it on one. */
        NONE;

        /** As people write it. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    public GpuSplit {
        Check.range("main-gpu", first, 0, MOST_DEVICES - 1);
        boolean proportions = shares.stream().allMatch(share -> share >= 0 && Float.isFinite(share));
        boolean any = shares.isEmpty() || shares.stream().anyMatch(share -> share > 0);
        if (!proportions || !any || shares.size() > MOST_DEVICES) {
            throw Check.invalid(
                    "tensor-split", shares, "at most " + MOST_DEVICES + " numbers of 0 or more, one of them above 0");
        }
        shares = List.copyOf(shares);
    }

    /** As the shim reads it, with the layers to place. */
    int[] placement(int gpuLayers) {
        return new int[] {gpuLayers, mode.ordinal(), first};
    }

    float[] proportions() {
        float[] values = new float[shares.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = shares.get(i);
        }
        return values;
    }
}
