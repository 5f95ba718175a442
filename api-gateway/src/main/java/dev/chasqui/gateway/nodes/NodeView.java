package dev.chasqui.gateway.nodes;

import dev.chasqui.proto.v1.Model;
import dev.chasqui.proto.v1.NodeStatus;
import org.jspecify.annotations.Nullable;

/**
 * What is known of one node at a moment.
 *
 * @param address where it listens
 * @param reachable whether it answers now
 * @param status what it last said of itself; the empty status before it said anything
 * @param inFlight requests of this gateway that it is working on
 */
public record NodeView(NodeAddress address, boolean reachable, NodeStatus status, int inFlight) {

    /** The model of that name, if the node spoke of it; an empty name is the default model. */
    public @Nullable Model model(String name) {
        String wanted = name.isEmpty() ? status.getDefaultModel() : name;
        for (Model model : status.getModelsList()) {
            if (wanted.isEmpty() ? model.getIsDefault() : model.getName().equals(wanted)) {
                return model;
            }
        }
        return null;
    }
}
