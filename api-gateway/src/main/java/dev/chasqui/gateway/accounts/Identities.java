package dev.chasqui.gateway.accounts;

import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.storage.Transaction;
import java.time.Clock;
import reactor.core.publisher.Mono;

/**
 * Signs people in that another place knows. What is alike there and here, such as an e-mail address, links nobody: whoever has an
 * account links it himself, while he is signed in.
 */
public final class Identities {
    private final Accounts accounts;
    private final Clock clock;

    public Identities(Accounts accounts, Clock clock) {
        this.accounts = accounts;
        this.clock = clock;
    }

    /**
     * Signs in whose account it is. Where it is nobody's it makes one, as far as anybody can register.
     *
     * @param title of the provider, for people
     */
    public Mono<Accounts.SignedIn> signIn(Identity identity, String title) {
        return accounts.added(transaction -> IdentityTable.owner(transaction, identity)
                        .switchIfEmpty(Mono.defer(() -> newcomer(transaction, identity, title)))
                        .flatMap(account -> accounts.begin(transaction, enabled(account))))
                .doOnNext(signedIn -> accounts.cameIn());
    }

    private Mono<Account> newcomer(Transaction transaction, Identity identity, String title) {
        if (identity.email().isEmpty()) {
            return Mono.error(RequestError.http(
                    403,
                    "There is no e-mail address at " + title + " that was shown to be yours (expected: one).",
                    "email_not_verified",
                    null));
        }
        // An account's address was never shown to be its owner's: whoever made it first may be another.
        return AccountTable.findByEmail(transaction, identity.email())
                .flatMap(taken -> Mono.<Account>error(RequestError.http(
                        409,
                        "There is an account with this e-mail address: sign in with its password first, and link "
                                + title + " from there.",
                        "email_taken",
                        null)))
                .switchIfEmpty(Mono.defer(() -> accounts.newcomer(transaction, identity.email(), identity.name(), "")))
                .flatMap(account -> IdentityTable.insert(transaction, identity, account.id(), clock.millis())
                        .thenReturn(account));
    }

    /**
     * Links it to the account that is signed in.
     *
     * @param sessionHash of the session, which must not have ended meanwhile
     */
    public Mono<Account> link(Identity identity, String sessionHash, String title) {
        return accounts.added(transaction -> account(transaction, sessionHash)
                .flatMap(account -> IdentityTable.owner(transaction, identity)
                        .flatMap(owner -> owner.id().equals(account.id())
                                ? Mono.just(owner)
                                : Mono.error(RequestError.http(
                                        409,
                                        "Somebody else's account is linked with this one at " + title + ".",
                                        "identity_taken",
                                        null)))
                        .switchIfEmpty(Mono.defer(
                                () -> IdentityTable.insert(transaction, identity, account.id(), clock.millis())
                                        .thenReturn(account)))));
    }

    private Mono<Account> account(Transaction transaction, String sessionHash) {
        return SessionTable.find(transaction, sessionHash)
                .filter(row -> row.usedAt() + Session.LIFE_MS > clock.millis())
                .flatMap(row -> AccountTable.find(transaction, row.accountId()))
                .map(Identities::enabled)
                .switchIfEmpty(
                        Mono.error(() -> RequestError.http(401, "The session has ended.", "session_ended", null)));
    }

    private static Account enabled(Account account) {
        if (account.disabled()) {
            throw Accounts.disabled();
        }
        return account;
    }
}
