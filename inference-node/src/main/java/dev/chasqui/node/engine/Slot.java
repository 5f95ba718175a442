package dev.chasqui.node.engine;

import org.jspecify.annotations.Nullable;

/** A place in the KV cache: with a running sequence, or with what the last one left. */
final class Slot {
    private static final int[] NOTHING = {};

    final int id;

    @Nullable
    Sequence sequence;

    /** The tokens that are kept for reuse while no sequence runs here. */
    int[] left = NOTHING;

    long freedNanos = Long.MIN_VALUE;

    Slot(int id) {
        this.id = id;
    }

    /** The tokens of which {@link #held} are in the KV cache; not to be changed. */
    int[] tokens() {
        return sequence == null ? left : sequence.tokens();
    }

    int held() {
        return sequence == null ? left.length : sequence.computed();
    }

    void forget() {
        left = NOTHING;
    }
}
