package dev.chasqui.gateway.accounts;

import java.util.Locale;
import java.util.Set;

/**
 * Somebody who can sign in.
 *
 * @param id whom chats and keys belong to; the first account has that of whoever uses a server without accounts
 * @param email as it was written
 * @param name may be empty
 * @param passwordHash as {@link Passwords} makes it
 * @param disabled whether it can neither sign in nor use its keys
 */
public record Account(
        String id, String email, String name, Role role, String passwordHash, boolean disabled, long createdAt) {
    /** What an account is for. */
    public enum Role {
        ADMIN(Scope.ALL),
        USER(Scope.OF_USERS);

        private final Set<Scope> scopes;

        Role(Set<Scope> scopes) {
            this.scopes = scopes;
        }

        /** What it may do. */
        public Set<Scope> scopes() {
            return scopes;
        }

        /** As the wire and the database write it. */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }

        static Role of(String word) {
            return valueOf(word.toUpperCase(Locale.ROOT));
        }
    }

    static String key(String email) {
        return email.toLowerCase(Locale.ROOT);
    }

    Account with(String newName, Role newRole, boolean nowDisabled, String newHash) {
        return new Account(id, email, newName, newRole, newHash, nowDisabled, createdAt);
    }

    /** The hash stays out of logs. */
    @Override
    public String toString() {
        return "Account[" + id + "]";
    }
}
