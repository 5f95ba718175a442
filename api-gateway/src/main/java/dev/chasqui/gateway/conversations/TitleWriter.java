package dev.chasqui.gateway.conversations;

import dev.chasqui.gateway.nodes.NodeRouter;
import dev.chasqui.proto.v1.ChatMessage;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.ContentPart;
import dev.chasqui.proto.v1.GenerationEvent;
import dev.chasqui.proto.v1.Limits;
import dev.chasqui.proto.v1.Reasoning;
import dev.chasqui.proto.v1.Sampling;
import java.util.Locale;
import reactor.core.publisher.Mono;

/** Titles of conversations: the first words of the first message, until the model has found a better one. */
final class TitleWriter {
    private static final String TASK =
            "Write a title for this conversation: two to six words, in its language." + " Write nothing but the title.";
    private static final int MOST_TOKENS = 24;
    private static final int LONGEST = 80;
    private static final int LONGEST_WORDS = 60;

    private final NodeRouter nodes;

    TitleWriter(NodeRouter nodes) {
        this.nodes = nodes;
    }

    /**
     * Asks the model; empty where it finds none. The request begins as the one that was just answered, so that nearly all
     * of it is in the KV cache.
     */
    Mono<String> write(ChatRequest answered, String answer) {
        ChatRequest request = ChatRequest.newBuilder()
                .setModel(answered.getModel())
                .addAllMessages(answered.getMessagesList())
                .addMessages(message("assistant", answer))
                .addMessages(message("user", TASK))
                .setSampling(Sampling.newBuilder().setTemperature(0))
                .setReasoning(Reasoning.newBuilder().setMode(Reasoning.Mode.MODE_OFF))
                .setLimits(Limits.newBuilder().setMaxTokens(MOST_TOKENS).addStop("\n\n"))
                .build();
        return nodes.chat(request)
                .filter(GenerationEvent::hasDelta)
                .map(event -> event.getDelta().getContent())
                .reduce(new StringBuilder(), StringBuilder::append)
                .map(text -> cleaned(text.toString()))
                .filter(title -> !title.isEmpty());
    }

    private static ChatMessage message(String role, String text) {
        return ChatMessage.newBuilder()
                .setRole(role)
                .addContent(ContentPart.newBuilder().setText(text))
                .build();
    }

    /** Models put titles into quotes and headings, and say that it is a title; small ones say the task over. Empty where it is none. */
    static String cleaned(String text) {
        String line = text.replace('\0', ' ').strip().lines().findFirst().orElse("");
        String bare = line.replaceFirst("(?i)^[#*\\s]*(title\\s*:)?\\s*", "")
                .replaceAll("^[\"'`*_«“„]+|[\"'`*_»”“.]+$", "")
                .strip();
        boolean isTask = TASK.toLowerCase(Locale.ROOT).contains(bare.toLowerCase(Locale.ROOT));
        return bare.length() <= LONGEST && !isTask ? bare : "";
    }

    /** The first words of a text. */
    static String words(String text) {
        String line = text.strip().replaceAll("\\s+", " ");
        if (line.length() <= LONGEST_WORDS) {
            return line;
        }
        int space = line.lastIndexOf(' ', LONGEST_WORDS);
        int cut = space > LONGEST_WORDS / 2 ? space : line.offsetByCodePoints(0, line.codePointCount(0, LONGEST_WORDS));
        return line.substring(0, cut) + "…";
    }
}
