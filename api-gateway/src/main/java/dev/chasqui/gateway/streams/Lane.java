package dev.chasqui.gateway.streams;

import dev.chasqui.gateway.nodes.EventLoop;
import java.util.ArrayDeque;
import java.util.Deque;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/**
 * Work that goes one after the other, in the order in which it came. What has been handed in is done, also where nobody
 * waits for it any more. Its results must come on the event loop.
 */
final class Lane {
    private final EventLoop loop;
    private final Deque<Runnable> waiting = new ArrayDeque<>();
    private boolean busy;

    Lane(EventLoop loop) {
        this.loop = loop;
    }

    <T> Mono<T> run(Mono<T> work) {
        Sinks.One<T> result = Sinks.one();
        loop.execute(() -> {
            waiting.add(() -> work.doOnTerminate(this::next)
                    .subscribe(result::tryEmitValue, result::tryEmitError, result::tryEmitEmpty));
            if (!busy) {
                next();
            }
        });
        return result.asMono();
    }

    private void next() {
        Runnable first = waiting.poll();
        busy = first != null;
        if (first != null) {
            first.run();
        }
    }
}
