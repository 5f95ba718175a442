package dev.chasqui.bench;

import java.util.ArrayList;
import java.util.List;

/**
 * What a client saw of one answer.
 *
 * @param arrivalsMs when each piece of text came, from the request on
 * @param text all of it
 * @param pieces the bytes of each token, where log-probabilities were asked for
 * @param tokens generated tokens by the server's count
 * @param tookMs until the end
 */
record Answer(
        List<Double> arrivalsMs,
        String text,
        List<byte[]> pieces,
        int tokens,
        int promptTokens,
        int cachedTokens,
        double tookMs) {
    double firstTextMs() {
        return arrivalsMs.get(0);
    }

    List<Double> gapsMs() {
        List<Double> gaps = new ArrayList<>();
        for (int i = 1; i < arrivalsMs.size(); i++) {
            gaps.add(arrivalsMs.get(i) - arrivalsMs.get(i - 1));
        }
        return gaps;
    }

    /** From the first text on; a piece may hold several tokens, and the first one's are not counted. */
    double tokensPerSecondOfDecode() {
        return (tokens - 1.0) * 1000 / (arrivalsMs.get(arrivalsMs.size() - 1) - arrivalsMs.get(0));
    }
}
