package dev.chasqui.gateway.conversations;

import dev.chasqui.gateway.nodes.ContextWindow;
import dev.chasqui.gateway.nodes.NodeRouter;
import dev.chasqui.proto.v1.ChatMessage;
import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.ContentPart;
import dev.chasqui.proto.v1.CountTokensResponse;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import reactor.core.publisher.Mono;

/**
 * How much of a conversation goes to the model: at most so many messages, and no more than its context holds beside an
 * answer, counted in its own tokens. The system prompt and the last question always go.
 */
final class HistoryWindow {
    private static final int QUARTER = 4;
    /** What a template puts around a message, generously. */
    private static final int TOKENS_AROUND = 48;

    private final NodeRouter nodes;
    private final int mostMessages;
    /** Tokens that a sequence may have, by model, as counting last told. */
    private final Map<String, Integer> contexts = new HashMap<>();

    /** @param mostMessages of the history, the last question included */
    HistoryWindow(NodeRouter nodes, int mostMessages) {
        this.nodes = nodes;
        this.mostMessages = mostMessages;
    }

    /** A request that fits, and what was left out for that. */
    record Fitted(ChatRequest request, Message.LeftOut leftOut) {}

    /**
     * Cuts the path to what fits.
     *
     * @param template the request without its messages but for the system prompt
     * @param path from the first message to the last, which goes in any case
     */
    Mono<Fitted> fit(ChatRequest template, List<Message> path) {
        int before = before(path);
        boolean few = path.size() - before <= mostMessages;
        int start = turn(path, few ? before : path.size() - Math.max(1, mostMessages - mostMessages / QUARTER));
        String by = few ? reasonBefore(path) : "max_history_messages";
        if (surelyFits(template, path, start)) {
            return Mono.just(fitted(template, path, start, by));
        }
        return count(template, path, start).flatMap(count -> {
            contexts.put(template.getModel(), count.getContextTokens());
            int room = ContextWindow.room(template, count.getContextTokens());
            return count.getTokens() <= room || start == lastTurn(path)
                    ? Mono.just(fitted(template, path, start, by))
                    : ContextWindow.cut(start + 1, lastTurn(path), room, from -> count(template, path, from))
                            .map(found -> fitted(template, path, turn(path, found), "context_window"));
        });
    }

    /** Where the last answer's history began: what it began with is computed already. */
    private static int before(List<Message> path) {
        String from = last(path).from();
        for (int i = 0; i < path.size() && !from.isEmpty(); i++) {
            if (path.get(i).id().equals(from)) {
                return i;
            }
        }
        return 0;
    }

    private static String reasonBefore(List<Message> path) {
        return last(path).by();
    }

    private static Message.LeftOut last(List<Message> path) {
        for (int i = path.size() - 1; i >= 0; i--) {
            if (!path.get(i).leftOut().from().isEmpty()) {
                return path.get(i).leftOut();
            }
        }
        return Message.LeftOut.NOTHING;
    }

    /** A history begins with a question: templates want it so. */
    private static int turn(List<Message> path, int from) {
        int start = Math.max(0, from);
        int last = lastTurn(path);
        while (start < last && !path.get(start).isUser()) {
            start++;
        }
        return Math.min(start, last);
    }

    /** The last question. */
    private static int lastTurn(List<Message> path) {
        int last = path.size() - 1;
        while (last > 0 && !path.get(last).isUser()) {
            last--;
        }
        return last;
    }

    /** A token has a byte at least, so few bytes need no counting. */
    private boolean surelyFits(ChatRequest template, List<Message> path, int start) {
        Integer context = contexts.get(template.getModel());
        if (context == null || template.getToolsCount() > 0) {
            return false;
        }
        long bytes = TOKENS_AROUND;
        for (ChatMessage message : request(template, path, start).getMessagesList()) {
            bytes += TOKENS_AROUND;
            for (ContentPart part : message.getContentList()) {
                bytes += part.getText().getBytes(StandardCharsets.UTF_8).length;
            }
        }
        return bytes <= ContextWindow.room(template, context);
    }

    private Mono<CountTokensResponse> count(ChatRequest template, List<Message> path, int start) {
        return nodes.countTokens(request(template, path, start));
    }

    private static Fitted fitted(ChatRequest template, List<Message> path, int start, String by) {
        return new Fitted(
                request(template, path, start),
                new Message.LeftOut(path.get(start).id(), start, start == 0 ? "" : by));
    }

    private static ChatRequest request(ChatRequest template, List<Message> path, int start) {
        ChatRequest.Builder request = template.toBuilder();
        for (Message message : path.subList(start, path.size())) {
            if (message.content().isEmpty() && !message.isUser()) {
                // It failed before its first word.
                continue;
            }
            request.addMessages(ChatMessage.newBuilder()
                    .setRole(message.role())
                    .addContent(ContentPart.newBuilder().setText(message.content())));
        }
        return request.build();
    }
}
