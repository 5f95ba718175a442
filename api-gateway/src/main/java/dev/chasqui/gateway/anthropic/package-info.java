/**
 * Anthropic's HTTP dialect: its messages become the messages of the proto, the node's events become its events.
 *
 * <p>Encoders are plain objects without I/O, one for each answer; the event loop owns them while the answer streams.
 */
@NullMarked
package dev.chasqui.gateway.anthropic;

import org.jspecify.annotations.NullMarked;
