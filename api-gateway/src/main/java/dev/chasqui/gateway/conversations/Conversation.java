package dev.chasqui.gateway.conversations;

/**
 * A chat.
 *
 * @param title may be empty while there is no message
 * @param titleBy who wrote it
 * @param model as requests name it; empty: the default model
 * @param systemPrompt may be empty
 * @param settings how to generate: a JSON object with the fields that a chat's request has
 * @param currentMessage the leaf of the path that is shown; empty while there is no message
 * @param createdAt milliseconds since 1970, as all times here
 * @param deletedAt 0: it is not deleted
 */
public record Conversation(
        String id,
        String userId,
        String title,
        TitleBy titleBy,
        String model,
        String systemPrompt,
        String settings,
        String currentMessage,
        long createdAt,
        long updatedAt,
        long deletedAt) {

    /** Who wrote a title. */
    public enum TitleBy {
        /** It is the first words of the first message. */
        WORDS,
        MODEL,
        USER
    }

    /** What a new conversation is made of, and what can be changed of one. */
    public record Draft(String title, TitleBy titleBy, String model, String systemPrompt, String settings) {}

    Conversation with(Draft draft, String leaf, long deleted, long now) {
        return new Conversation(
                id,
                userId,
                draft.title(),
                draft.titleBy(),
                draft.model(),
                draft.systemPrompt(),
                draft.settings(),
                leaf,
                createdAt,
                now,
                deleted);
    }

    /** What can be changed of it, as it is. */
    public Draft draft() {
        return new Draft(title, titleBy, model, systemPrompt, settings);
    }

    /** With another leaf. */
    Conversation at(String leaf, long now) {
        return with(draft(), leaf, deletedAt, now);
    }

    /** With another title. */
    Conversation titled(String text, TitleBy by, long now) {
        return with(new Draft(text, by, model, systemPrompt, settings), currentMessage, deletedAt, now);
    }
}
