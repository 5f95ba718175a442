package dev.chasqui.gateway.conversations;

import java.time.Duration;

/**
 * How conversations are kept.
 *
 * @param mostHistory messages of a conversation that go to the model
 * @param titles whether the model writes titles
 * @param undo how long a deleted conversation can be brought back
 * @param owner names this gateway, also after a restart, among others with the same database
 */
public record ConversationSettings(int mostHistory, boolean titles, Duration undo, String owner) {}
