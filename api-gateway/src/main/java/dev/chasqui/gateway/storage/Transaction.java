package dev.chasqui.gateway.storage;

import io.r2dbc.spi.Connection;
import io.r2dbc.spi.Statement;
import java.util.function.Function;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** What can be done within one transaction. Statements name their values {@code $1}, {@code $2}; none may be null. */
public final class Transaction {
    private final Connection connection;

    Transaction(Connection connection) {
        this.connection = connection;
    }

    /** Changes rows; says how many. */
    public Mono<Long> update(String sql, Object... values) {
        return Flux.defer(() -> statement(sql, values).execute())
                .flatMap(result -> result.getRowsUpdated())
                .reduce(0L, Long::sum);
    }

    /** Reads rows, each with the function. */
    public <T> Flux<T> rows(String sql, Function<StoredRow, T> read, Object... values) {
        return Flux.defer(() -> statement(sql, values).execute())
                .concatMap(result -> result.map((row, metadata) -> read.apply(new StoredRow(row))));
    }

    private Statement statement(String sql, Object[] values) {
        Statement statement = connection.createStatement(sql);
        for (int i = 0; i < values.length; i++) {
            statement.bind(i, values[i]);
        }
        return statement;
    }
}
