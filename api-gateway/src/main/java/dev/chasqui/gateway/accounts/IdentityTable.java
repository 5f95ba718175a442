package dev.chasqui.gateway.accounts;

import dev.chasqui.gateway.storage.Transaction;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** In the database: whose account an identity is. */
final class IdentityTable {
    private IdentityTable() {}

    static Mono<Account> owner(Transaction transaction, Identity identity) {
        return transaction
                .rows(
                        "SELECT account_id FROM identities WHERE provider = $1 AND subject = $2",
                        row -> row.text("account_id"),
                        identity.provider(),
                        identity.subject())
                .next()
                .flatMap(id -> AccountTable.find(transaction, id));
    }

    /** Those of an account, the oldest first. */
    static Flux<LinkedIdentity> of(Transaction transaction, String accountId) {
        return transaction.rows(
                "SELECT provider, created_at FROM identities WHERE account_id = $1 ORDER BY created_at, provider",
                row -> new LinkedIdentity(row.text("provider"), row.number("created_at")),
                accountId);
    }

    static Mono<Long> delete(Transaction transaction, String accountId, String provider) {
        return transaction.update(
                "DELETE FROM identities WHERE account_id = $1 AND provider = $2", accountId, provider);
    }

    static Mono<Long> insert(Transaction transaction, Identity identity, String accountId, long now) {
        return transaction.update(
                "INSERT INTO identities (provider, subject, account_id, created_at) VALUES ($1, $2, $3, $4)",
                identity.provider(),
                identity.subject(),
                accountId,
                now);
    }
}
