/**
 * What happened to a user's things, as durable streams: each event has a position that grows, is in the database before
 * it is told, and is told again to whoever comes back with the last position that he saw. The text of running answers
 * goes through the same streams without positions of its own.
 *
 * <p>The event loop owns all streams and their queues.
 */
@NullMarked
package dev.chasqui.gateway.streams;

import org.jspecify.annotations.NullMarked;
