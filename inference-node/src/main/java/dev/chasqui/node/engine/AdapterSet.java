package dev.chasqui.node.engine;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The LoRA adapters that a sequence is computed with. A batch has one set, and what was computed with one says nothing to a
 * sequence of another. Two sets are equal where they compute the same.
 *
 * @param uses in the order of their numbers, none with a scale of 0
 */
public record AdapterSet(List<Use> uses) {
    /** The model as it is. */
    public static final AdapterSet NONE = new AdapterSet(List.of());

    /**
     * One adapter of a set.
     *
     * @param adapter its number at the {@link ModelRunner}, from 0
     * @param scale how strongly it works; 1 as it was trained
     */
    public record Use(int adapter, float scale) {
        public Use {
            if (adapter < 0 || !Float.isFinite(scale)) {
                throw new IllegalArgumentException(
                        "adapter " + adapter + ", scale " + scale + " (expected: 0 or more, and a finite number)");
            }
        }
    }

    public AdapterSet {
        Set<Integer> seen = new HashSet<>();
        for (Use use : uses) {
            if (!seen.add(use.adapter())) {
                throw new IllegalArgumentException("adapter " + use.adapter() + ": given twice");
            }
        }
        List<Use> those = new ArrayList<>(uses);
        those.removeIf(use -> use.scale() == 0);
        those.sort(Comparator.comparingInt(Use::adapter));
        uses = List.copyOf(those);
    }

    /** Whether a slot's tokens or a batch with that set may be used for this one. */
    boolean same(AdapterSet other) {
        return this == other || uses.equals(other.uses);
    }
}
