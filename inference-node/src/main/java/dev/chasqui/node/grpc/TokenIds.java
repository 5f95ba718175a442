package dev.chasqui.node.grpc;

import java.util.Arrays;

/** Tokens that wait to be told. */
final class TokenIds {
    private static final int[] NONE = {};

    private int[] ids = NONE;
    private int size;

    void add(int[] more) {
        if (size + more.length > ids.length) {
            ids = Arrays.copyOf(ids, Math.max(8, (size + more.length) * 2));
        }
        System.arraycopy(more, 0, ids, size, more.length);
        size += more.length;
    }

    int size() {
        return size;
    }

    /** All of them; none is left. */
    int[] take() {
        int[] taken = size == 0 ? NONE : Arrays.copyOf(ids, size);
        size = 0;
        return taken;
    }
}
