package dev.chasqui.gateway.conversations;

import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;

/**
 * An answer that was begun.
 *
 * @param question that was stored for it; null where it answers one that was there
 * @param answer as it begins
 * @param steps of the answer from here on, for one reader; empty where nothing is generated
 */
public record Exchange(Conversation conversation, @Nullable Message question, Message answer, Flux<AnswerStep> steps) {}
