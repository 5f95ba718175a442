package dev.chasqui.gateway.limits;

import org.jspecify.annotations.Nullable;
import org.springframework.web.server.ServerWebExchange;

/** The admission of a request while it is answered. */
public final class Metered {
    private static final String ATTRIBUTE = Admission.class.getName();
    private static final String RELEASED = ATTRIBUTE + ".released";

    private Metered() {}

    /** Notes it with the exchange. */
    public static void note(ServerWebExchange exchange, Admission admission) {
        exchange.getAttributes().put(ATTRIBUTE, admission);
    }

    /** That of a request that was admitted. */
    public static Admission of(ServerWebExchange exchange) {
        Admission admission = exchange.getAttribute(ATTRIBUTE);
        if (admission == null) {
            throw new IllegalStateException("the request is none that counts");
        }
        return admission;
    }

    /** It ends with something else than the exchange. */
    public static void release(ServerWebExchange exchange) {
        exchange.getAttributes().put(RELEASED, true);
    }

    /** What is to end with the exchange; null: nothing. */
    public static @Nullable Admission left(ServerWebExchange exchange) {
        return exchange.getAttribute(RELEASED) == null ? exchange.getAttribute(ATTRIBUTE) : null;
    }
}
