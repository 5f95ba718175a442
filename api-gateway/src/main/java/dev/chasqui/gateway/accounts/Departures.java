package dev.chasqui.gateway.accounts;

import dev.chasqui.gateway.nodes.EventLoop;
import dev.chasqui.gateway.requests.RequestError;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.springframework.http.server.reactive.ServerHttpRequest;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoSink;

/**
 * Sees whether those whose answers have no end are still let in: at once when something was changed here, and every half
 * minute, as it may have been changed elsewhere. The event loop owns it.
 */
final class Departures {
    private static final long AGAIN_MS = 30_000;

    private record Stay(ServerHttpRequest request, MonoSink<Void> gone) {}

    private final EventLoop loop;
    private final Function<ServerHttpRequest, Mono<Principal>> authentication;
    private final Set<Stay> stays = new LinkedHashSet<>();
    private Runnable cancelTimer = () -> {};

    Departures(EventLoop loop, Function<ServerHttpRequest, Mono<Principal>> authentication) {
        this.loop = loop;
        this.authentication = authentication;
    }

    /** Completes when whoever asked is let in no more. */
    Mono<Void> of(ServerHttpRequest request) {
        return Mono.create(sink -> {
            Stay stay = new Stay(request, sink);
            sink.onDispose(() -> loop.execute(() -> stays.remove(stay)));
            stays.add(stay);
            if (stays.size() == 1) {
                later();
            }
        });
    }

    /** Something was changed. */
    void look() {
        for (Stay stay : List.copyOf(stays)) {
            authentication.apply(stay.request()).subscribe(here -> {}, error -> {
                if (error instanceof RequestError refused && refused.status() == 401) {
                    stay.gone().success();
                }
            });
        }
    }

    private void later() {
        cancelTimer.run();
        cancelTimer = loop.schedule(
                () -> {
                    if (!stays.isEmpty()) {
                        look();
                        later();
                    }
                },
                AGAIN_MS);
    }
}
