package dev.chasqui.gateway.limits;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.chasqui.gateway.SetClock;
import dev.chasqui.gateway.nodes.EventLoop;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.storage.Database;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

/** Two gateways that share a database, whatever the database. Time passes only when it is told to. */
abstract class SharedMeteringContract {
    static final String KEY = "key_1";
    /** Busy machines take long to open a database. */
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private static final Duration INTERVAL = Duration.ofMillis(20);
    private static final Quota TEN = new Quota(10, 0, 0);

    final EventLoop loop = new EventLoop("test");
    final SetClock clock = new SetClock();
    private final List<Metering> opened = new ArrayList<>();
    Database database;
    Metering one;
    Metering two;

    /** An empty database. */
    abstract Database database(EventLoop loop) throws Exception;

    @BeforeEach
    void open() throws Exception {
        database = database(loop);
        database.open();
        one = metering("one");
        two = metering("two");
        one.start();
        two.start();
    }

    @AfterEach
    void close() {
        opened.forEach(Metering::close);
        // Closing waits for a while only, and a transaction that is cut off would lock the next test's database.
        opened.forEach(metering -> result(metering.usage(List.of())));
        database.close();
        loop.close();
    }

    private Metering metering(String gateway) {
        Metering metering = new Metering(database, loop, gateway, clock, new SimpleMeterRegistry(), true, INTERVAL);
        opened.add(metering);
        return metering;
    }

    <T> T onLoop(Callable<T> work) throws Exception {
        CompletableFuture<T> result = new CompletableFuture<>();
        loop.execute(() -> {
            try {
                result.complete(work.call());
            } catch (Exception e) {
                result.completeExceptionally(e);
            }
        });
        try {
            return result.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
    }

    Admission admit(Metering metering, Quota quota) throws Exception {
        return onLoop(() -> metering.admit(KEY, quota));
    }

    void end(Admission admission) throws Exception {
        onLoop(() -> {
            admission.end();
            return true;
        });
    }

    /** A whole request. */
    void ask(Metering metering, Quota quota, long prompt, long cached, long completion) throws Exception {
        onLoop(() -> {
            Admission admission = metering.admit(KEY, quota);
            admission.used(prompt, cached, completion);
            admission.end();
            return true;
        });
    }

    /** Whether one more request is refused; where it is not, it has ended at once. */
    private boolean refuses(Metering metering, Quota quota) throws Exception {
        try {
            end(admit(metering, quota));
            return false;
        } catch (RequestError e) {
            return e.status() == 429;
        }
    }

    private String remaining(Metering metering, Quota quota, String what) throws Exception {
        return onLoop(() -> metering.headers(KEY, quota).get("x-ratelimit-remaining-" + what));
    }

    Usage usage(Metering metering) {
        return result(metering.usage(List.of(KEY, "key_other"))).getOrDefault(KEY, Usage.NONE);
    }

    private List<UsageRow> rows() {
        long today = UsageRow.day(clock.millis());
        return result(
                database.transaction(transaction -> UsageTable.between(transaction, List.of(KEY), today - 9, today + 9)
                        .collectList()));
    }

    static <T> T result(Mono<T> mono) {
        return Objects.requireNonNull(mono.block(PATIENCE));
    }

    private UsageRow row(String gateway, long day) {
        return rows().stream()
                .filter(row -> row.gateway().equals(gateway) && row.day() == day)
                .findFirst()
                .orElseThrow();
    }

    private void write(UsageRow row) {
        result(database.transaction(transaction -> UsageTable.write(transaction, row)));
    }

    void sql(String sql) {
        result(database.transaction(transaction -> transaction.update(sql)));
    }

    static void await(Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.call()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("it did not happen within " + PATIENCE);
            }
            Thread.sleep(5);
        }
    }

    @Test
    void usageAddsUpOverGatewaysAndDays() throws Exception {
        ask(one, Quota.NONE, 10, 4, 5);
        ask(two, Quota.NONE, 100, 0, 50);
        clock.pass(Duration.ofDays(1));
        ask(one, TEN, 1000, 0, 500);

        Usage all = new Usage(3, 1110, 4, 555, clock.millis());
        await(() -> usage(one).equals(all));
        await(() -> usage(two).equals(all));
        assertThat(rows()).hasSize(3);
        assertThat(result(one.usage(List.of("key_other")))).isEmpty();
        assertThat(result(one.usage(List.of()))).isEmpty();
    }

    @Test
    void usageIsRemovedWithWhomItIsOf() throws Exception {
        ask(one, Quota.NONE, 7, 0, 3);
        assertThat(usage(one)).isNotEqualTo(Usage.NONE);

        result(database.transaction(
                transaction -> Metering.remove(transaction, List.of(KEY)).thenReturn(true)));

        assertThat(usage(one)).isEqualTo(Usage.NONE);
    }

    @Test
    void usageHasWhatIsNotWrittenYet() throws Exception {
        Metering quiet = metering("three");
        for (int i = 1; i <= 5; i++) {
            ask(quiet, Quota.NONE, 7, 0, 3);
            assertThat(usage(quiet)).isEqualTo(new Usage(i, 7L * i, 0, 3L * i, clock.millis()));
        }
    }

    @Test
    void aLimitOfRequestsHoldsOverAllGateways() throws Exception {
        for (int i = 0; i < 6; i++) {
            ask(one, TEN, 0, 0, 0);
        }
        ask(two, TEN, 0, 0, 0);
        await(() -> remaining(one, TEN, "requests").equals("3")
                && remaining(two, TEN, "requests").equals("3"));
        ask(two, TEN, 0, 0, 0);
        ask(one, TEN, 0, 0, 0);
        ask(two, TEN, 0, 0, 0);

        await(() -> remaining(one, TEN, "requests").equals("0")
                && remaining(two, TEN, "requests").equals("0"));
        assertThat(refuses(one, TEN)).isTrue();
        assertThat(refuses(two, TEN)).isTrue();
        clock.pass(Duration.ofSeconds(6));
        assertThat(refuses(one, TEN)).isFalse();
        await(() -> refuses(two, TEN));
    }

    @Test
    void aLimitOfTokensHoldsOverAllGateways() throws Exception {
        Quota quota = new Quota(0, 1000, 0);
        ask(two, quota, 1, 0, 1);
        ask(one, quota, 500, 500, 700);

        await(() -> refuses(two, quota));
        assertThat(remaining(two, quota, "tokens")).isEqualTo("0");
        clock.pass(Duration.ofSeconds(13));
        assertThat(refuses(two, quota)).isFalse();
    }

    @Test
    void whoComesToAnotherGatewayFindsWhatHeLeft() throws Exception {
        for (int i = 0; i < 10; i++) {
            ask(one, TEN, 0, 0, 0);
        }
        usage(one);
        clock.pass(Duration.ofSeconds(12));
        ask(two, TEN, 0, 0, 0);

        await(() -> remaining(two, TEN, "requests").equals("1"));
        await(() -> remaining(one, TEN, "requests").equals("1"));
    }

    @Test
    void whatHasComeBackToOthersIsNotMissingHere() throws Exception {
        ask(two, TEN, 0, 0, 0);
        usage(two);
        long now = clock.millis();
        // A gateway that wrote of the last hours in one go.
        write(new UsageRow(KEY, UsageRow.day(now), "late", new Usage(500, 0, 0, 0, now), 0, now + 6000, 0));

        await(() -> remaining(two, TEN, "requests").equals("8"));
    }

    @Test
    void whatWasTakenWithoutALimitIsNotHeldAgainstAnybody() throws Exception {
        ask(two, Quota.NONE, 0, 0, 0);
        usage(two);
        for (int i = 0; i < 50; i++) {
            ask(one, Quota.NONE, 0, 0, 0);
        }
        usage(one);
        ask(two, TEN, 0, 0, 0);
        usage(two);
        ask(one, TEN, 0, 0, 0);

        await(() -> remaining(two, TEN, "requests").equals("8"));
        await(() -> remaining(one, TEN, "requests").equals("8"));
    }

    @Test
    void requestsThatRunElsewhereTakePlaces() throws Exception {
        Quota quota = new Quota(0, 0, 2);
        Admission first = admit(one, quota);
        Admission second = admit(one, quota);
        await(() -> refuses(two, quota));

        end(first);
        await(() -> !refuses(two, quota));
        end(second);
        Admission third = admit(two, quota);
        await(() -> !refuses(one, quota));
        end(third);
    }

    @Test
    void aLongRequestIsToldOfAgainAndAgain() throws Exception {
        Quota quota = new Quota(0, 0, 1);
        Admission running = admit(one, quota);
        await(() -> refuses(two, quota));
        for (int i = 0; i < 5; i++) {
            clock.pass(Duration.ofSeconds(4));
            await(() -> row("one", UsageRow.day(clock.millis())).usage().lastUsedAt() == clock.millis());
        }

        await(() -> refuses(two, quota));
        end(running);
        await(() -> !refuses(two, quota));
    }

    @Test
    void aGatewayThatDiedTakesNoPlaces() throws Exception {
        Quota quota = new Quota(0, 0, 1);
        long now = clock.millis();
        write(new UsageRow(KEY, UsageRow.day(now), "dead", new Usage(1, 0, 0, 0, now), 1, 0, 0));
        await(() -> refuses(two, quota));

        clock.pass(Duration.ofSeconds(11));
        assertThat(refuses(two, quota)).isFalse();
    }

    @Test
    void aGatewayThatEndsGivesItsPlacesBackAndWritesAll() throws Exception {
        Quota quota = new Quota(0, 0, 1);
        Admission running = admit(one, quota);
        await(() -> refuses(two, quota));
        onLoop(() -> {
            running.used(3, 0, 4);
            return true;
        });
        one.close();

        assertThat(row("one", UsageRow.day(clock.millis())).running()).isZero();
        await(() -> !refuses(two, quota));
        end(running);
        assertThat(usage(two).completionTokens()).isEqualTo(4);
    }

    @Test
    void aGatewayThatComesAgainGoesOn() throws Exception {
        for (int i = 0; i < 8; i++) {
            ask(one, TEN, 5, 1, 2);
        }
        one.close();
        Metering again = metering("one");
        again.start();
        ask(again, TEN, 5, 1, 2);

        assertThat(usage(again)).isEqualTo(new Usage(9, 45, 9, 18, clock.millis()));
        assertThat(rows()).hasSize(1);
        await(() -> remaining(again, TEN, "requests").equals("1"));
    }

    @Test
    void whatRunsOverMidnightIsInOneDayOnly() throws Exception {
        long today = UsageRow.day(clock.millis());
        Quota quota = new Quota(0, 0, 1);
        Admission running = admit(one, quota);
        await(() -> refuses(two, quota));
        clock.pass(Duration.ofDays(1));
        await(() -> row("one", today).running() == 0 && row("one", today + 1).running() == 1);

        await(() -> refuses(two, quota));
        onLoop(() -> {
            running.used(10, 0, 10);
            return true;
        });
        end(running);
        await(() -> row("one", today + 1).usage().promptTokens() == 10);
        assertThat(row("one", today).usage().requests()).isEqualTo(1);
        assertThat(row("one", today + 1).usage().requests()).isZero();
    }

    @Test
    void nothingIsWrittenWhileNothingChanges() throws Exception {
        Admission running = admit(one, Quota.NONE);
        ask(two, TEN, 1, 0, 1);
        await(() -> rows().size() == 2);
        usage(one);
        usage(two);
        sql("DELETE FROM usage_by_day");
        Thread.sleep(INTERVAL.toMillis() * 20);

        assertThat(rows()).isEmpty();
        end(running);
        await(() -> rows().size() == 1);
    }

    @Test
    void whoIsIdleForLongIsForgottenAndCountedAgain() throws Exception {
        Admission running = admit(two, TEN);
        ask(one, TEN, 1, 0, 1);
        usage(one);
        usage(two);
        clock.pass(Duration.ofMinutes(2));
        await(() -> onLoop(one::known) == 0);
        assertThat(onLoop(two::known)).isEqualTo(1);

        ask(one, TEN, 1, 0, 1);
        end(running);
        assertThat(usage(one).requests()).isEqualTo(3);
    }

    @Test
    void whatIsSaidAfterTheEndCountsToo() throws Exception {
        Admission running = admit(one, Quota.NONE);
        end(running);
        usage(one);
        clock.pass(Duration.ofMinutes(2));
        await(() -> onLoop(one::known) == 0);
        onLoop(() -> {
            running.used(1, 0, 2);
            return true;
        });

        assertThat(usage(one)).isEqualTo(new Usage(1, 1, 0, 2, clock.millis()));
    }

    @Test
    void whileTheDatabaseFailsRequestsGoOnAndAreWrittenLater() throws Exception {
        ask(one, TEN, 1, 0, 1);
        usage(one);
        sql("ALTER TABLE usage_by_day RENAME TO elsewhere");
        ask(one, TEN, 1, 0, 1);
        assertThatThrownBy(() -> usage(one)).isInstanceOf(Exception.class);
        for (int i = 0; i < 3; i++) {
            ask(one, TEN, 1, 0, 1);
        }
        assertThat(remaining(one, TEN, "requests")).isEqualTo("5");
        sql("ALTER TABLE elsewhere RENAME TO usage_by_day");

        await(() -> rows().get(0).usage().requests() == 5);
        assertThat(usage(two)).isEqualTo(new Usage(5, 5, 0, 5, clock.millis()));
        assertThat(remaining(one, TEN, "requests")).isEqualTo("5");
    }

    @Test
    void manySubjectsAtOnce() throws Exception {
        List<String> names = new ArrayList<>();
        for (int i = 0; i < 450; i++) {
            names.add("key_" + (i + 10));
        }
        onLoop(() -> {
            for (String name : names) {
                Admission admission = one.admit(name, TEN);
                admission.used(1, 0, 1);
                admission.end();
            }
            return true;
        });

        Map<String, Usage> all = result(one.usage(names));
        assertThat(all).hasSize(450);
        assertThat(all.values()).containsOnly(new Usage(1, 1, 0, 1, clock.millis()));
    }

    @Test
    void eachDaysUseIsToldForEverybodyAndAllGateways() throws Exception {
        long today = UsageRow.day(clock.millis());
        ask(one, Quota.NONE, 10, 4, 2);
        ask(two, Quota.NONE, 5, 0, 1);
        result(two.usage(List.of()));
        assertThat(result(one.usage(today - 1, today)))
                .extracting(
                        DayUse::subject,
                        DayUse::day,
                        use -> use.usage().requests(),
                        use -> use.usage().tokens())
                .containsExactly(tuple(KEY, today, 2L, 18L));

        clock.pass(Duration.ofDays(1));
        ask(two, Quota.NONE, 1, 0, 1);
        assertThat(result(two.usage(today, today + 1)))
                .extracting(DayUse::day, use -> use.usage().tokens())
                .containsExactly(tuple(today, 18L), tuple(today + 1, 2L));
        assertThat(result(two.usage(today + 1, today + 1))).hasSize(1);
        assertThat(result(two.usage(today + 2, today + 9))).isEmpty();
    }
}
