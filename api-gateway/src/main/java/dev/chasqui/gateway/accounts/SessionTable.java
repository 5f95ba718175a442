package dev.chasqui.gateway.accounts;

import dev.chasqui.gateway.storage.Transaction;
import reactor.core.publisher.Mono;

/** Sessions in the database. */
final class SessionTable {
    /** @param usedAt to the hour */
    record Row(String accountId, long usedAt) {}

    private SessionTable() {}

    static Mono<Row> find(Transaction transaction, String tokenHash) {
        return transaction
                .rows(
                        "SELECT account_id, used_at FROM sessions WHERE token_hash = $1",
                        row -> new Row(row.text("account_id"), row.number("used_at")),
                        tokenHash)
                .next();
    }

    static Mono<Long> insert(Transaction transaction, String tokenHash, String accountId, long now) {
        return transaction.update(
                "INSERT INTO sessions (token_hash, account_id, created_at, used_at) VALUES ($1, $2, $3, $4)",
                tokenHash,
                accountId,
                now,
                now);
    }

    static Mono<Long> touch(Transaction transaction, String tokenHash, long now) {
        return transaction.update("UPDATE sessions SET used_at = $1 WHERE token_hash = $2", now, tokenHash);
    }

    static Mono<Long> remove(Transaction transaction, String tokenHash) {
        return transaction.update("DELETE FROM sessions WHERE token_hash = $1", tokenHash);
    }

    /** @param but one that stays; empty: none does */
    static Mono<Long> removeAll(Transaction transaction, String accountId, String but) {
        return transaction.update("DELETE FROM sessions WHERE account_id = $1 AND token_hash <> $2", accountId, but);
    }

    static Mono<Long> removeUnused(Transaction transaction, long since) {
        return transaction.update("DELETE FROM sessions WHERE used_at < $1", since);
    }
}
