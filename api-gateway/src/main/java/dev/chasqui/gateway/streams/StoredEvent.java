package dev.chasqui.gateway.streams;

/**
 * An event as the database keeps it.
 *
 * @param position grows with every event of a user, by one
 * @param subject the id of what it is about
 */
public record StoredEvent(long position, Kind kind, String subject) {}
