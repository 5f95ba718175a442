/**
 * Stored chats: conversations whose messages form a tree, answers that are generated for a conversation and not for a
 * connection, and what of a long history goes to the model.
 *
 * <p>The event loop owns the running answers. Everything else is in the database.
 */
@NullMarked
package dev.chasqui.gateway.conversations;

import org.jspecify.annotations.NullMarked;
