package dev.chasqui.node.grpc;

import dev.chasqui.llama.PlainMessage;
import dev.chasqui.proto.v1.ChatMessage;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.OutputFormat;
import dev.chasqui.proto.v1.Reasoning;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Knows the chats of nothing but texts, as most are: these need not be written as JSON for the template engine. */
final class PlainChat {
    private PlainChat() {}

    /** The messages, where they are all that a request says of its prompt. */
    static Optional<List<PlainMessage>> of(ChatRequest request) {
        if (request.getToolsCount() > 0
                || request.hasToolChoice()
                || request.hasParallelToolCalls()
                || request.getOutputFormat().getFormatCase() != OutputFormat.FormatCase.FORMAT_NOT_SET
                || !request.getReasoning().equals(Reasoning.getDefaultInstance())
                || request.getTemplateArgumentsCount() > 0
                || request.getContinueLastMessage()
                || request.getMessagesCount() == 0) {
            return Optional.empty();
        }
        List<PlainMessage> plain = new ArrayList<>(request.getMessagesCount());
        for (int i = 0; i < request.getMessagesCount(); i++) {
            ChatMessage message = request.getMessages(i);
            ChatJson.checkRole(message.getRole(), "messages[" + i + "]");
            if (!isPlain(message)) {
                return Optional.empty();
            }
            plain.add(new PlainMessage(
                    message.getRole(),
                    message.getContentCount() == 0 ? "" : message.getContent(0).getText()));
        }
        return Optional.of(plain);
    }

    private static boolean isPlain(ChatMessage message) {
        return (message.getContentCount() == 0
                        || message.getContentCount() == 1
                                && message.getContent(0).hasText())
                && !message.getRole().equals("tool")
                && message.getName().isEmpty()
                && message.getReasoning().isEmpty()
                && message.getToolCallId().isEmpty()
                && message.getToolCallsCount() == 0;
    }
}
