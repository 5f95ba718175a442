package dev.chasqui.gateway.accounts;

import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.storage.Transaction;
import java.time.Clock;
import java.util.Collection;
import java.util.List;
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

    /** The places by which the owner of an account may sign in, the oldest first. */
    public Mono<List<LinkedIdentity>> of(Account account) {
        return accounts.transaction(
                transaction -> IdentityTable.of(transaction, account.id()).collectList());
    }

    /**
     * Takes a link away: from then on nobody signs in to the account by that place. One way to sign in has to stay.
     *
     * @param provider by its name
     * @param ways the places by which one can sign in to this server
     */
    public Mono<Void> unlink(Account account, String provider, Collection<String> ways) {
        // Of two at once that take different links the second one must see what the first one left.
        return accounts.transaction(transaction -> AccountTable.findToChange(transaction, account.id())
                .flatMap(current -> IdentityTable.of(transaction, account.id())
                        .collectList()
                        .doOnNext(linked -> requireAnotherWay(current, linked, provider, ways)))
                .flatMap(linked -> IdentityTable.delete(transaction, account.id(), provider))
                .then());
    }

    private static void requireAnotherWay(
            Account account, List<LinkedIdentity> linked, String provider, Collection<String> ways) {
        if (linked.stream().noneMatch(each -> each.provider().equals(provider))) {
            throw RequestError.http(
                    404, "Your account is not linked with one at " + provider + ".", "identity_not_found", null);
        }
        boolean another = linked.stream()
                .map(LinkedIdentity::provider)
                .anyMatch(each -> !each.equals(provider) && ways.contains(each));
        if (!account.hasPassword() && !another) {
            throw RequestError.http(409, "You could not sign in any more: set a password first.", "last_sign_in", null);
        }
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
