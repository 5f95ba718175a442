package dev.chasqui.gateway.streams;

import java.util.List;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/** Where streams look up what they tell about. */
public interface Contents {
    /**
     * What the events' subjects are now, in the events' order and with their positions. Several events about one subject
     * become the last of them; what is no more is left out.
     */
    Mono<List<StreamItem.Change>> describe(String userId, List<StoredEvent> events);

    /** All text so far of all answers that run; on the event loop. */
    List<StreamItem.Piece> running(String userId);

    /** The text of a running answer from there on; null where it does not run. On the event loop. */
    @Nullable
    String since(String messageId, boolean reasoning, int offset);
}
