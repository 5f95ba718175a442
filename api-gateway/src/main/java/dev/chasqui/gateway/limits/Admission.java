package dev.chasqui.gateway.limits;

import java.util.Map;

/** A request that was let in. On the event loop. */
public interface Admission {
    /** Where its subject stands now, for the headers of the answer; empty where it has no limit. */
    Map<String, String> headers();

    /**
     * Tokens that were computed; may be said several times while it runs, each time what is new.
     *
     * @param promptTokens all of them
     * @param cachedTokens those of the prompt tokens that were not computed again
     */
    void used(long promptTokens, long cachedTokens, long completionTokens);

    /** Counts for two, of whom the first stands in the headers. */
    static Admission both(Admission one, Admission other) {
        return new Admission() {
            @Override
            public Map<String, String> headers() {
                Map<String, String> headers = one.headers();
                return headers.isEmpty() ? other.headers() : headers;
            }

            @Override
            public void used(long promptTokens, long cachedTokens, long completionTokens) {
                one.used(promptTokens, cachedTokens, completionTokens);
                other.used(promptTokens, cachedTokens, completionTokens);
            }

            @Override
            public void end() {
                one.end();
                other.end();
            }
        };
    }

    /** It has ended: its place among the parallel ones is free. Once is enough, and more do no harm. */
    void end();
}
