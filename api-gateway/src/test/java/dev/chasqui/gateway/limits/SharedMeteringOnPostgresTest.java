package dev.chasqui.gateway.limits;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.chasqui.gateway.EmptiedPostgres;
import dev.chasqui.gateway.nodes.EventLoop;
import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.storage.Database;
import dev.chasqui.gateway.storage.DatabaseAddress;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** In a real PostgreSQL, also where it goes away. */
class SharedMeteringOnPostgresTest extends SharedMeteringContract {
    @Override
    Database database(EventLoop loop) throws Exception {
        return new Database(DatabaseAddress.parse(EmptiedPostgres.address()), loop);
    }

    @Test
    void connectionsThatBreakLoseNothing() throws Exception {
        Quota quota = new Quota(10, 0, 0);
        for (int i = 0; i < 5; i++) {
            ask(one, quota, 1, 0, 1);
            ask(two, quota, 1, 0, 1);
            try {
                database.transaction(transaction -> transaction
                                .rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity", row -> true)
                                .then())
                        .block(Duration.ofSeconds(30));
            } catch (RuntimeException e) {
                // Its own connection may be the first to end.
            }
        }

        await(() -> {
            try {
                return usage(one).requests() == 10 && usage(two).completionTokens() == 10;
            } catch (RequestError away) {
                return false;
            }
        });
    }

    @Test
    void withoutADatabaseRequestsAreLetInAndTheEndIsNotWaitedForLong() throws Exception {
        Database nowhere = new Database(DatabaseAddress.parse("postgres://me@localhost:1/none"), loop);
        Metering metering = new Metering(nowhere, loop, "lost", clock, new SimpleMeterRegistry());
        metering.start();
        for (int i = 0; i < 3; i++) {
            ask(metering, new Quota(3, 0, 0), 1, 0, 1);
        }

        assertThatThrownBy(() -> admit(metering, new Quota(3, 0, 0))).hasMessageContaining("may ask 3 times");
        assertThatThrownBy(() -> usage(metering))
                .isInstanceOfSatisfying(
                        RequestError.class, error -> assertThat(error.status()).isEqualTo(503));
        long begin = System.nanoTime();
        metering.close();
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(10));
        nowhere.close();
    }
}
