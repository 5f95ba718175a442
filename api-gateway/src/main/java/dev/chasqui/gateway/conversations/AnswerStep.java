package dev.chasqui.gateway.conversations;

import org.jspecify.annotations.Nullable;

/** What a follower of an answer is told. */
public sealed interface AnswerStep {
    /**
     * The node has taken it.
     *
     * @param answer as it begins; its text is what it goes on from
     */
    record Started(Message answer, int promptTokens) implements AnswerStep {}

    /** More text. */
    record Text(boolean reasoning, String text) implements AnswerStep {}

    /**
     * It has ended, as its message says.
     *
     * @param saved whether the database has it; if not, it is tried again until it has
     * @param failure why it failed, where it did
     */
    record Ended(Message answer, boolean saved, @Nullable RuntimeException failure) implements AnswerStep {}
}
