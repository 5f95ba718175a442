package dev.chasqui.gateway.conversations;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A conversation with all its messages, and the paths through them.
 *
 * @param messages in their order
 */
public record MessageTree(Conversation conversation, List<Message> messages) {
    public MessageTree {
        messages = List.copyOf(messages);
    }

    /** The path that is shown, from its first message to its last. */
    public List<Message> currentPath() {
        return path(conversation.currentMessage());
    }

    /** From the first message to this one; empty for an empty id. */
    List<Message> path(String leaf) {
        Map<String, Message> byId = new HashMap<>();
        messages.forEach(message -> byId.put(message.id(), message));
        List<Message> path = new ArrayList<>();
        for (Message at = byId.get(leaf); at != null && path.size() <= messages.size(); at = byId.get(at.parentId())) {
            path.add(at);
        }
        Collections.reverse(path);
        return path;
    }

    /** The message of that id. */
    Message require(String id) {
        Message found = find(id);
        if (found == null) {
            throw Missing.message();
        }
        return found;
    }

    @Nullable
    Message find(String id) {
        for (Message message : messages) {
            if (message.id().equals(id)) {
                return message;
            }
        }
        return null;
    }

    /** From here down, always to the newest branch. */
    String newestLeaf(String id) {
        String leaf = id;
        for (int steps = 0; steps <= messages.size(); steps++) {
            String newest = "";
            for (Message message : messages) {
                if (message.parentId().equals(leaf)) {
                    newest = message.id();
                }
            }
            if (newest.isEmpty()) {
                return leaf;
            }
            leaf = newest;
        }
        return leaf;
    }
}
