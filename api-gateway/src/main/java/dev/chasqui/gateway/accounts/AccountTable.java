package dev.chasqui.gateway.accounts;

import dev.chasqui.gateway.storage.StoredRow;
import dev.chasqui.gateway.storage.Transaction;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Accounts in the database. */
final class AccountTable {
    private static final String COLUMNS = "id, email, name, role, password_hash, disabled, created_at";

    private AccountTable() {}

    static Mono<Boolean> isEmpty(Transaction transaction) {
        return transaction
                .rows("SELECT id FROM accounts LIMIT 1", row -> false)
                .next()
                .defaultIfEmpty(true);
    }

    static Mono<Account> find(Transaction transaction, String id) {
        return transaction
                .rows("SELECT " + COLUMNS + " FROM accounts WHERE id = $1", AccountTable::read, id)
                .next();
    }

    /** The same, for a change: until the transaction ends nobody else changes it. */
    static Mono<Account> findToChange(Transaction transaction, String id) {
        return transaction
                .rows("SELECT " + COLUMNS + " FROM accounts WHERE id = $1 FOR UPDATE", AccountTable::read, id)
                .next();
    }

    /** Administrators who change accounts at the same moment do so one after the other, so that one of them is left. */
    static Mono<Void> lockAdministrators(Transaction transaction) {
        return transaction
                .rows("SELECT id FROM accounts WHERE role = 'admin' ORDER BY id FOR UPDATE", row -> true)
                .then();
    }

    static Mono<Account> findByEmail(Transaction transaction, String email) {
        return transaction
                .rows(
                        "SELECT " + COLUMNS + " FROM accounts WHERE email_key = $1",
                        AccountTable::read,
                        Account.key(email))
                .next();
    }

    static Flux<Account> all(Transaction transaction) {
        return transaction.rows("SELECT " + COLUMNS + " FROM accounts ORDER BY created_at, id", AccountTable::read);
    }

    static Mono<Long> insert(Transaction transaction, Account account) {
        return transaction.update(
                "INSERT INTO accounts (id, email, email_key, name, role, password_hash, disabled, created_at)"
                        + " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                account.id(),
                account.email(),
                Account.key(account.email()),
                account.name(),
                account.role().word(),
                account.passwordHash(),
                account.disabled() ? 1 : 0,
                account.createdAt());
    }

    static Mono<Long> update(Transaction transaction, Account account) {
        return transaction.update(
                "UPDATE accounts SET name = $1, role = $2, password_hash = $3, disabled = $4 WHERE id = $5",
                account.name(),
                account.role().word(),
                account.passwordHash(),
                account.disabled() ? 1 : 0,
                account.id());
    }

    /** Changes the password if it is still the one with this hash. */
    static Mono<Long> changePassword(Transaction transaction, String id, String before, String hash) {
        return transaction.update(
                "UPDATE accounts SET password_hash = $1 WHERE id = $2 AND password_hash = $3", hash, id, before);
    }

    static Mono<Long> remove(Transaction transaction, String id) {
        return transaction.update("DELETE FROM accounts WHERE id = $1", id);
    }

    private static Account read(StoredRow row) {
        return new Account(
                row.text("id"),
                row.text("email"),
                row.text("name"),
                Account.Role.of(row.text("role")),
                row.text("password_hash"),
                row.count("disabled") != 0,
                row.number("created_at"));
    }
}
