package dev.chasqui.gateway.accounts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.chasqui.gateway.SetClock;
import dev.chasqui.gateway.limits.Quota;
import dev.chasqui.gateway.nodes.EventLoop;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.storage.Database;
import dev.chasqui.gateway.storage.DatabaseAddress;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.http.HttpHeaders;
import org.springframework.http.server.reactive.ServerHttpRequest;
import reactor.core.publisher.Mono;

/** What is remembered of somebody may be older than what an administrator has done meanwhile, here or elsewhere. */
class OutdatedPrincipalsTest {
    private static final String ADDRESS = "10.0.0.1";

    private final SetClock clock = new SetClock();
    private final EventLoop loop = new EventLoop("accounts-test");
    private final Database database = new Database(new DatabaseAddress.InMemory(), loop);
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final AccountSettings settings = new AccountSettings(true, true, List.of(), Quota.NONE);
    private final Authentication authentication = new Authentication(settings, database, loop, clock, registry);
    private final Accounts accounts = new Accounts(settings, database, authentication, loop, registry, clock);
    private final Keys keys = new Keys(database, authentication, clock);
    private Principal ben = Principal.ANYBODY;

    @BeforeEach
    void register() {
        done(accounts.register(draft("ana@example.com"), ADDRESS));
        ben = done(accounts.register(draft("ben@example.com"), ADDRESS)).principal();
    }

    @AfterEach
    void close() {
        accounts.close();
        database.close();
        loop.close();
    }

    @Test
    void aNewPasswordBringsNoRoleBack() {
        done(accounts.change(ben.userId(), new Accounts.Change(null, Account.Role.ADMIN, null, null)));
        Account admin = done(accounts.list()).get(1);
        done(accounts.change(ben.userId(), new Accounts.Change(null, Account.Role.USER, true, null)));

        change(admin, "a long password").block();

        Account now = done(accounts.list()).get(1);
        assertThat(now.role()).isEqualTo(Account.Role.USER);
        assertThat(now.disabled()).isTrue();
        assertThat(now.passwordHash()).isNotEqualTo(admin.passwordHash());
    }

    @Test
    void aPasswordThatAnAdministratorTookAwayChangesNothing() {
        done(accounts.change(ben.userId(), new Accounts.Change(null, null, null, "given by ana")));

        RequestError refused = catchThrowableOfType(
                RequestError.class,
                () -> change(Objects.requireNonNull(ben.account()), "a long password")
                        .block());

        assertThat(refused.field()).isEqualTo("current_password");
        assertThat(done(accounts.signIn("ben@example.com", "given by ana", ADDRESS)))
                .isNotNull();
    }

    @Test
    void aKeyThatWasMadeWhileItsAccountWasRemovedIsNone() {
        accounts.remove(ben.userId()).block();
        String key = done(keys.create(ben, draft(0))).secret();

        RequestError refused = catchThrowableOfType(RequestError.class, () -> done(principal(key)));

        assertThat(refused.sentence()).isEqualTo("The account of this API key was removed.");
    }

    @Test
    void aKeyThatIsRememberedExpiresAllTheSame() {
        String key = done(keys.create(ben, draft(2_000))).secret();
        assertThat(done(principal(key)).userId()).isEqualTo(ben.userId());

        clock.pass(Duration.ofSeconds(2));

        RequestError refused = catchThrowableOfType(RequestError.class, () -> done(principal(key)));
        assertThat(refused.sentence()).isEqualTo("The API key has expired.");
    }

    private Mono<Principal> principal(String key) {
        HttpHeaders headers = new HttpHeaders();
        headers.set("authorization", "Bearer " + key);
        return authentication.principal((ServerHttpRequest) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {ServerHttpRequest.class}, (proxy, method, values) -> {
                    assertThat(method.getName()).isEqualTo("getHeaders");
                    return headers;
                }));
    }

    private Mono<Void> change(Account account, String current) {
        return accounts.changePassword(
                account, Objects.requireNonNull(ben.session()), current, "another password", ADDRESS);
    }

    private static Accounts.Draft draft(String email) {
        return new Accounts.Draft(email, "a long password", "");
    }

    private static Keys.Draft draft(long lifeMs) {
        return new Keys.Draft("", Set.of(Scope.INFERENCE), Quota.NONE, lifeMs);
    }

    private static <T> T done(Mono<T> work) {
        return Objects.requireNonNull(work.block(Duration.ofSeconds(30)));
    }
}
