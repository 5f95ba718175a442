package dev.chasqui.node.engine;

import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Beginnings that left their slots: token sequences with what the KV cache held of them, in host memory, the one used longest
 * ago first. Bringing one back is a copy, where computing it again would be a prefill.
 */
final class PromptCache implements AutoCloseable {
    private final long capacityBytes;

    /** In the order of use. */
    private final Map<Integer, Entry> entries = new LinkedHashMap<>();

    private int nextId;
    private long bytes;

    /** @param capacityBytes most memory of all entries; 0: nothing is kept */
    PromptCache(long capacityBytes) {
        this.capacityBytes = capacityBytes;
    }

    /** One kept beginning. */
    static final class Entry {
        final int[] tokens;
        final AdapterSet adapters;
        final ModelRunner.SavedSlot saved;
        private final int id;

        private Entry(int id, int[] tokens, AdapterSet adapters, ModelRunner.SavedSlot saved) {
            this.id = id;
            this.tokens = tokens;
            this.adapters = adapters;
            this.saved = saved;
        }
    }

    int size() {
        return entries.size();
    }

    long bytes() {
        return bytes;
    }

    /** The entry of these adapters that begins most like these tokens; null where none begins like them at all. */
    @Nullable
    Entry best(int[] tokens, int length, AdapterSet adapters) {
        Entry best = null;
        int most = 0;
        for (Entry entry : entries.values()) {
            int common = !entry.adapters.same(adapters)
                    ? 0
                    : Prefix.common(entry.tokens, entry.tokens.length, tokens, length);
            if (common > most) {
                best = entry;
                most = common;
            }
        }
        return best;
    }

    /** Notes that it was used just now. */
    void use(Entry entry) {
        if (entries.remove(entry.id) != null) {
            entries.put(entry.id, entry);
        }
    }

    /**
     * Keeps what a slot holds, making room by forgetting others. Does nothing where an entry has it already, or where it is
     * larger than the whole cache.
     */
    void keep(ModelRunner runner, int slot, int[] tokens, AdapterSet adapters) {
        if (capacityBytes == 0 || covered(tokens, adapters)) {
            return;
        }
        ModelRunner.SavedSlot saved = runner.save(slot, capacityBytes);
        if (saved == null) {
            return;
        }
        entries.values()
                .removeIf(entry -> entry.adapters.same(adapters) && continues(tokens, entry.tokens) && drop(entry));
        Entry entry = new Entry(nextId++, tokens, adapters, saved);
        entries.put(entry.id, entry);
        bytes += saved.bytes();
        for (Iterator<Entry> oldest = entries.values().iterator(); bytes > capacityBytes; ) {
            drop(oldest.next());
            oldest.remove();
        }
    }

    @Override
    public void close() {
        entries.values().forEach(this::drop);
        entries.clear();
    }

    private boolean covered(int[] tokens, AdapterSet adapters) {
        for (Entry entry : entries.values()) {
            if (entry.adapters.same(adapters) && continues(entry.tokens, tokens)) {
                use(entry);
                return true;
            }
        }
        return false;
    }

    private boolean drop(Entry entry) {
        bytes -= entry.saved.bytes();
        entry.saved.close();
        return true;
    }

    private static boolean continues(int[] longer, int[] shorter) {
        return longer.length >= shorter.length
                && Arrays.mismatch(longer, 0, shorter.length, shorter, 0, shorter.length) < 0;
    }
}
