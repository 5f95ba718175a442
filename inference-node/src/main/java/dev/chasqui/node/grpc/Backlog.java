package dev.chasqui.node.grpc;

import dev.chasqui.node.engine.TokenChunk;
import dev.chasqui.node.engine.TokenLogprob;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a choice has said and its caller has not taken yet, in portions: as large as may be, so that a slow reader's many tokens become few
 * messages, and no larger than a message should be.
 */
final class Backlog {
    static final int MOST_CHARACTERS = 16_384;
    /** Each can come with twenty others. */
    static final int MOST_LOGPROBS = 64;

    /** What becomes one message. */
    static final class Portion {
        private final StringBuilder text = new StringBuilder();
        private final List<TokenLogprob> logprobs = new ArrayList<>();
        private final TokenIds ids = new TokenIds();
        private float learnt;

        Portion(TokenChunk chunk) {
            add(chunk);
        }

        String text() {
            return text.toString();
        }

        List<TokenLogprob> logprobs() {
            return logprobs;
        }

        /** Takes them out. */
        int[] ids() {
            return ids.take();
        }

        float learnt() {
            return learnt;
        }

        private boolean hasRoomFor(TokenChunk chunk) {
            return text.length() + chunk.text().length() <= MOST_CHARACTERS
                    && logprobs.size() + chunk.logprobs().size() <= MOST_LOGPROBS;
        }

        private void add(TokenChunk chunk) {
            text.append(chunk.text());
            logprobs.addAll(chunk.logprobs());
            ids.add(chunk.ids());
            learnt = chunk.learnt();
        }
    }

    private final ArrayDeque<Portion> portions = new ArrayDeque<>();

    void add(TokenChunk chunk) {
        Portion last = portions.peekLast();
        if (last == null || !last.hasRoomFor(chunk)) {
            portions.add(new Portion(chunk));
        } else {
            last.add(chunk);
        }
    }

    /** Takes the oldest portion out; null where there is none. */
    @Nullable
    Portion poll() {
        return portions.poll();
    }

    boolean isEmpty() {
        return portions.isEmpty();
    }
}
