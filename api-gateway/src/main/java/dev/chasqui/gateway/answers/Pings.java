package dev.chasqui.gateway.answers;

/**
 * How long a stream is silent before it says so.
 *
 * @param firstMs before the first byte; a ping then commits the response
 * @param laterMs from then on
 */
public record Pings(long firstMs, long laterMs) {}
