package dev.chasqui.bench;

import com.google.protobuf.ByteString;
import dev.chasqui.proto.v1.TokenLogprob;
import dev.chasqui.proto.v1.TopLogprob;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Scores greedy answers, token by token, by what the model says alone. Other shapes of a batch add up in another order, so that
 * now and then the second best token by a hair is taken; from there on the answer is another one and as good. So a text is
 * followed: where the lone model says another token, the distance to the one that was taken counts, and it goes on behind that.
 */
final class Alone implements AutoCloseable {
    /** Natural logarithms of probabilities may be so far apart and still count as the same. */
    static final double MARGIN = 0.1;

    private final Server server;
    private final Node node;
    private int scored;
    private int different;

    Alone(Setting setting, int context) throws IOException {
        server = setting.alone(context);
        node = new Node(server);
    }

    Server server() {
        return server;
    }

    Node node() {
        return node;
    }

    /** How far below the best one the worst of an answer's tokens is; infinite where one is none of the best. */
    double worst(List<Integer> prompt, List<byte[]> answer) {
        List<Integer> known = new ArrayList<>(prompt);
        double worst = 0;
        int at = 0;
        while (at < answer.size()) {
            List<TokenLogprob> said = node.likeliest(known, answer.size() - at);
            if (said.isEmpty()) {
                throw new IllegalStateException("the lone model says nothing behind " + known.size() + " tokens");
            }
            for (TokenLogprob best : said) {
                ByteString taken = ByteString.copyFrom(answer.get(at++));
                scored++;
                if (best.getPiece().equals(taken)) {
                    known.add(best.getToken());
                    continue;
                }
                different++;
                TopLogprob other = alternative(best, taken);
                if (other == null) {
                    return Double.POSITIVE_INFINITY;
                }
                worst = Math.max(worst, best.getLogprob() - other.getLogprob());
                known.add(other.getToken());
                break;
            }
        }
        return worst;
    }

    String summary() {
        return scored + " tokens scored, " + different + " of them not what the model says alone";
    }

    private static @Nullable TopLogprob alternative(TokenLogprob best, ByteString piece) {
        for (TopLogprob other : best.getTopList()) {
            if (other.getPiece().equals(piece)) {
                return other;
            }
        }
        return null;
    }

    @Override
    public void close() throws InterruptedException {
        node.close();
        server.close();
    }
}
