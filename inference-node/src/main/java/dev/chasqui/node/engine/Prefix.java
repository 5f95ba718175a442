package dev.chasqui.node.engine;

import java.util.Arrays;

/** What two token sequences begin with. */
final class Prefix {
    private Prefix() {}

    /** How many tokens the first {@code aLength} and the first {@code bLength} of two sequences have in common. */
    static int common(int[] a, int aLength, int[] b, int bLength) {
        int most = Math.min(aLength, bLength);
        int mismatch = Arrays.mismatch(a, 0, most, b, 0, most);
        return mismatch < 0 ? most : mismatch;
    }
}
