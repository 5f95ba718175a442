package dev.chasqui.gateway.limits;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.LinkedHashMap;
import java.util.Map;

/** Where a subject stands, in the headers that OpenAI's clients read. */
final class Standing {
    private static final long SECOND_MS = 1000;
    private static final long MINUTE_MS = 60 * SECOND_MS;

    private Standing() {}

    static Map<String, String> headers(Subject subject, long now) {
        if (!subject.requests.isLimited() && !subject.tokens.isLimited()) {
            return Map.of();
        }
        Map<String, String> headers = new LinkedHashMap<>();
        add(headers, "requests", subject.requests, now);
        add(headers, "tokens", subject.tokens, now);
        return headers;
    }

    private static void add(Map<String, String> headers, String what, Bucket bucket, long now) {
        if (bucket.isLimited()) {
            headers.put("x-ratelimit-limit-" + what, Long.toString(bucket.capacity()));
            headers.put("x-ratelimit-remaining-" + what, Long.toString(bucket.remaining(now)));
            headers.put("x-ratelimit-reset-" + what, duration(bucket.untilFull(now)));
        }
    }

    /** As {@code 6ms}, {@code 9.54s} or {@code 1m30s}, never less than it is. */
    static String duration(long millis) {
        if (millis == 0) {
            return "0s";
        }
        if (millis < SECOND_MS) {
            return millis + "ms";
        }
        if (millis < MINUTE_MS) {
            BigDecimal seconds = BigDecimal.valueOf(millis, 3).setScale(2, RoundingMode.CEILING);
            return seconds.stripTrailingZeros().toPlainString() + "s";
        }
        long seconds = (millis + SECOND_MS - 1) / SECOND_MS;
        String rest = seconds / 60 % 60 + "m" + seconds % 60 + "s";
        return seconds < 3600 ? rest : seconds / 3600 + "h" + rest;
    }
}
