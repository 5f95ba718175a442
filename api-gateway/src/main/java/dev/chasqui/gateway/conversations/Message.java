package dev.chasqui.gateway.conversations;

import java.util.Locale;

/**
 * One message of a conversation.
 *
 * @param parentId the message that it follows; empty for a first one
 * @param number grows with every message of a conversation
 * @param role {@code user} or {@code assistant}
 * @param reasoning what the model thought; may be empty
 * @param owner the gateway that generates it, while it runs
 * @param model that answered; empty for a user's message
 * @param finishReason {@code stop} or {@code length}; empty where it has not ended so
 * @param error one sentence where it failed, else empty
 */
public record Message(
        String id,
        String conversationId,
        String parentId,
        long number,
        String role,
        String content,
        String reasoning,
        Status status,
        String owner,
        String model,
        String finishReason,
        String error,
        Tally tally,
        LeftOut leftOut,
        long createdAt,
        long updatedAt) {

    /** How far a message is. */
    public enum Status {
        COMPLETE,
        RUNNING,
        /** Somebody stopped it. */
        STOPPED,
        /** The gateway or the node ended before it did. */
        INTERRUPTED,
        FAILED;

        /** As the wire and the database write it. */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }

        static Status of(String word) {
            return valueOf(word.toUpperCase(Locale.ROOT));
        }
    }

    /**
     * What an answer took.
     *
     * @param firstTokenMs from the request until its first text, as the gateway saw it
     * @param promptMs as the node measured
     * @param completionMs as the node measured
     * @param durationMs from the request to the end, as the gateway saw it
     */
    public record Tally(
            int promptTokens,
            int cachedTokens,
            int completionTokens,
            long firstTokenMs,
            long promptMs,
            long completionMs,
            long durationMs) {
        static final Tally NONE = new Tally(0, 0, 0, 0, 0, 0, 0);
    }

    /**
     * What of the history the model was not given.
     *
     * @param from the earliest message that it was given; empty for a user's message
     * @param messages how many before that were left out
     * @param by {@code max_history_messages} or {@code context_window}; empty where none was left out
     */
    public record LeftOut(String from, int messages, String by) {
        static final LeftOut NOTHING = new LeftOut("", 0, "");
    }

    /** What a user says, at a place in the tree. */
    static Message question(String id, String conversationId, String parentId, long number, String text, long now) {
        return new Message(
                id,
                conversationId,
                parentId,
                number,
                "user",
                text,
                "",
                Status.COMPLETE,
                "",
                "",
                "",
                "",
                Tally.NONE,
                LeftOut.NOTHING,
                now,
                now);
    }

    /** An answer before its first word. */
    static Message answer(
            String id, Message question, long number, String model, String owner, LeftOut leftOut, long now) {
        return new Message(
                id,
                question.conversationId(),
                question.id(),
                number,
                "assistant",
                "",
                "",
                Status.RUNNING,
                owner,
                model,
                "",
                "",
                Tally.NONE,
                leftOut,
                now,
                now);
    }

    /** The same answer in somebody's own words, beside it. */
    Message rewritten(String newId, long newNumber, String text, long now) {
        Copy copy = new Copy();
        copy.id = newId;
        copy.number = newNumber;
        copy.content = text;
        copy.reasoning = "";
        copy.status = Status.COMPLETE;
        copy.owner = "";
        copy.startedAnew();
        copy.createdAt = now;
        copy.updatedAt = now;
        return copy.message();
    }

    /** The same words, said by somebody else. */
    Message rewrittenAs(String speaker) {
        Copy copy = new Copy();
        copy.role = speaker;
        return copy.message();
    }

    Message numbered(long place) {
        Copy copy = new Copy();
        copy.number = place;
        return copy.message();
    }

    Message interrupted() {
        return ended(Status.INTERRUPTED, content, reasoning, "", error, tally, updatedAt);
    }

    boolean isUser() {
        return role.equals("user");
    }

    Message ended(Status end, String text, String thoughts, String reason, String problem, Tally took, long now) {
        Copy copy = new Copy();
        copy.content = text;
        copy.reasoning = thoughts;
        copy.status = end;
        copy.finishReason = reason;
        copy.error = problem;
        copy.tally = took;
        copy.updatedAt = now;
        return copy.message();
    }

    /** With the text that it has by now. */
    Message reading(String text, String thoughts, String answering) {
        Copy copy = new Copy();
        copy.content = text;
        copy.reasoning = thoughts;
        copy.model = answering;
        return copy.message();
    }

    /** As a running answer of this gateway, from where it is. */
    Message running(String gateway, LeftOut cut, long now) {
        Copy copy = new Copy();
        copy.reasoning = content.isEmpty() ? "" : reasoning;
        copy.status = Status.RUNNING;
        copy.owner = gateway;
        copy.startedAnew();
        copy.leftOut = cut;
        copy.updatedAt = now;
        return copy.message();
    }

    /** This message with some parts replaced. */
    private final class Copy {
        private String id = Message.this.id;
        private long number = Message.this.number;
        private String role = Message.this.role;
        private String content = Message.this.content;
        private String reasoning = Message.this.reasoning;
        private Status status = Message.this.status;
        private String owner = Message.this.owner;
        private String model = Message.this.model;
        private String finishReason = Message.this.finishReason;
        private String error = Message.this.error;
        private Tally tally = Message.this.tally;
        private LeftOut leftOut = Message.this.leftOut;
        private long createdAt = Message.this.createdAt;
        private long updatedAt = Message.this.updatedAt;

        /** No end, no error, nothing taken yet. */
        private void startedAnew() {
            finishReason = "";
            error = "";
            tally = Tally.NONE;
        }

        private Message message() {
            return new Message(
                    id,
                    conversationId,
                    parentId,
                    number,
                    role,
                    content,
                    reasoning,
                    status,
                    owner,
                    model,
                    finishReason,
                    error,
                    tally,
                    leftOut,
                    createdAt,
                    updatedAt);
        }
    }
}
