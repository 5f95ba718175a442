package dev.chasqui.gateway.openai;

import dev.chasqui.gateway.nodes.ContextWindow;
import dev.chasqui.gateway.nodes.NodeRouter;
import dev.chasqui.proto.v1.ChatMessage;
import dev.chasqui.proto.v1.ChatRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import reactor.core.publisher.Mono;

/**
 * Leaves out the oldest of a conversation that the model's context does not hold: turns as wholes, then of the last one the
 * oldest calls of tools with their results. Instructions at its head always go, and so does the last question.
 */
final class Truncation {
    private static final Set<String> INSTRUCTIONS = Set.of("system", "developer");

    private final NodeRouter nodes;

    Truncation(NodeRouter nodes) {
        this.nodes = nodes;
    }

    /** A request that fits, if one does, and how many messages were left out for that. */
    record Fitted(ChatRequest request, int leftOut) {}

    /**
     * Shortens a conversation where it has to be.
     *
     * @param leftOut at least, as before
     * @param request makes the request for messages
     */
    Mono<Fitted> fit(List<ChatMessage> conversation, int leftOut, Function<List<ChatMessage>, ChatRequest> request) {
        Cuts cuts = new Cuts(conversation);
        int begun = cuts.first(leftOut);
        // The model may be another one by now, which holds more.
        return begun == 0
                ? fitFrom(0, cuts, request)
                : whole(cuts, request).switchIfEmpty(Mono.defer(() -> fitFrom(begun, cuts, request)));
    }

    /** All of it; empty where that does not fit. */
    private Mono<Fitted> whole(Cuts cuts, Function<List<ChatMessage>, ChatRequest> request) {
        ChatRequest whole = request.apply(cuts.messages(0));
        return nodes.countTokens(whole)
                .filter(counted -> counted.getTokens() <= ContextWindow.room(whole, counted.getContextTokens()))
                .map(counted -> new Fitted(whole, 0));
    }

    private Mono<Fitted> fitFrom(int start, Cuts cuts, Function<List<ChatMessage>, ChatRequest> request) {
        ChatRequest longest = request.apply(cuts.messages(start));
        return nodes.countTokens(longest).flatMap(counted -> {
            int room = ContextWindow.room(longest, counted.getContextTokens());
            return counted.getTokens() <= room || start == cuts.last()
                    ? Mono.just(new Fitted(longest, cuts.leftOut(start)))
                    : ContextWindow.cut(
                                    start + 1,
                                    cuts.last(),
                                    room,
                                    at -> nodes.countTokens(request.apply(cuts.messages(at))))
                            .map(at -> new Fitted(request.apply(cuts.messages(at)), cuts.leftOut(at)));
        });
    }

    /** The ways to shorten a conversation, from not at all to as far as makes sense. */
    private static final class Cuts {
        private final List<ChatMessage> all;
        /** Where the instructions at the beginning end. */
        private final int head;
        /** Where the last turn begins. */
        private final int question;
        /** Where the rest begins, after the instructions and, in the last turn, its question. */
        private final List<Integer> tails = new ArrayList<>();

        Cuts(List<ChatMessage> all) {
            this.all = all;
            int instructions = 0;
            while (instructions < all.size()
                    && INSTRUCTIONS.contains(all.get(instructions).getRole())) {
                instructions++;
            }
            head = instructions;
            tails.add(head);
            int last = head;
            for (int i = head + 1; i < all.size(); i++) {
                if (all.get(i).getRole().equals("user")) {
                    tails.add(i);
                    last = i;
                }
            }
            question = last;
            for (int i = question + 2; i < all.size(); i++) {
                if (all.get(i).getRole().equals("assistant")) {
                    tails.add(i);
                }
            }
        }

        int last() {
            return tails.size() - 1;
        }

        /** The first that leaves out so many messages. */
        int first(int leftOut) {
            int at = 0;
            while (at < last() && leftOut(at) < leftOut) {
                at++;
            }
            return at;
        }

        int leftOut(int at) {
            int tail = tails.get(at);
            return tail - head - (tail > question ? 1 : 0);
        }

        List<ChatMessage> messages(int at) {
            int tail = tails.get(at);
            List<ChatMessage> messages = new ArrayList<>(all.subList(0, head));
            if (tail > question) {
                messages.add(all.get(question));
            }
            messages.addAll(all.subList(tail, all.size()));
            return messages;
        }
    }
}
