package dev.chasqui.gateway.nodes;

import dev.chasqui.proto.v1.ChatRequest;
import dev.chasqui.proto.v1.CountTokensResponse;
import java.util.function.IntFunction;
import reactor.core.publisher.Mono;

/**
 * How much of a conversation a model's context holds beside an answer, counted in the model's own tokens.
 *
 * <p>Where something has to be left out, a quarter more is: the next turns then begin with the same messages, which the model
 * still has in its KV cache. They do so until the room is used up again.
 */
public final class ContextWindow {
    /** Of the context, for the answer, where the request does not say how long that may be. */
    private static final int ANSWER_SHARE = 4;

    private static final int QUARTER = 4;

    private ContextWindow() {}

    /**
     * Tokens that a prompt may have.
     *
     * @param context that a sequence may have in all
     */
    public static int room(ChatRequest request, int context) {
        int wanted = request.getLimits().getMaxTokens();
        return context - (wanted > 0 ? Math.min(wanted, context / 2) : context / ANSWER_SHARE);
    }

    /**
     * The first place to begin at where something has to be left out, or the last one where nothing fits.
     *
     * @param first that may be it
     * @param last that may be it; the prompt is shorter, the later it begins
     * @param room as {@link #room} says
     * @param count the tokens of a prompt that begins there
     */
    public static Mono<Integer> cut(int first, int last, int room, IntFunction<Mono<CountTokensResponse>> count) {
        return search(first, last, room - room / QUARTER, count);
    }

    private static Mono<Integer> search(int first, int last, int most, IntFunction<Mono<CountTokensResponse>> count) {
        if (first >= last) {
            return Mono.just(last);
        }
        int middle = (first + last) >>> 1;
        return count.apply(middle)
                .flatMap(counted -> counted.getTokens() <= most
                        ? search(first, middle, most, count)
                        : search(middle + 1, last, most, count));
    }
}
