package dev.chasqui.gateway.accounts;

import dev.chasqui.gateway.limits.Quota;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.web.server.ServerWebExchange;

/**
 * Whoever asks, and what he may do.
 *
 * @param userId whose chats and keys he sees
 * @param by what has shown who he is
 * @param scopes what he may ask
 * @param quota what he may take
 * @param together what an account may take with all of its keys; nothing for whom that is no further limit
 * @param account null where there is none
 * @param key null where none of ours was brought
 * @param session null where he has not signed in
 */
public record Principal(
        String userId,
        By by,
        Set<Scope> scopes,
        Quota quota,
        Quota together,
        @Nullable Account account,
        @Nullable ApiKey key,
        @Nullable Session session) {
    /** Who owns everything where there are no accounts. */
    public static final String LOCAL_USER = "local";

    private static final String ATTRIBUTE = Principal.class.getName();

    /** Everybody, where nobody is asked who he is. */
    static final Principal ANYBODY =
            new Principal(LOCAL_USER, By.NOTHING, Scope.ALL, Quota.NONE, Quota.NONE, null, null, null);

    /** Whoever has the operator's key. */
    static final Principal OPERATOR =
            new Principal(LOCAL_USER, By.OPERATOR_KEY, Scope.ALL, Quota.NONE, Quota.NONE, null, null, null);

    /** What shows who somebody is. */
    public enum By {
        NOTHING,
        OPERATOR_KEY,
        KEY,
        SESSION;

        /** As the wire writes it. */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Whom usage is counted for: the key, else the user. */
    public String subject() {
        return key == null ? userId : key.id();
    }

    public boolean has(Scope scope) {
        return scopes.contains(scope);
    }

    /** Whoever asks with this exchange; it has been let in. */
    public static Principal of(ServerWebExchange exchange) {
        Principal principal = exchange.getAttribute(ATTRIBUTE);
        if (principal == null) {
            throw new IllegalStateException("nobody was let in");
        }
        return principal;
    }

    /** Notes who asks. */
    public void note(ServerWebExchange exchange) {
        exchange.getAttributes().put(ATTRIBUTE, this);
    }
}
