package dev.chasqui.gateway.nodes;

import dev.chasqui.proto.v1.Completed;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.Timings;
import dev.chasqui.proto.v1.Usage;
import org.jspecify.annotations.Nullable;

/**
 * What is worth counting of one answer, kept beside it while it is made. The event loop owns it until the answer ends.
 */
public final class GenerationOutcome {
    private long firstDeltaNanos;
    private long eventsSent;
    private String model = "";
    private int promptTokens;
    private int tokens;
    private @Nullable Completed completed;
    private boolean cutOff;

    /** Takes note of an event; cheap enough for every token. */
    public void note(GenerationEvent event) {
        switch (event.getEventCase()) {
            case DELTA -> {
                if (firstDeltaNanos == 0) {
                    firstDeltaNanos = System.nanoTime();
                }
                tokens += event.getDelta().getTokens();
            }
            case ADMITTED -> {
                model = event.getAdmitted().getModel();
                promptTokens = event.getAdmitted().getPromptTokens();
            }
            case COMPLETED -> completed = event.getCompleted();
            default -> {}
        }
    }

    /** One more event went to the client. */
    public void sent() {
        eventsSent++;
    }

    /** The client went away before the end. */
    public void cutOff() {
        cutOff = true;
    }

    /** Whether the client went away before the end. */
    public boolean isCutOff() {
        return cutOff;
    }

    /** Events that went to the client. */
    public long eventsSent() {
        return eventsSent;
    }

    /** {@link System#nanoTime} at the first text; 0 if none came. */
    public long firstDeltaNanos() {
        return firstDeltaNanos;
    }

    /** The model that answered; empty if none did. */
    public String model() {
        return model;
    }

    /** What was computed, as far as it was heard of; of an answer that was broken off too. */
    public Usage computed() {
        return completed != null
                ? completed.getUsage()
                : Usage.newBuilder()
                        .setPromptTokens(promptTokens)
                        .setCompletionTokens(tokens)
                        .build();
    }

    /** Token counts; null unless the answer was completed. */
    public @Nullable Usage usage() {
        return completed == null ? null : completed.getUsage();
    }

    /** Times as the node measured them; null unless the answer was completed. */
    public @Nullable Timings timings() {
        return completed == null ? null : completed.getTimings();
    }
}
