package dev.chasqui.node.engine;

/**
 * Where sequences get their beginnings from, other than by computing them.
 *
 * <p>A sequence that gets a slot begins with the longest of: what the slot still holds of its tokens; what another slot holds,
 * running or not, which is copied; what the {@link PromptCache} holds, which is brought back. Where a sequence that runs is
 * about to compute a longer one, the newcomer follows it: it waits until that much is computed, and copies it then. So of any
 * number of prompts with one beginning one computes it. A follower whose leader goes away looks again; leaders are always older,
 * so that nobody waits in a circle.
 */
final class Beginnings implements AutoCloseable {
    /** Fewer tokens than this are computed about as fast as they are fetched. */
    static final int WORTHWHILE = 64;

    private static final int COPIES_OF_A_STEP = 4;

    private final ModelRunner runner;
    private final Slot[] slots;
    private final PromptCache cache;
    private final int worthwhile;
    private int copies;

    /** @param worthwhile the least tokens that are fetched, awaited or kept */
    Beginnings(ModelRunner runner, Slot[] slots, PromptCache cache, int worthwhile) {
        this.worthwhile = worthwhile;
        this.runner = runner;
        this.slots = slots;
        this.cache = cache;
    }

    /** Gives a free slot to a sequence. What the slot held is kept, unless it is the sequence's beginning. */
    void start(Slot slot, Sequence sequence, long order, long now) {
        int[] left = slot.left;
        int common = usable(left, left.length, slot.adapters(), sequence);
        if (left.length - common >= worthwhile) {
            cache.keep(runner, slot.id, left, slot.adapters());
        }
        // It has the slot before anything can go wrong: no sequence is ever in neither place.
        slot.sequence = sequence;
        slot.forget();
        sequence.start(slot.id, order, now);
        sequence.begin(runner.truncate(slot.id, common));
        settle(slot, sequence);
    }

    /** How many copies the next step has to make. */
    int copies() {
        return copies;
    }

    /** To be told when a step has made its copies. */
    void copied() {
        copies = 0;
    }

    /**
     * Lets followers go on whose leader has what they wait for, or has gone; only so many in a step that those who answer
     * already wait for few copies.
     */
    void follow() {
        for (Slot slot : slots) {
            if (copies >= COPIES_OF_A_STEP) {
                return;
            }
            Sequence sequence = slot.sequence;
            if (sequence == null) {
                continue;
            }
            Sequence leader = sequence.leader();
            if (leader != null && leader.computed() >= sequence.awaited()) {
                copy(slots[leader.slot()], slot, sequence.awaited());
                sequence.follow(null, 0);
            } else if (leader == null && sequence.lostLeader()) {
                settle(slot, sequence);
            }
        }
    }

    /** To be told when a sequence gives up its slot. */
    void gone(Sequence gone) {
        for (Slot slot : slots) {
            if (slot.sequence != null && slot.sequence.leader() == gone) {
                slot.sequence.loseLeader();
            }
        }
    }

    /** Takes what a free slot holds out of the KV cache; it is kept beside it as far as there is room. */
    void putAway(Slot slot) {
        if (slot.left.length >= worthwhile) {
            cache.keep(runner, slot.id, slot.left, slot.adapters());
        }
        slot.forget();
        runner.truncate(slot.id, 0);
    }

    @Override
    public void close() {
        cache.close();
    }

    private void settle(Slot slot, Sequence sequence) {
        sequence.follow(null, 0);
        Slot donor = null;
        int most = sequence.computed();
        for (Slot other : slots) {
            int common = other == slot ? 0 : usable(other.tokens(), other.held(), other.adapters(), sequence);
            if (common > most) {
                donor = other;
                most = common;
            }
        }
        PromptCache.Entry entry = cache.best(sequence.tokens(), sequence.reusable(), sequence.adapters());
        int cached = entry == null ? 0 : usable(entry.tokens, entry.tokens.length, entry.adapters, sequence);
        if (leads(sequence, Math.max(most, cached))) {
            return;
        }
        if (entry != null && cached >= most + worthwhile) {
            restore(entry, slot, cached);
        } else if (donor != null && most >= sequence.computed() + worthwhile) {
            copy(donor, slot, most);
        }
    }

    /** Whether somebody older will soon have so much more of the sequence's beginning that it waits for him. */
    private boolean leads(Sequence sequence, int available) {
        if (!runner.cutsTails()) {
            return false;
        }
        Sequence leader = null;
        int most = available + worthwhile - 1;
        for (Slot other : slots) {
            Sequence older = other.sequence;
            if (older == null || older.order() >= sequence.order() || older.remaining() <= 1) {
                continue;
            }
            if (!older.adapters().same(sequence.adapters())) {
                continue;
            }
            int common = Prefix.common(older.tokens(), older.total(), sequence.tokens(), sequence.reusable());
            if (common > most) {
                leader = older;
                most = common;
            }
        }
        if (leader != null) {
            sequence.follow(leader, most);
        }
        return leader != null;
    }

    private void copy(Slot from, Slot to, int length) {
        runner.copy(from.id, to.id);
        copies++;
        began(to, runner.truncate(to.id, length));
    }

    private void restore(PromptCache.Entry entry, Slot to, int length) {
        if (runner.restore(to.id, entry.saved)) {
            cache.use(entry);
            began(to, runner.truncate(to.id, length));
        } else {
            began(to, 0);
        }
    }

    private static void began(Slot slot, int length) {
        Sequence sequence = slot.sequence;
        if (sequence != null) {
            sequence.begin(length);
        }
    }

    /**
     * How much of what is held can be a sequence's beginning: memory that cannot be cut must be all of it, and what other
     * adapters computed is of no use.
     */
    private int usable(int[] tokens, int held, AdapterSet adapters, Sequence sequence) {
        if (!adapters.same(sequence.adapters())) {
            return 0;
        }
        int common = Prefix.common(tokens, held, sequence.tokens(), sequence.reusable());
        return common == held || runner.cutsTails() ? common : 0;
    }
}
