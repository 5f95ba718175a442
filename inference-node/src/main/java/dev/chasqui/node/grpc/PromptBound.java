package dev.chasqui.node.grpc;

import dev.chasqui.node.model.LoadedModel;
import dev.chasqui.proto.v1.ChatMessage;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.ContentPart;
import java.util.ArrayList;
import java.util.List;

/**
 * Refuses what is far too long before it is rendered and tokenised, which takes seconds for a text without spaces. Twice the
 * context is let through, so that what a template or a tokenizer makes shorter is measured as it is.
 */
final class PromptBound {
    private static final int SLACK = 2;

    private PromptBound() {}

    /** Thoughts and calls of earlier answers are left out by many templates, so they count for nothing. */
    static void check(ChatRequest request, LoadedModel model) {
        List<String> texts = new ArrayList<>();
        for (ChatMessage message : request.getMessagesList()) {
            if (!message.getRole().equals("assistant")) {
                message.getContentList().stream().map(ContentPart::getText).forEach(texts::add);
            }
        }
        check(texts, model);
    }

    static void check(List<String> texts, LoadedModel model) {
        long most = (long) SLACK * model.engine().contextTokens();
        if (texts.stream().mapToLong(String::length).sum() <= most) {
            return;
        }
        int tokens = 0;
        for (String text : texts) {
            tokens += model.vocabulary().leastTokens(text);
        }
        if (tokens > most) {
            model.engine().checkAtLeast(tokens);
        }
    }
}
