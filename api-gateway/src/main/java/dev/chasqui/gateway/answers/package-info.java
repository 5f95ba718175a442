/**
 * What the dialects share in writing: JSON as bytes, streams of events with pings, and answers in one piece.
 *
 * <p>All of it happens on the event loop, which owns an answer while it is written.
 */
@NullMarked
package dev.chasqui.gateway.answers;

import org.jspecify.annotations.NullMarked;
