package dev.chasqui.gateway.accounts;

import dev.chasqui.gateway.limits.Quota;
import java.util.Locale;
import java.util.Set;

/**
 * A key that was made, without the key itself.
 *
 * @param userId whose it is: an account's id, or {@link Principal#LOCAL_USER}
 * @param name may be empty
 * @param hint how the key begins and ends
 * @param quota what it may take; nothing: what the server's settings say
 * @param expiresAt 0: never
 * @param revokedAt 0: it was not
 */
public record ApiKey(
        String id,
        String userId,
        String name,
        String hint,
        Set<Scope> scopes,
        Quota quota,
        long createdAt,
        long expiresAt,
        long revokedAt) {
    /** Whether a key is good. */
    public enum Status {
        ACTIVE,
        EXPIRED,
        REVOKED;

        /** As the wire writes it. */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** @param now in milliseconds since 1970 */
    public Status status(long now) {
        if (revokedAt != 0) {
            return Status.REVOKED;
        }
        return expiresAt != 0 && expiresAt <= now ? Status.EXPIRED : Status.ACTIVE;
    }
}
