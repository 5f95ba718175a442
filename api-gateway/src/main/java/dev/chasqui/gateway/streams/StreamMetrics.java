package dev.chasqui.gateway.streams;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.DoubleSupplier;

/** What is counted of durable streams. The gauges are set on the event loop and read by whoever scrapes. */
final class StreamMetrics {
    private final Counter sent;
    private final Counter dropped;
    private final AtomicInteger depth = new AtomicInteger();

    /** @param occupancy of the fullest queue, 0 to 1 */
    StreamMetrics(MeterRegistry registry, DoubleSupplier occupancy) {
        sent = registry.counter("sse.events.sent");
        dropped = registry.counter("sse.events.dropped");
        // A gauge does not keep alive what it reads, unless it is told to.
        Gauge.builder("sse.queue.depth", depth::get).strongReference(true).register(registry);
        Gauge.builder("sse.queue.occupancy.ratio", occupancy::getAsDouble)
                .strongReference(true)
                .register(registry);
    }

    void sent() {
        sent.increment();
    }

    void dropped() {
        dropped.increment();
    }

    void queued(int difference) {
        depth.addAndGet(difference);
    }
}
