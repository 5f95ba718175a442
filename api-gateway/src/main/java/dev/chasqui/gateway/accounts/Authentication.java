package dev.chasqui.gateway.accounts;

import dev.chasqui.gateway.limits.Quota;
import dev.chasqui.gateway.nodes.EventLoop;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.storage.Database;
import dev.chasqui.gateway.storage.Transaction;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Clock;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpCookie;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.server.reactive.ServerHttpRequest;
import reactor.core.publisher.Mono;

/**
 * Says of each request who asks: by the operator's key, one of ours, a session's token or its cookie. What the database
 * says of a key or a session counts for five seconds, or ten minutes while the database is away. The event loop owns it.
 */
public final class Authentication {
    /** The cookie of a session. */
    public static final String COOKIE = "chasqui_session";
    /** The same over https: browsers send it over https only, and take it from this very host only. */
    public static final String SECURE_COOKIE = "__Host-" + COOKIE;

    private static final String BEARER = "bearer ";
    private static final String EXPIRED = "The API key has expired.";
    private static final String CSRF_HEADER = "x-csrf-token";
    private static final long GOOD_MS = 5_000;
    private static final long GOOD_WITHOUT_DATABASE_MS = 600_000;
    /** How old the note of a session's last use may get. */
    private static final long TOUCH_MS = 3_600_000;

    private static final int MOST_KNOWN = 10_000;
    private static final Set<HttpMethod> SAFE = Set.of(HttpMethod.GET, HttpMethod.HEAD, HttpMethod.OPTIONS);

    /** @param principal null: there is none */
    private record Known(
            @Nullable Principal principal, @Nullable String why, long at) {}

    private final AccountSettings settings;
    private final Database database;
    private final Clock clock;
    private final OperatorKeys operatorKeys;
    private final Departures departures;
    private final MeterRegistry registry;
    private int generation;
    private final Map<String, Counter> refused = new HashMap<>();
    private final Map<String, Known> known = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Known> eldest) {
            return size() > MOST_KNOWN;
        }
    };

    public Authentication(
            AccountSettings settings, Database database, EventLoop loop, Clock clock, MeterRegistry registry) {
        this.settings = settings;
        this.database = database;
        this.clock = clock;
        this.registry = registry;
        operatorKeys = new OperatorKeys(settings.operatorKeys());
        departures = new Departures(loop, this::principal);
    }

    /** Completes when whoever asked is let in no more: his session has ended, or his key was revoked. */
    public Mono<Void> gone(ServerHttpRequest request) {
        return departures.of(request);
    }

    /** Whoever asks; fails with 401 where that is nobody, and with 403 where a page has not shown its CSRF token. */
    public Mono<Principal> principal(ServerHttpRequest request) {
        String offered = offered(request.getHeaders());
        if (offered != null && operatorKeys.accept(offered)) {
            return Mono.just(Principal.OPERATOR);
        }
        if (offered != null && Secrets.looksLikeKey(offered)) {
            return found(offered, Secrets.isKey(offered), "The API key is not valid.");
        }
        if (offered != null && settings.enabled() && Secrets.looksLikeToken(offered)) {
            return found(offered, Secrets.isToken(offered), "The session has ended.");
        }
        if (settings.enabled() && offered == null) {
            HttpCookie cookie = cookie(request);
            if (cookie != null) {
                return found(cookie.getValue(), Secrets.isToken(cookie.getValue()), "The session has ended.")
                        .map(principal -> withCsrfToken(principal, request));
            }
        }
        return settings.guarded() ? Mono.error(() -> stranger(offered)) : Mono.just(Principal.ANYBODY);
    }

    /** That of a session; null where none was brought. */
    public static @Nullable HttpCookie cookie(ServerHttpRequest request) {
        HttpCookie secure = request.getCookies().getFirst(SECURE_COOKIE);
        return secure == null ? request.getCookies().getFirst(COOKIE) : secure;
    }

    /** Whoever's session the request brings; empty where it brings none that counts. For what is open to all. */
    public Mono<Principal> signedIn(ServerHttpRequest request) {
        String offered = offered(request.getHeaders());
        boolean any = offered == null
                ? cookie(request) != null
                : Secrets.looksLikeToken(offered) && !operatorKeys.accept(offered);
        return settings.enabled() && any
                ? principal(request)
                        .onErrorComplete(error -> error instanceof RequestError refused && refused.status() == 401)
                : Mono.empty();
    }

    /** What was changed counts at once. */
    void forget() {
        generation++;
        known.clear();
        departures.look();
    }

    private static @Nullable String offered(HttpHeaders headers) {
        String authorization = headers.getFirst("authorization");
        if (authorization != null && authorization.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
            return authorization.substring(BEARER.length()).strip();
        }
        return headers.getFirst("x-api-key");
    }

    private RequestError stranger(@Nullable String offered) {
        return refuse(
                offered == null
                        ? settings.enabled()
                                ? "Nobody has signed in (expected: header Authorization: Bearer KEY, or a session)."
                                : "No API key was given (expected: header Authorization: Bearer KEY)."
                        : "The API key is not valid.");
    }

    private RequestError refuse(String why) {
        count("unauthenticated");
        return RequestError.http(401, why, "invalid_api_key", null);
    }

    /** Counts a request that was not let in. */
    void count(String reason) {
        refused.computeIfAbsent(reason, name -> registry.counter("auth.refused", "reason", name))
                .increment();
    }

    private Principal withCsrfToken(Principal principal, ServerHttpRequest request) {
        Session session = principal.session();
        if (session != null
                && !SAFE.contains(request.getMethod())
                && !isSame(session.csrfToken(), request.getHeaders().getFirst(CSRF_HEADER))) {
            count("csrf");
            throw RequestError.http(
                    403,
                    "The request came with a session's cookie and without its token (expected: header x-csrf-token).",
                    "csrf_token_missing",
                    null);
        }
        return principal;
    }

    private static boolean isSame(String token, @Nullable String offered) {
        return offered != null
                && MessageDigest.isEqual(
                        token.getBytes(StandardCharsets.UTF_8), offered.getBytes(StandardCharsets.UTF_8));
    }

    private Mono<Principal> found(String secret, boolean genuine, String none) {
        if (!genuine) {
            return Mono.error(() -> refuse(none));
        }
        long now = clock.millis();
        Known before = known.get(secret);
        if (before != null && now - before.at() < GOOD_MS) {
            return told(before);
        }
        int asked = generation;
        return database.transaction(
                        transaction -> look(transaction, secret, now).defaultIfEmpty(new Known(null, none, now)))
                .doOnNext(fresh -> remember(secret, fresh, asked))
                .onErrorResume(away -> before != null && now - before.at() < GOOD_WITHOUT_DATABASE_MS
                        ? Mono.just(before)
                        : Mono.error(away))
                .flatMap(this::told);
    }

    /** What was asked before a change may be what it changed. */
    private void remember(String secret, Known fresh, int asked) {
        if (asked == generation) {
            known.put(secret, fresh);
        }
    }

    private Mono<Principal> told(Known one) {
        Principal principal = one.principal();
        if (principal == null) {
            return Mono.error(() -> refuse(String.valueOf(one.why())));
        }
        ApiKey key = principal.key();
        return key != null && key.status(clock.millis()) == ApiKey.Status.EXPIRED
                ? Mono.error(() -> refuse(EXPIRED))
                : Mono.just(principal);
    }

    private Mono<Known> look(Transaction transaction, String secret, long now) {
        return Secrets.looksLikeKey(secret) ? key(transaction, secret, now) : session(transaction, secret, now);
    }

    private Mono<Known> key(Transaction transaction, String secret, long now) {
        return KeyTable.findByHash(transaction, Secrets.hash(secret)).flatMap(key -> switch (key.status(now)) {
            case REVOKED -> Mono.just(new Known(null, "The API key was revoked.", now));
            case EXPIRED -> Mono.just(new Known(null, EXPIRED, now));
            case ACTIVE ->
                AccountTable.find(transaction, key.userId())
                        .map(owner -> owned(key, owner, now))
                        .defaultIfEmpty(withoutAccount(key, now));
        });
    }

    /** A key is good for what its owner may do, at most. */
    private Known owned(ApiKey key, Account owner, long now) {
        if (owner.disabled()) {
            return new Known(null, "The account of this API key is disabled.", now);
        }
        EnumSet<Scope> scopes = EnumSet.noneOf(Scope.class);
        scopes.addAll(key.scopes());
        scopes.retainAll(owner.role().scopes());
        Quota quota = owner.role() == Account.Role.ADMIN
                ? ownOrUsual(key)
                : key.quota().within(settings.quota());
        return new Known(principal(key, Set.copyOf(scopes), quota, owner), null, now);
    }

    /** One may have been made while its account was removed. */
    private Known withoutAccount(ApiKey key, long now) {
        return key.userId().equals(Principal.LOCAL_USER)
                ? new Known(principal(key, key.scopes(), ownOrUsual(key), null), null, now)
                : new Known(null, "The account of this API key was removed.", now);
    }

    private Quota ownOrUsual(ApiKey key) {
        return key.quota().isNone() ? settings.quota() : key.quota();
    }

    private Principal principal(ApiKey key, Set<Scope> scopes, Quota quota, @Nullable Account owner) {
        Quota together = owner != null && settings.countsTogether(owner) ? settings.quota() : Quota.NONE;
        return new Principal(key.userId(), Principal.By.KEY, scopes, quota, together, owner, key, null);
    }

    private Mono<Known> session(Transaction transaction, String token, long now) {
        String hash = Secrets.hash(token);
        return SessionTable.find(transaction, hash)
                .filter(row -> row.usedAt() + Session.LIFE_MS > now)
                .flatMap(row -> AccountTable.find(transaction, row.accountId())
                        .filter(account -> !account.disabled())
                        .flatMap(account -> now - row.usedAt() < TOUCH_MS
                                ? Mono.just(new Known(principal(account, Session.of(token, row.usedAt())), null, now))
                                : SessionTable.touch(transaction, hash, now)
                                        .thenReturn(new Known(principal(account, Session.of(token, now)), null, now))));
    }

    Principal principal(Account account, Session session) {
        return new Principal(
                account.id(),
                Principal.By.SESSION,
                account.role().scopes(),
                settings.quota(),
                Quota.NONE,
                account,
                null,
                session);
    }
}
