package dev.chasqui.gateway.streams;

import java.time.Duration;

/**
 * Bounds of durable streams.
 *
 * @param retention how long events are kept
 * @param mostEvents that are kept for a user
 * @param queue events that wait for one slow reader
 * @param backpressure what gives way when that is full
 * @param mostStreams that a user may have open at once
 */
public record StreamSettings(
        Duration retention, int mostEvents, int queue, Backpressure backpressure, int mostStreams) {}
