package dev.chasqui.gateway.nodes;

import dev.chasqui.proto.v1.Model;
import dev.chasqui.proto.v1.ModelState;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Whether the default model can answer, and if not, why and how far it is.
 *
 * @param state what it is doing
 * @param model its name; empty while there is none
 * @param progress 0 to 1
 * @param message one sentence for people
 * @param bytesDone of the download; 0 where unknown
 * @param bytesTotal of the download; 0 where unknown
 */
public record Readiness(State state, String model, double progress, String message, long bytesDone, long bytesTotal) {

    /** From best to worst. */
    public enum State {
        READY,
        LOADING,
        DOWNLOADING,
        /** No node answers. */
        UNAVAILABLE,
        /** The model cannot be had. */
        FAILED;

        /** As the wire writes it: {@code ready}. */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    static Readiness of(NodeView node) {
        if (!node.reachable()) {
            return unavailable("The inference node is not reachable.");
        }
        if (node.status().getDraining()) {
            return unavailable("The inference node is shutting down.");
        }
        Model model = node.model("");
        return model == null
                ? new Readiness(
                        State.LOADING, node.status().getDefaultModel(), 0, "The inference node is starting.", 0, 0)
                : node.status().getServing() && comesBack(model) ? ready(model.getName()) : of(model);
    }

    /** It was in memory, and is loaded anew by whoever asks for it. */
    private static boolean comesBack(Model model) {
        return model.getState() == ModelState.MODEL_STATE_ON_DISK || model.getState() == ModelState.MODEL_STATE_LOADING;
    }

    private static Readiness ready(String name) {
        return new Readiness(State.READY, name, 1, "The model is ready.", 0, 0);
    }

    private static Readiness of(Model model) {
        String name = model.getName();
        double progress = Math.min(1, Math.max(0, model.getProgress()));
        long percent = (long) (progress * 100);
        return switch (model.getState()) {
            case MODEL_STATE_READY -> ready(name);
            case MODEL_STATE_DOWNLOADING -> {
                long total = model.getSizeBytes();
                long done = (long) (total * progress);
                yield new Readiness(
                        State.DOWNLOADING, name, progress, "Downloading " + name + ": " + percent + " %.", done, total);
            }
            case MODEL_STATE_FAILED -> new Readiness(State.FAILED, name, 0, failure(name, model.getReason()), 0, 0);
            default -> new Readiness(State.LOADING, name, progress, "Loading " + name + ": " + percent + " %.", 0, 0);
        };
    }

    private static String failure(String name, @Nullable String reason) {
        return reason == null || reason.isEmpty() ? "The model " + name + " cannot be used." : reason;
    }

    static Readiness unavailable(String message) {
        return new Readiness(State.UNAVAILABLE, "", 0, message, 0, 0);
    }
}
