package dev.chasqui.node.engine;

import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * Whose turn it is. A batch is computed with one set of adapters, so sequences of different sets take turns: a set that has had
 * its time gives way to the one that was served longest ago. So nobody waits longer than one turn of each other set.
 */
final class Turns {
    /**
     * How long a turn lasts while others wait, and at most a step more. Switching makes llama.cpp lay out its graphs anew, which
     * takes some milliseconds.
     */
    static final long TURN_NANOS = 60_000_000;

    /** Sets of sequences that run, the one whose turn was longest ago first. */
    private final Set<AdapterSet> order = new LinkedHashSet<>();

    private final Set<AdapterSet> running = new HashSet<>();
    private AdapterSet current = AdapterSet.NONE;
    private long beganNanos;
    private boolean switched;

    /** The set that the next step is computed with. */
    AdapterSet next(Slot[] slots, long now) {
        boolean own = false;
        boolean others = false;
        for (Slot slot : slots) {
            Sequence sequence = slot.sequence;
            if (sequence != null && sequence.canCompute()) {
                boolean same = sequence.adapters().same(current);
                own |= same;
                others |= !same;
            }
        }
        if (others && (!own || now - beganNanos >= TURN_NANOS)) {
            begin(longestAgo(slots), now);
        }
        return current;
    }

    /** Whether the last step was the first one with its set; once. */
    boolean takeSwitched() {
        boolean was = switched;
        switched = false;
        return was;
    }

    private AdapterSet longestAgo(Slot[] slots) {
        running.clear();
        for (Slot slot : slots) {
            Sequence sequence = slot.sequence;
            if (sequence != null && sequence.canCompute()) {
                running.add(sequence.adapters());
            }
        }
        order.retainAll(running);
        order.addAll(running);
        Iterator<AdapterSet> sets = order.iterator();
        AdapterSet first = sets.next();
        return first.same(current) ? sets.next() : first;
    }

    private void begin(AdapterSet set, long now) {
        current = set;
        beganNanos = now;
        switched = true;
        order.remove(set);
        order.add(set);
    }
}
