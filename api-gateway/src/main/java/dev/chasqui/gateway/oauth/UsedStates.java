package dev.chasqui.gateway.oauth;

import dev.chasqui.gateway.requests.RequestError;
import dev.chasqui.gateway.storage.Database;
import dev.chasqui.gateway.storage.Transaction;
import io.r2dbc.spi.R2dbcDataIntegrityViolationException;
import java.time.Clock;
import java.util.HexFormat;
import reactor.core.publisher.Mono;

/** Sees to it that nobody comes back by the same way twice, at whichever gateway. */
final class UsedStates {
    private final Database database;
    private final Clock clock;

    UsedStates(Database database, Clock clock) {
        this.database = database;
        this.clock = clock;
    }

    /** Notes it; fails where that was done before. */
    Mono<Void> use(RoundTrip trip) {
        return database.transaction(transaction -> forget(transaction).then(note(transaction, trip)))
                .onErrorMap(
                        R2dbcDataIntegrityViolationException.class,
                        twice -> RequestError.http(
                                400, "This sign-in was used already (expected: begin anew).", "state_used", null))
                .then();
    }

    private Mono<Long> forget(Transaction transaction) {
        return transaction.update("DELETE FROM used_states WHERE expires_at < $1", clock.millis());
    }

    private static Mono<Long> note(Transaction transaction, RoundTrip trip) {
        return transaction.update(
                "INSERT INTO used_states (state_hash, expires_at) VALUES ($1, $2)",
                HexFormat.of().formatHex(RoundTrips.sha256(trip.state())),
                trip.expiresAt());
    }
}
