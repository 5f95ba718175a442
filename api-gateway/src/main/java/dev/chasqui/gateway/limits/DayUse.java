package dev.chasqui.gateway.limits;

/**
 * What a subject used in one day, through all gateways.
 *
 * @param day since 1970, UTC
 */
public record DayUse(String subject, long day, Usage usage) {}
