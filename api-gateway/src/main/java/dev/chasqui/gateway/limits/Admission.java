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

    /** It has ended: its place among the parallel ones is free. Once is enough, and more do no harm. */
    void end();
}
