package dev.chasqui.gateway;

import dev.chasqui.gateway.nodes.GenerationOutcome;
import dev.chasqui.proto.v1.Usage;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts and logs requests, each once, when it has ended; never what was in them. */
final class Traffic {
    private static final Logger log = LoggerFactory.getLogger("dev.chasqui.gateway.requests");
    private static final Duration[] REQUEST_BUCKETS = seconds(0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300);
    /** The OpenTelemetry conventions' own. */
    private static final Duration[] FIRST_TOKEN_BUCKETS =
            seconds(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10);

    private static final Duration[] PER_TOKEN_BUCKETS =
            seconds(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5);
    private static final Duration[] DURATION_BUCKETS =
            seconds(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92);
    private static final double[] TOKEN_BUCKETS = {
        1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864
    };

    /** In place of a status: the client went away, or the answer broke off. */
    static final int CUT_OFF = 0;

    private record Key(String method, String route, int status) {}

    private final MeterRegistry registry;
    private final AtomicInteger inFlight = new AtomicInteger();
    private final Map<Key, Counter> requests = new ConcurrentHashMap<>();
    private final Map<Key, Timer> durations = new ConcurrentHashMap<>();
    private final Counter eventsSent;
    private final Timer firstToken;
    private final Timer perToken;
    private final Timer generation;
    private final DistributionSummary promptTokens;
    private final DistributionSummary completionTokens;
    private final LongConsumer firstTokens;

    /** @param firstTokens told after how many nanoseconds each answer began */
    Traffic(MeterRegistry registry, LongConsumer firstTokens) {
        this.registry = registry;
        this.firstTokens = firstTokens;
        registry.gauge("http.requests.in.flight", inFlight);
        eventsSent = registry.counter("sse.events.sent");
        firstToken = timer("gen_ai.server.time_to_first_token", FIRST_TOKEN_BUCKETS);
        perToken = timer("gen_ai.server.time_per_output_token", PER_TOKEN_BUCKETS);
        generation = timer("gen_ai.server.request.duration", DURATION_BUCKETS);
        promptTokens = tokens("input");
        completionTokens = tokens("output");
    }

    /** Requests that have begun and not ended. */
    int inFlight() {
        return inFlight.get();
    }

    void began() {
        inFlight.incrementAndGet();
    }

    void ended(Request request, int status, @Nullable GenerationOutcome outcome) {
        inFlight.decrementAndGet();
        long nanos = System.nanoTime() - request.startNanos();
        requests.computeIfAbsent(new Key(request.method(), request.route(), status), this::counter)
                .increment();
        durations
                .computeIfAbsent(new Key(request.method(), request.route(), 0), this::timer)
                .record(nanos, TimeUnit.NANOSECONDS);
        Usage usage = outcome == null ? null : outcome.usage();
        if (outcome != null) {
            eventsSent.increment((double) outcome.eventsSent());
            count(outcome, request.startNanos(), nanos);
        }
        log(request, status, nanos, usage);
    }

    /** An answer has ended that belongs to no request. */
    void generated(GenerationOutcome outcome, long startNanos) {
        long nanos = System.nanoTime() - startNanos;
        count(outcome, startNanos, nanos);
        Usage usage = outcome.usage();
        if (usage != null) {
            log.info(
                    "stored answer {} ms, {} prompt tokens ({} cached), {} completion tokens",
                    TimeUnit.NANOSECONDS.toMillis(nanos),
                    usage.getPromptTokens(),
                    usage.getCachedTokens(),
                    usage.getCompletionTokens());
        }
    }

    /**
     * A request as it began.
     *
     * @param id sent back to the client
     * @param quiet asked so often that it is logged only for debugging
     */
    record Request(String id, String method, String route, boolean quiet, long startNanos) {}

    private void count(GenerationOutcome outcome, long startNanos, long nanos) {
        Usage usage = outcome.usage();
        long first = outcome.firstDeltaNanos();
        if (first != 0) {
            firstToken.record(first - startNanos, TimeUnit.NANOSECONDS);
            firstTokens.accept(first - startNanos);
        }
        if (usage == null) {
            return;
        }
        generation.record(nanos, TimeUnit.NANOSECONDS);
        promptTokens.record(usage.getPromptTokens());
        completionTokens.record(usage.getCompletionTokens());
        if (first != 0 && usage.getCompletionTokens() > 1) {
            long afterFirst = startNanos + nanos - first;
            perToken.record(afterFirst / (usage.getCompletionTokens() - 1), TimeUnit.NANOSECONDS);
        }
    }

    private static String word(int status) {
        return status == CUT_OFF ? "cut-off" : Integer.toString(status);
    }

    private static void log(Request request, int status, long nanos, @Nullable Usage usage) {
        if (request.quiet() && status != 500) {
            log.debug("{} {} {} {}", request.id(), request.method(), request.route(), word(status));
            return;
        }
        long ms = TimeUnit.NANOSECONDS.toMillis(nanos);
        if (usage == null) {
            log.info("{} {} {} {} {} ms", request.id(), request.method(), request.route(), word(status), ms);
        } else {
            log.info(
                    "{} {} {} {} {} ms, {} prompt tokens ({} cached), {} completion tokens",
                    request.id(),
                    request.method(),
                    request.route(),
                    word(status),
                    ms,
                    usage.getPromptTokens(),
                    usage.getCachedTokens(),
                    usage.getCompletionTokens());
        }
    }

    private Counter counter(Key key) {
        return registry.counter(
                "http.requests", "method", key.method(), "route", key.route(), "status", word(key.status()));
    }

    private Timer timer(Key key) {
        return Timer.builder("http.request.duration")
                .tags("method", key.method(), "route", key.route())
                .serviceLevelObjectives(REQUEST_BUCKETS)
                .register(registry);
    }

    private Timer timer(String name, Duration[] buckets) {
        return Timer.builder(name).serviceLevelObjectives(buckets).register(registry);
    }

    private DistributionSummary tokens(String type) {
        return DistributionSummary.builder("gen_ai.client.token.usage")
                .tag("gen_ai_token_type", type)
                .serviceLevelObjectives(TOKEN_BUCKETS)
                .register(registry);
    }

    private static Duration[] seconds(double... values) {
        Duration[] durations = new Duration[values.length];
        for (int i = 0; i < values.length; i++) {
            durations[i] = Duration.ofNanos((long) (values[i] * 1e9));
        }
        return durations;
    }
}
