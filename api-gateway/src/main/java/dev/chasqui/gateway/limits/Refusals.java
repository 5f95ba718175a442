package dev.chasqui.gateway.limits;

import dev.chasqui.gateway.requests.RequestError;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;

/** Says no, in words and with the time after which it would be a yes, and counts how often. */
final class Refusals {
    /** Nobody knows when a running request ends. */
    private static final long PARALLEL_WAIT_MS = 1000;

    private final Counter requests;
    private final Counter tokens;
    private final Counter parallel;

    Refusals(MeterRegistry registry) {
        requests = registry.counter("ratelimit.refused", "limit", "requests");
        tokens = registry.counter("ratelimit.refused", "limit", "tokens");
        parallel = registry.counter("ratelimit.refused", "limit", "parallel");
    }

    /** Throws an error where the subject cannot have one more request now. */
    void check(Subject subject, long now) {
        long forRequests = subject.requests.untilOne(now);
        long forTokens = subject.tokens.untilAny(now);
        if (forRequests > 0 && forRequests >= forTokens) {
            requests.increment();
            throw refusal(
                    "ask " + times(subject.requests.capacity()) + " a minute", "requests_per_minute", forRequests);
        }
        if (forTokens > 0) {
            tokens.increment();
            long most = subject.tokens.capacity();
            throw refusal("use " + counted(most, "token") + " a minute", "tokens_per_minute", forTokens);
        }
        if (subject.parallel() > 0 && subject.running(now) >= subject.parallel()) {
            parallel.increment();
            String most = counted(subject.parallel(), "request");
            throw refusal("have " + most + " running at the same time", "parallel", PARALLEL_WAIT_MS);
        }
    }

    private static RequestError refusal(String may, String limit, long waitMillis) {
        String sentence = "This key or account may " + may + " (limit " + limit + "); try again in "
                + (waitMillis + 999) / 1000 + " s.";
        return RequestError.http(429, sentence, "rate_limit_exceeded", Duration.ofMillis(waitMillis));
    }

    private static String times(long count) {
        return count == 1 ? "once" : count + " times";
    }

    private static String counted(long count, String what) {
        return count + " " + what + (count == 1 ? "" : "s");
    }
}
