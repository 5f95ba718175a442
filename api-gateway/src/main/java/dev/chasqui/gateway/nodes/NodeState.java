package dev.chasqui.gateway.nodes;

import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** How a node is, as far as this gateway can tell. */
public enum NodeState {
    /** It speaks, and takes requests. */
    UP,
    /** Nothing was heard of it for a moment; it gets requests only where no other node takes them. */
    SILENT,
    /** It takes no new requests, and ends when the running ones are done. */
    DRAINING,
    /** It does not answer. */
    DOWN;

    /** How many nodes are in each state, all of which are there. */
    public static Map<NodeState, Integer> count(List<NodeView> views) {
        Map<NodeState, Integer> counts = new EnumMap<>(NodeState.class);
        for (NodeState state : values()) {
            counts.put(state, 0);
        }
        views.forEach(view -> counts.merge(view.state(), 1, Integer::sum));
        return counts;
    }

    /** As health and metrics write it. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
