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

    /** What they were computed with. */
    private AdapterSet leftAdapters = AdapterSet.NONE;

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

    /** What {@link #held} tokens were computed with. */
    AdapterSet adapters() {
        return sequence == null ? leftAdapters : sequence.adapters();
    }

    /** Its sequence leaves; what was computed of it stays. */
    void leave(Sequence gone, long now) {
        left = gone.computedTokens();
        leftAdapters = gone.adapters();
        sequence = null;
        freedNanos = now;
    }

    void forget() {
        left = NOTHING;
    }
}
