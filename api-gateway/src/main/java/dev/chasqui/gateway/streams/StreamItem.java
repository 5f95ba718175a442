package dev.chasqui.gateway.streams;

/** What a stream tells. */
public sealed interface StreamItem {
    /**
     * The stream begins, and knows all up to here.
     *
     * @param cursor the last position that need not be told
     */
    record Hello(String userId, long cursor) implements StreamItem {}

    /** Something was left out that will not be told again: the reader must read everything anew. */
    record Reset(long cursor, String reason) implements StreamItem {}

    /**
     * Something has changed.
     *
     * @param json what it is now, as a JSON object
     * @param ended whether it is a message that gets no more text
     */
    record Change(long position, Kind kind, String subject, byte[] json, boolean ended) implements StreamItem {}

    /**
     * More text of a running answer.
     *
     * @param reasoning whether the model thinks it, and does not say it
     * @param offset where it belongs, in UTF-16 code units from the text's begin
     */
    record Piece(String conversationId, String messageId, boolean reasoning, int offset, String text)
            implements StreamItem {
        int end() {
            return offset + text.length();
        }
    }
}
