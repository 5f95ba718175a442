package dev.chasqui.gateway.answers;

import java.nio.charset.StandardCharsets;

/**
 * Writes one streamed answer: events in, the bytes of a dialect's chunks out. A plain object without I/O or clock, one
 * for each answer. What it returns is valid until the next call.
 *
 * @param <E> what the answer is made of
 */
public interface AnswerEncoder<E> {
    /** A comment of server-sent events, which every client passes over. */
    byte[] COMMENT = ": ping\n\n".getBytes(StandardCharsets.US_ASCII);

    /** What the event adds to the stream: often nothing. */
    JsonBytes encode(E event);

    /**
     * The end of a stream that failed after its first byte.
     *
     * @param failure a defect where it is neither a {@code RequestError} nor a {@code NodeException}
     */
    JsonBytes fail(Throwable failure);

    /** What keeps a connection alive while there is nothing to say. */
    default byte[] ping() {
        return COMMENT;
    }
}
