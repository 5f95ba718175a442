package dev.chasqui.gateway.limits;

/**
 * What a subject has used through one gateway in one day, as it is stored.
 *
 * @param day since 1970, UTC
 * @param usage of the whole day until now; last used when the row was written, where requests run
 * @param running requests that have not ended
 * @param requestsFullAt when the gateway's bucket of requests is full again; 0: it has no limit
 * @param tokensFullAt when its bucket of tokens is
 */
record UsageRow(
        String subject, long day, String gateway, Usage usage, int running, long requestsFullAt, long tokensFullAt) {
    private static final long DAY_MS = 24 * 60 * 60 * 1000;

    static long day(long millis) {
        return Math.floorDiv(millis, DAY_MS);
    }
}
