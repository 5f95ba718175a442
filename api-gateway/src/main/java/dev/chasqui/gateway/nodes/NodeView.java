package dev.chasqui.gateway.nodes;

import dev.chasqui.proto.v1.EngineStatus;
import dev.chasqui.proto.v1.Model;
import dev.chasqui.proto.v1.ModelState;
import dev.chasqui.proto.v1.NodeStatus;
import org.jspecify.annotations.Nullable;

/**
 * What is known of one node at a moment.
 *
 * @param address where it listens
 * @param state how it is
 * @param status what it last said of itself; the empty status before it said anything
 * @param inFlight requests of this gateway that it is working on
 * @param elsewhere requests that it was working on for others when it last spoke
 */
public record NodeView(NodeAddress address, NodeState state, NodeStatus status, int inFlight, int elsewhere) {
    /** Of a node that has not said how many sequences it computes at once. */
    private static final int USUAL_SLOTS = 4;

    /** Whether there is a connection to it. */
    public boolean reachable() {
        return state != NodeState.DOWN;
    }

    /** The model of that name, if the node spoke of it; an empty name is the default model. */
    public @Nullable Model model(String name) {
        String wanted = named(name);
        for (Model model : status.getModelsList()) {
            if (wanted.isEmpty() ? model.getIsDefault() : model.getName().equals(wanted)) {
                return model;
            }
        }
        return null;
    }

    /** Requests that it is working on, and those that wait there. */
    int load() {
        return inFlight + elsewhere;
    }

    /** Sequences of that model that it computes at once. */
    int slots(String name) {
        String wanted = named(name);
        for (EngineStatus engine : status.getEnginesList()) {
            if (engine.getModel().equals(wanted) && engine.getSlots() > 0) {
                return engine.getSlots();
            }
        }
        return USUAL_SLOTS;
    }

    /** How good a place it is for that model: 0 is the best. */
    int distance(String name) {
        Model model = model(name);
        if (model == null) {
            return status.getStoredModelsList().contains(name) ? 2 : 4;
        }
        return distance(model.getState());
    }

    /** How far a model in that state is from answering: 0 is the best. */
    static int distance(ModelState state) {
        return switch (state) {
            case MODEL_STATE_READY -> 0;
            case MODEL_STATE_LOADING -> 1;
            case MODEL_STATE_ON_DISK -> 2;
            case MODEL_STATE_DOWNLOADING -> 3;
            default -> 4;
        };
    }

    private String named(String name) {
        return name.isEmpty() ? status.getDefaultModel() : name;
    }
}
