package dev.chasqui.node.store;

import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** What somebody may have meant who wrote a name that there is not. */
public final class Spelling {
    private static final int SHORTEST_PART = 3;

    private Spelling() {}

    /**
     * The known name that is most like the one that was written: the shortest that it is a part of, else the one that begins with
     * the fewest letters to put in, take out or change, again the shortest; empty where none is near.
     */
    public static String nearest(String written, Collection<String> known) {
        return nearest(written, List.of(), known);
    }

    /**
     * The same among names of two kinds.
     *
     * @param preferred the likelier ones: taken where another is no nearer, and where both have what was written as a part
     */
    static String nearest(String written, Collection<String> preferred, Collection<String> others) {
        String name = written.replace('_', '-').toLowerCase(Locale.ROOT);
        String best = "";
        int least = Math.min(name.length(), name.length() <= SHORTEST_PART ? 2 : Math.max(2, name.length() / 3) + 1);
        for (Collection<String> known : List.of(preferred, others)) {
            if (least < 0) {
                return best;
            }
            for (String candidate : known) {
                String other = candidate.replace('_', '-').toLowerCase(Locale.ROOT);
                boolean part = name.length() >= SHORTEST_PART && other.contains(name);
                int distance = part ? other.length() - Integer.MAX_VALUE : distance(name, other);
                boolean shorter = distance == least && known.contains(best) && candidate.length() < best.length();
                if (distance < least || shorter) {
                    least = distance;
                    best = candidate;
                }
            }
        }
        return best;
    }

    /** From the whole of one to as much of the other's beginning as is nearest. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j < row.length; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int corner = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int changed = corner + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                corner = row[j];
                row[j] = Math.min(changed, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return IntStream.of(row).min().orElseThrow();
    }
}
