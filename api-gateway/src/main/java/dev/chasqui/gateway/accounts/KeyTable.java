package dev.chasqui.gateway.accounts;

import dev.chasqui.gateway.limits.Quota;
import dev.chasqui.gateway.storage.StoredRow;
import dev.chasqui.gateway.storage.Transaction;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Keys in the database. */
final class KeyTable {
    private static final String SELECT = "SELECT id, user_id, name, hint, scopes, requests_per_minute,"
            + " tokens_per_minute, parallel, created_at, expires_at, revoked_at FROM api_keys ";
    private static final String NEWEST_FIRST = " ORDER BY created_at DESC, id";

    private KeyTable() {}

    static Mono<ApiKey> findByHash(Transaction transaction, String hash) {
        return transaction
                .rows(SELECT + "WHERE key_hash = $1", KeyTable::read, hash)
                .next();
    }

    static Mono<ApiKey> find(Transaction transaction, String id) {
        return transaction.rows(SELECT + "WHERE id = $1", KeyTable::read, id).next();
    }

    static Flux<ApiKey> of(Transaction transaction, String userId) {
        return transaction.rows(SELECT + "WHERE user_id = $1" + NEWEST_FIRST, KeyTable::read, userId);
    }

    static Flux<ApiKey> all(Transaction transaction) {
        return transaction.rows(SELECT + NEWEST_FIRST, KeyTable::read);
    }

    static Mono<Long> insert(Transaction transaction, ApiKey key, String hash) {
        return transaction.update(
                "INSERT INTO api_keys (id, key_hash, user_id, name, hint, scopes, requests_per_minute,"
                        + " tokens_per_minute, parallel, created_at, expires_at, revoked_at)"
                        + " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                key.id(),
                hash,
                key.userId(),
                key.name(),
                key.hint(),
                Scope.words(key.scopes()),
                key.quota().requestsPerMinute(),
                key.quota().tokensPerMinute(),
                key.quota().parallel(),
                key.createdAt(),
                key.expiresAt(),
                key.revokedAt());
    }

    static Mono<Long> revoke(Transaction transaction, String id, long now) {
        return transaction.update("UPDATE api_keys SET revoked_at = $1 WHERE id = $2 AND revoked_at = 0", now, id);
    }

    static Mono<Long> removeAll(Transaction transaction, String userId) {
        return transaction.update("DELETE FROM api_keys WHERE user_id = $1", userId);
    }

    private static ApiKey read(StoredRow row) {
        return new ApiKey(
                row.text("id"),
                row.text("user_id"),
                row.text("name"),
                row.text("hint"),
                Scope.parse(row.text("scopes")),
                new Quota(row.count("requests_per_minute"), row.number("tokens_per_minute"), row.count("parallel")),
                row.number("created_at"),
                row.number("expires_at"),
                row.number("revoked_at"));
    }
}
