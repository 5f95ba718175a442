package dev.chasqui.gateway.nodes;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.stream.DoubleStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts answers whose node was lost, and how long it took until they went on. */
public final class Takeovers {
    private static final Logger log = LoggerFactory.getLogger(Takeovers.class);
    private static final Duration[] BUCKETS = DoubleStream.of(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
            .mapToObj(seconds -> Duration.ofMillis((long) (seconds * 1000)))
            .toArray(Duration[]::new);

    private final Duration patience;
    private final Timer pause;
    private final Counter goneOn;
    private final Counter givenUp;

    /** @param patience how long an answer waits for a node that goes on with it; zero: none goes on */
    public Takeovers(Duration patience, MeterRegistry registry) {
        this.patience = patience;
        this.pause = Timer.builder("chasqui.answer.takeover.pause")
                .description("From the loss of an answer's node until the answer went on.")
                .serviceLevelObjectives(BUCKETS)
                .register(registry);
        this.goneOn = counter(registry, "gone_on");
        this.givenUp = counter(registry, "given_up");
    }

    private static Counter counter(MeterRegistry registry, String outcome) {
        return Counter.builder("chasqui.answer.takeovers")
                .description("Answers whose node was lost before their end.")
                .tag("outcome", outcome)
                .register(registry);
    }

    Duration patience() {
        return patience;
    }

    void goneOn(String model, Duration waited, int tokens) {
        pause.record(waited);
        goneOn.increment();
        log.info(
                "an answer of {} lost its node behind {} tokens and went on after {} ms",
                model,
                tokens,
                waited.toMillis());
    }

    void givenUp(String model, Duration waited, int tokens) {
        givenUp.increment();
        log.warn(
                "an answer of {} lost its node behind {} tokens and was given up after {} ms",
                model,
                tokens,
                waited.toMillis());
    }
}
