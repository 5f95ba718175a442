package dev.chasqui.gateway.accounts;

import dev.chasqui.gateway.limits.Metering;
import dev.chasqui.gateway.nodes.EventLoop;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.storage.Database;
import dev.chasqui.gateway.storage.Transaction;
import io.micrometer.core.instrument.MeterRegistry;
import io.r2dbc.spi.R2dbcDataIntegrityViolationException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/**
 * Accounts: to register, to sign in and out, and for administrators to look after. Where accounts are off all of it fails
 * with 403 {@code accounts_off}.
 */
public final class Accounts implements AutoCloseable {
    /** Whom a password is compared with where there is no account. */
    private static final Account NOBODY = new Account("", "", "", Account.Role.USER, Passwords.NOBODYS, true, 0);

    private final AccountSettings settings;
    private final Database database;
    private final Authentication authentication;
    private final Passwords passwords;
    private final SignInAttempts attempts;
    private final MeterRegistry registry;
    private final Clock clock;
    private final List<BiFunction<Transaction, String, Mono<Void>>> belongings = new ArrayList<>();
    /** Null: it is not known yet. */
    private volatile @Nullable Boolean anybody;

    /** What somebody writes who registers. */
    public record Draft(String email, String password, String name) {
        /** Passwords stay out of logs. */
        @Override
        public String toString() {
            return "Draft";
        }
    }

    /**
     * What an administrator changes; null: as it is.
     *
     * @param password a new one
     */
    public record Change(
            @Nullable String name,
            Account.@Nullable Role role,
            @Nullable Boolean disabled,
            @Nullable String password) {
        /** Passwords stay out of logs. */
        @Override
        public String toString() {
            return "Change";
        }
    }

    /**
     * Somebody has signed in.
     *
     * @param token of the session
     */
    public record SignedIn(String token, Principal principal) {
        /** Tokens stay out of logs. */
        @Override
        public String toString() {
            return "SignedIn[" + principal.userId() + "]";
        }
    }

    /** Whether anybody can register. */
    public enum Registration {
        OPEN,
        CLOSED,
        /** Nobody has an account yet: whoever registers is the administrator. */
        FIRST;

        /** As the wire writes it. */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    public Accounts(
            AccountSettings settings,
            Database database,
            Authentication authentication,
            EventLoop loop,
            MeterRegistry registry,
            Clock clock) {
        this.settings = settings;
        this.database = database;
        this.authentication = authentication;
        this.registry = registry;
        this.clock = clock;
        passwords = new Passwords(loop);
        attempts = new SignInAttempts(clock);
        if (settings.enabled()) {
            database.beforeUse(this::recover);
        }
    }

    /** Looks whether anybody has an account, which opens a database that waits for its first use. */
    public void start() {
        if (settings.enabled()) {
            database.transaction(AccountTable::isEmpty).subscribe(empty -> anybody = !empty, away -> {});
        }
    }

    private Mono<Void> recover(Transaction transaction) {
        return SessionTable.removeUnused(transaction, clock.millis() - Session.LIFE_MS)
                .then(AccountTable.isEmpty(transaction))
                .doOnNext(empty -> anybody = !empty)
                .then();
    }

    /** Removes what belongs to a user within the same transaction, when an account is removed. */
    public void alsoRemoved(BiFunction<Transaction, String, Mono<Void>> removal) {
        belongings.add(removal);
    }

    public boolean isEnabled() {
        return settings.enabled();
    }

    /** Whether what the keys of such an account take is counted for the account as well. */
    public boolean countsKeysTogether(Account owner) {
        return settings.countsTogether(owner);
    }

    /** Who can register at this moment, as far as this gateway has heard. */
    public Registration registration() {
        if (Boolean.FALSE.equals(anybody)) {
            return Registration.FIRST;
        }
        return settings.registrationOpen() ? Registration.OPEN : Registration.CLOSED;
    }

    /**
     * Makes an account and signs in. The first one is the administrator's.
     *
     * @param address where the request came from
     */
    public Mono<SignedIn> register(Draft draft, String address) {
        requireEnabled();
        return ifOpen().then(Mono.defer(() -> {
                    attempts.register(address);
                    return passwords.hash(draft.password());
                }))
                .flatMap(hash -> added(transaction -> newcomer(transaction, draft.email(), draft.name(), hash)
                        .flatMap(account -> begin(transaction, account))))
                .doOnNext(signedIn -> anybody = true);
    }

    /**
     * Makes an account for whoever comes by himself.
     *
     * @param hash of the password; empty: he has none
     */
    Mono<Account> newcomer(Transaction transaction, String email, String name, String hash) {
        return AccountTable.isEmpty(transaction).flatMap(first -> {
            if (!first && !settings.registrationOpen()) {
                return Mono.error(registrationClosed());
            }
            Account.Role role = first ? Account.Role.ADMIN : Account.Role.USER;
            String id = first ? Principal.LOCAL_USER : Secrets.newId("user_");
            Account account = new Account(id, email, name, role, hash, false, clock.millis());
            return AccountTable.insert(transaction, account).thenReturn(account);
        });
    }

    /** Somebody was signed in by another way than a password. */
    void cameIn() {
        anybody = true;
        registry.counter("auth.sign.ins", "result", "done").increment();
    }

    /** Asked before a password is hashed, which is dear. */
    private Mono<Void> ifOpen() {
        return settings.registrationOpen()
                ? Mono.empty()
                : database.transaction(AccountTable::isEmpty)
                        .flatMap(first -> first ? Mono.empty() : Mono.error(registrationClosed()));
    }

    private static RequestError registrationClosed() {
        return RequestError.http(
                403, "Nobody can register here; an administrator makes accounts.", "registration_closed", null);
    }

    <T> Mono<T> transaction(Function<Transaction, Mono<T>> work) {
        return database.transaction(work);
    }

    /** Two may be the first, or have the same address, at the same moment; the later one is told on the second try. */
    <T> Mono<T> added(Function<Transaction, Mono<T>> work) {
        return database.transaction(work)
                .onErrorResume(R2dbcDataIntegrityViolationException.class, conflict -> database.transaction(work))
                .onErrorMap(
                        R2dbcDataIntegrityViolationException.class,
                        conflict -> RequestError.http(
                                409, "There is an account with this e-mail address.", "email_taken", null));
    }

    Mono<SignedIn> begin(Transaction transaction, Account account) {
        String token = Secrets.newToken();
        Session session = Session.of(token, clock.millis());
        return SessionTable.insert(transaction, session.tokenHash(), account.id(), clock.millis())
                .thenReturn(new SignedIn(token, authentication.principal(account, session)));
    }

    /**
     * Signs in.
     *
     * @param address where the request came from
     */
    public Mono<SignedIn> signIn(String email, String password, String address) {
        requireEnabled();
        attempts.begin(email, address);
        return database.transaction(transaction -> AccountTable.findByEmail(transaction, email))
                .defaultIfEmpty(NOBODY)
                .flatMap(account -> passwords
                        .matches(password, account.passwordHash())
                        .flatMap(right -> right ? begin(account) : Mono.error(wrongPassword())))
                .doOnNext(signedIn -> {
                    attempts.succeeded(email, address);
                    registry.counter("auth.sign.ins", "result", "done").increment();
                })
                .doOnError(error -> refused(email, address, error));
    }

    /** While a password was compared it may have been changed, or its account disabled. */
    private Mono<SignedIn> begin(Account compared) {
        return database.transaction(transaction -> AccountTable.findToChange(transaction, compared.id())
                        .filter(now -> now.passwordHash().equals(compared.passwordHash()))
                        .flatMap(now -> now.disabled() ? Mono.error(disabled()) : begin(transaction, now)))
                .switchIfEmpty(Mono.error(Accounts::wrongPassword));
    }

    private void refused(String email, String address, Throwable error) {
        if (error instanceof RequestError known && known.status() == 401) {
            registry.counter("auth.sign.ins", "result", "refused").increment();
        } else {
            attempts.withdraw(email, address);
        }
    }

    private static RequestError wrongPassword() {
        return RequestError.http(401, "The e-mail address or the password is wrong.", "wrong_password", null);
    }

    static RequestError disabled() {
        return RequestError.http(403, "This account is disabled.", "account_disabled", null);
    }

    /** Ends a session, or all of an account's. */
    public Mono<Void> signOut(Account account, Session session, boolean everywhere) {
        return database.transaction(transaction -> everywhere
                        ? SessionTable.removeAll(transaction, account.id(), "")
                        : SessionTable.remove(transaction, session.tokenHash()))
                .doOnNext(rows -> authentication.forget())
                .then();
    }

    /**
     * Changes one's own password; all other sessions end.
     *
     * @param address where the request came from
     */
    public Mono<Void> changePassword(
            Account account, Session session, String current, String password, String address) {
        attempts.begin(account.email(), address);
        return passwords
                .matches(current, account.passwordHash())
                .flatMap(right -> right ? passwords.hash(password) : Mono.error(notThePassword()))
                .flatMap(hash -> database.transaction(transaction -> AccountTable.changePassword(
                                transaction, account.id(), account.passwordHash(), hash)
                        .flatMap(rows -> rows == 0
                                ? Mono.error(notThePassword())
                                : SessionTable.removeAll(transaction, account.id(), session.tokenHash()))))
                .doOnNext(rows -> {
                    attempts.succeeded(account.email(), address);
                    authentication.forget();
                })
                .doOnError(error -> {
                    if (!(error instanceof RequestError known && known.status() == 400)) {
                        attempts.withdraw(account.email(), address);
                    }
                })
                .then();
    }

    /** Gives an account a password that has none, as it was made by signing in elsewhere; all other sessions end. */
    public Mono<Void> firstPassword(Account account, Session session, String password) {
        return passwords
                .hash(password)
                .flatMap(hash -> database.transaction(transaction -> AccountTable.changePassword(
                                transaction, account.id(), "", hash)
                        .flatMap(rows -> rows == 0
                                ? Mono.error(RequestError.badValue(
                                        "current_password", "absent (expected: the account's password)"))
                                : SessionTable.removeAll(transaction, account.id(), session.tokenHash()))))
                .doOnNext(rows -> authentication.forget())
                .then();
    }

    private static RequestError notThePassword() {
        return RequestError.badValue("current_password", "not the account's password");
    }

    /** All of them, the oldest first. */
    public Mono<List<Account>> list() {
        requireEnabled();
        return database.transaction(transaction -> AccountTable.all(transaction).collectList());
    }

    /** Makes an account for somebody else. */
    public Mono<Account> create(Draft draft, Account.Role role) {
        requireEnabled();
        return passwords.hash(draft.password()).flatMap(hash -> {
            Account account =
                    new Account(Secrets.newId("user_"), draft.email(), draft.name(), role, hash, false, clock.millis());
            return added(transaction ->
                            AccountTable.insert(transaction, account).thenReturn(account))
                    .doOnNext(made -> anybody = true);
        });
    }

    /** Changes somebody's account. A new password and being disabled end its sessions. */
    public Mono<Account> change(String id, Change change) {
        requireEnabled();
        String password = change.password();
        Mono<String> hash = password == null ? Mono.just("") : passwords.hash(password);
        return hash.flatMap(fresh -> database.transaction(transaction -> find(transaction, id)
                        .map(account -> changed(account, change, fresh))
                        .flatMap(account -> AccountTable.update(transaction, account)
                                .then(requireAdministrator(transaction))
                                .then(
                                        account.disabled() || !fresh.isEmpty()
                                                ? SessionTable.removeAll(transaction, id, "")
                                                : Mono.just(0L))
                                .thenReturn(account))))
                .doOnNext(account -> authentication.forget());
    }

    /** @param hash of a new password; empty: it stays */
    private static Account changed(Account account, Change change, String hash) {
        return account.with(
                change.name() == null ? account.name() : change.name(),
                change.role() == null ? account.role() : change.role(),
                change.disabled() == null ? account.disabled() : change.disabled(),
                hash.isEmpty() ? account.passwordHash() : hash);
    }

    /** Removes somebody's account, with all that is stored for it. */
    public Mono<Void> remove(String id) {
        requireEnabled();
        return database.transaction(transaction -> find(transaction, id)
                        .then(removeBelongings(transaction, id))
                        .then(removeUsage(transaction, id))
                        .then(KeyTable.removeAll(transaction, id))
                        .then(AccountTable.remove(transaction, id))
                        .then(requireAdministrator(transaction))
                        .thenReturn(true))
                .doOnNext(done -> authentication.forget())
                .then();
    }

    private static Mono<Void> removeUsage(Transaction transaction, String id) {
        return KeyTable.of(transaction, id)
                .map(ApiKey::id)
                .concatWithValues(id)
                .collectList()
                .flatMap(subjects -> Metering.remove(transaction, subjects));
    }

    private Mono<Void> removeBelongings(Transaction transaction, String id) {
        Mono<Void> all = Mono.empty();
        for (BiFunction<Transaction, String, Mono<Void>> each : belongings) {
            all = all.then(Mono.defer(() -> each.apply(transaction, id)));
        }
        return all;
    }

    /** To change it, alone. */
    private static Mono<Account> find(Transaction transaction, String id) {
        return AccountTable.lockAdministrators(transaction)
                .then(AccountTable.findToChange(transaction, id))
                .switchIfEmpty(Mono.error(
                        () -> RequestError.http(404, "There is no account of this id.", "account_not_found", null)));
    }

    /** Somebody must be left who can look after the others. */
    private static Mono<Void> requireAdministrator(Transaction transaction) {
        return AccountTable.all(transaction)
                .any(account -> account.role() == Account.Role.ADMIN && !account.disabled())
                .flatMap(left -> left
                        ? Mono.empty()
                        : Mono.error(RequestError.http(
                                409,
                                "This is the last administrator (expected: another one beside it).",
                                "last_administrator",
                                null)));
    }

    /** @throws RequestError where there are no accounts */
    public void requireEnabled() {
        if (!settings.enabled()) {
            throw RequestError.http(
                    403, "Accounts are off (expected: chasqui serve --accounts on).", "accounts_off", null);
        }
    }

    @Override
    public void close() {
        passwords.close();
    }
}
