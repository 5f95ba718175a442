package dev.chasqui.gateway.conversations;

import dev.chasqui.gateway.nodes.GenerationOutcome;

/** Told of each stored answer when it has ended, for metrics and logs. */
@FunctionalInterface
public interface GenerationLog {
    /** @param startNanos {@link System#nanoTime} at its begin */
    void ended(GenerationOutcome outcome, long startNanos);
}
