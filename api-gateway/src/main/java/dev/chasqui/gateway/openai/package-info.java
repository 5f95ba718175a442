/**
 * OpenAI's HTTP dialect: its requests become the messages of the proto, the node's events become its chunks.
 *
 * <p>Encoders are plain objects without I/O, one for each answer; the event loop owns them while the answer streams.
 */
@NullMarked
package dev.chasqui.gateway.openai;

import org.jspecify.annotations.NullMarked;
