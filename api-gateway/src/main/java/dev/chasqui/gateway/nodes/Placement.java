package dev.chasqui.gateway.nodes;

import com.google.common.hash.Hashing;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Chooses among nodes that are equally good but for their load and for what they have computed before.
 *
 * <p>Rendezvous hashing: each prompt's beginning puts the nodes into an order of its own, weighted by their slots, and goes
 * to the first. When a node leaves, only what went there goes elsewhere. The load is bounded: a node that has a quarter
 * more than its share gives way to the next in the order. A conversation that went there once stays with the next one,
 * also when the first has room again, since its cache is there now.
 */
final class Placement {
    private static final double BOUND = 1.25;
    private static final int MOST_REMEMBERED = 8192;

    /** A node as it is weighed. */
    interface Place {
        /** The same for every gateway. */
        String name();

        /** Requests that it has, waiting ones included. */
        int load();

        /** Sequences that it computes at once; 1 or more. */
        int slots();
    }

    /** Where conversations were answered last, by the hashes of their prompts. Guarded by itself. */
    private final Map<Long, String> last = new LinkedHashMap<>(64, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, String> eldest) {
            return size() > MOST_REMEMBERED;
        }
    };

    /**
     * @param places at least one
     * @param key what the prompt begins with; null where that does not matter
     */
    <P extends Place> P choose(List<P> places, @Nullable PromptKey key) {
        if (key == null) {
            return places.stream()
                    .min(Comparator.comparingDouble(place -> (double) place.load() / place.slots()))
                    .orElseThrow();
        }
        synchronized (last) {
            String known = last.get(key.whole());
            P chosen = withRoom(places).stream()
                    .min(Comparator.comparing((P place) -> !place.name().equals(known))
                            .thenComparingDouble(place -> rank(place, key.beginning())))
                    .orElseThrow();
            last.put(key.whole(), chosen.name());
            return chosen;
        }
    }

    /** Those whose load stays within the bound with one more request; there always is one. */
    private static <P extends Place> List<P> withRoom(List<P> places) {
        long load = 1;
        long slots = 0;
        for (P place : places) {
            load += place.load();
            slots += place.slots();
        }
        double mostPerSlot = BOUND * load / slots;
        return places.stream()
                .filter(place -> place.load() < Math.ceil(mostPerSlot * place.slots()))
                .toList();
    }

    /** Low is good. Of many keys each place has the lowest as often as its slots say. */
    private static double rank(Place place, long key) {
        long hash = Hashing.murmur3_128()
                .newHasher()
                .putLong(key)
                .putUnencodedChars(place.name())
                .hash()
                .asLong();
        double uniform = ((hash >>> 11) + 0.5) * 0x1.0p-53;
        return -Math.log(uniform) / place.slots();
    }
}
