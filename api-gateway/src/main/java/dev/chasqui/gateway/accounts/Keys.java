package dev.chasqui.gateway.accounts;

import dev.chasqui.gateway.limits.Quota;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.storage.Database;
import java.time.Clock;
import java.util.List;
import java.util.Set;
import reactor.core.publisher.Mono;

/** API keys: to make, list and revoke. Whoever has {@link Scope#ADMIN} sees everybody's. */
public final class Keys {
    private final Database database;
    private final Authentication authentication;
    private final Clock clock;

    /**
     * What a key shall be.
     *
     * @param lifeMs 0: it does not expire
     */
    public record Draft(String name, Set<Scope> scopes, Quota quota, long lifeMs) {}

    /**
     * A key that was made.
     *
     * @param secret the key itself, of which only a hash is kept
     */
    public record Made(ApiKey key, String secret) {
        /** The key stays out of logs. */
        @Override
        public String toString() {
            return "Made[" + key.id() + "]";
        }
    }

    public Keys(Database database, Authentication authentication, Clock clock) {
        this.database = database;
        this.authentication = authentication;
        this.clock = clock;
    }

    /**
     * Makes one for whoever asks, who cannot give more than he has. A key that expires makes
     * none that lives longer, and one that has limits makes none, as many together would take more.
     */
    public Mono<Made> create(Principal principal, Draft draft) {
        requireOwn(principal, draft.scopes());
        String secret = Secrets.newKey();
        long now = clock.millis();
        ApiKey key = new ApiKey(
                Secrets.newId("key_"),
                principal.userId(),
                draft.name(),
                Secrets.hint(secret),
                draft.scopes(),
                draft.quota(),
                now,
                expiry(principal, draft.lifeMs() == 0 ? 0 : now + draft.lifeMs()),
                0);
        return database.transaction(transaction ->
                KeyTable.insert(transaction, key, Secrets.hash(secret)).thenReturn(new Made(key, secret)));
    }

    private static void requireOwn(Principal principal, Set<Scope> scopes) {
        for (Scope scope : scopes) {
            if (!principal.has(scope)) {
                throw refusal("scopes: " + scope.word() + ", which you do not have yourself.");
            }
        }
        ApiKey by = principal.key();
        if (by != null && !by.quota().isNone()) {
            throw refusal("A key that has limits makes no keys.");
        }
    }

    private static RequestError refusal(String sentence) {
        return RequestError.http(403, sentence, "insufficient_scope", null);
    }

    private static long expiry(Principal principal, long wanted) {
        ApiKey by = principal.key();
        long latest = by == null ? 0 : by.expiresAt();
        return latest == 0 || wanted == 0 ? Math.max(latest, wanted) : Math.min(latest, wanted);
    }

    /** One's own, or everybody's, the newest first. */
    public Mono<List<ApiKey>> list(Principal principal, boolean all) {
        return database.transaction(transaction ->
                (all ? KeyTable.all(transaction) : KeyTable.of(transaction, principal.userId())).collectList());
    }

    /** One of them; fails with 404 where it is not there, or somebody else's. */
    public Mono<ApiKey> find(Principal principal, String id) {
        return database.transaction(transaction -> KeyTable.find(transaction, id))
                .filter(key -> principal.has(Scope.ADMIN) || key.userId().equals(principal.userId()))
                .switchIfEmpty(
                        Mono.error(() -> RequestError.http(404, "There is no key of this id.", "key_not_found", null)));
    }

    /** Ends one; that it was revoked before is no mistake. */
    public Mono<ApiKey> revoke(Principal principal, String id) {
        return find(principal, id)
                .flatMap(key -> database.transaction(transaction ->
                        KeyTable.revoke(transaction, id, clock.millis()).then(KeyTable.find(transaction, id))))
                .doOnNext(key -> authentication.forget());
    }
}
