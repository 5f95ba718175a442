package dev.chasqui.gateway.storage;

import dev.chasqui.gateway.nodes.EventLoop;
import dev.chasqui.gateway.requests.RequestError;
import io.r2dbc.pool.ConnectionPool;
import io.r2dbc.pool.ConnectionPoolConfiguration;
import io.r2dbc.spi.Connection;
import io.r2dbc.spi.R2dbcBadGrammarException;
import io.r2dbc.spi.R2dbcDataIntegrityViolationException;
import io.r2dbc.spi.R2dbcException;
import io.r2dbc.spi.ValidationDepth;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.flywaydb.core.Flyway;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * The database, opened in the background and brought up to date by then. Whatever uses it before waits for that; while
 * it cannot be reached, whatever uses it fails with 503 and the reason, and comes to life again with it.
 */
public final class Database implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Database.class);
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    /** Migrations of large databases take their time; whoever waits for so long comes again. */
    private static final Duration OPENING_PATIENCE = Duration.ofSeconds(60);

    private static final Duration ACQUIRE = Duration.ofSeconds(5);
    private static final Duration RETRY_AFTER = Duration.ofSeconds(2);
    /** How long one failure stands for the next calls, which so fail at once. */
    private static final long FAILURE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final int EMBEDDED_THREADS = 2;
    private static final int POSTGRES_CONNECTIONS = 8;
    private static final DatabaseStatus READY = new DatabaseStatus(DatabaseStatus.State.READY, "The database is open.");
    private static final DatabaseStatus OPENING =
            new DatabaseStatus(DatabaseStatus.State.OPENING, "The database is being opened.");

    /** What is held of an open database: the last connection that closes would end an embedded one. */
    private record Open(ConnectionPool pool, java.sql.@Nullable Connection anchor, boolean embedded) {}

    /** @param until of {@link System#nanoTime} */
    private record Failure(RequestError error, long until) {}

    private final DatabaseAddress address;
    private final EventLoop loop;
    private final ThreadPoolExecutor threads;
    private final Scheduler worker;
    private final Scheduler results;
    private final List<Function<Transaction, Mono<Void>>> preparations = new ArrayList<>();
    private final AtomicReference<@Nullable Mono<Open>> opening = new AtomicReference<>();
    private final AtomicReference<@Nullable Failure> failure = new AtomicReference<>();
    private volatile DatabaseStatus status = OPENING;
    private volatile @Nullable Open open;
    private volatile boolean closing;

    /** Opens nothing yet. */
    public Database(DatabaseAddress address, EventLoop loop) {
        this.address = address;
        this.loop = loop;
        AtomicInteger number = new AtomicInteger();
        threads = new ThreadPoolExecutor(
                EMBEDDED_THREADS, EMBEDDED_THREADS, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                    Thread thread = new Thread(task, "chasqui-database-" + number.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
        threads.allowCoreThreadTimeOut(true);
        worker = Schedulers.fromExecutor(threads);
        results = Schedulers.fromExecutor(loop);
    }

    /** What is to be done each time it was opened, before it is used; to be said before {@link #open}. */
    public void beforeUse(Function<Transaction, Mono<Void>> preparation) {
        preparations.add(preparation);
    }

    /** Begins to open it, and returns. One in memory waits until it is used, because it cannot be away. */
    public void open() {
        if (address instanceof DatabaseAddress.InMemory) {
            status = READY;
        } else {
            opened().subscribe(open -> {}, error -> {});
        }
    }

    /** Whether no other gateway can use it at the same time. */
    public boolean isOursAlone() {
        return !(address instanceof PostgresAddress);
    }

    /** How it was when it was last used. */
    public DatabaseStatus status() {
        return status;
    }

    /** Asks it how it is. */
    public Mono<DatabaseStatus> check() {
        if (address instanceof DatabaseAddress.InMemory || status.state() == DatabaseStatus.State.OPENING) {
            return Mono.just(status);
        }
        return transaction(
                        transaction -> transaction.rows("SELECT 1", row -> true).then())
                .onErrorComplete(RequestError.class)
                .then(Mono.fromSupplier(this::status));
    }

    /**
     * Runs work in a transaction, which is committed before the result comes, or rolled back where the work fails.
     * Results and failures come on the event loop; what the work itself does runs elsewhere.
     */
    public <T> Mono<T> transaction(Function<Transaction, Mono<T>> work) {
        return Mono.defer(() -> {
                    Failure last = failure.get();
                    if (last != null && last.until() - System.nanoTime() > 0) {
                        return Mono.<T>error(last.error());
                    }
                    return opened().timeout(OPENING_PATIENCE).flatMap(open -> {
                        Mono<T> whole = within(open, work);
                        return (open.embedded() ? whole.subscribeOn(worker) : whole).timeout(PATIENCE);
                    });
                })
                .onErrorMap(this::translated)
                .doOnSuccess(value -> reachable())
                .publishOn(results);
    }

    private static <T> Mono<T> within(Open open, Function<Transaction, Mono<T>> work) {
        return Mono.usingWhen(
                open.pool().create(),
                connection -> Mono.from(connection.beginTransaction())
                        .then(Mono.defer(() -> work.apply(new Transaction(connection)))),
                connection -> Mono.from(connection.commitTransaction()).then(close(connection)),
                (connection, error) -> undo(connection),
                Database::undo);
    }

    private static Mono<Void> undo(Connection connection) {
        return Mono.from(connection.rollbackTransaction()).onErrorComplete().then(close(connection));
    }

    private static Mono<Void> close(Connection connection) {
        return Mono.defer(() -> Mono.from(connection.close()));
    }

    private Mono<Open> opened() {
        Mono<Open> known = opening.get();
        if (known != null) {
            return known;
        }
        Mono<Open> mine = Mono.fromCallable(this::openNow)
                .flatMap(this::prepared)
                .subscribeOn(worker)
                .doOnSuccess(this::use)
                .doOnError(error -> opening.set(null))
                .onErrorMap(this::unavailable)
                .cache();
        return opening.compareAndSet(null, mine) ? mine : opened();
    }

    private void use(Open opened) {
        open = opened;
        reachable();
    }

    private Open openNow() throws SQLException {
        Backend backend = Backend.of(address, loop);
        java.sql.Connection anchor = backend.embedded() ? backend.migrations().getConnection() : null;
        try {
            Flyway.configure(Database.class.getClassLoader())
                    .dataSource(backend.migrations())
                    .locations("classpath:dev/chasqui/gateway/storage")
                    .load()
                    .migrate();
        } catch (RuntimeException e) {
            if (anchor != null) {
                anchor.close();
            }
            throw e;
        }
        return new Open(pool(backend), anchor, backend.embedded());
    }

    private ConnectionPool pool(Backend backend) {
        return new ConnectionPool(ConnectionPoolConfiguration.builder(backend.factory())
                .allocatorSubscribeOn(backend.embedded() ? worker : Schedulers.immediate())
                .initialSize(0)
                .maxSize(backend.embedded() ? EMBEDDED_THREADS : POSTGRES_CONNECTIONS)
                .maxAcquireTime(ACQUIRE)
                .validationDepth(ValidationDepth.LOCAL)
                .build());
    }

    private Mono<Open> prepared(Open opened) {
        Mono<Void> all = Mono.empty();
        for (Function<Transaction, Mono<Void>> preparation : preparations) {
            all = all.then(within(opened, preparation));
        }
        return all.thenReturn(opened);
    }

    private void reachable() {
        failure.set(null);
        if (status != READY && !closing) {
            log.info("{} is open", address instanceof PostgresAddress ? address : "the database");
            status = READY;
        }
    }

    private Throwable translated(Throwable error) {
        if (error instanceof R2dbcDataIntegrityViolationException || error instanceof R2dbcBadGrammarException) {
            return error;
        }
        boolean away = error instanceof R2dbcException
                || error instanceof TimeoutException
                || error instanceof IOException
                || error.getClass().getName().startsWith("reactor.pool.");
        return away ? unavailable(error) : error;
    }

    /** Says it once in the log; never what a driver says, which may quote what was to be stored. */
    private RequestError unavailable(Throwable error) {
        if (error instanceof RequestError known) {
            return known;
        }
        String message = closing ? "The gateway is shutting down." : Problems.sentence(error);
        RequestError away = RequestError.http(503, message, "database_unavailable", RETRY_AFTER);
        failure.set(new Failure(away, System.nanoTime() + FAILURE_NANOS));
        if (status.state() != DatabaseStatus.State.UNAVAILABLE && !closing) {
            log.warn("{}{} ({})", message, Problems.advice(error, address), Problems.technical(error));
        }
        status = new DatabaseStatus(DatabaseStatus.State.UNAVAILABLE, message);
        return away;
    }

    /** Ends what runs and closes it. */
    @Override
    public void close() {
        closing = true;
        Open opened = open;
        if (opened != null) {
            opened.pool().disposeLater().onErrorComplete().block(Duration.ofSeconds(3));
            closeAnchor(opened.anchor());
        }
        threads.shutdown();
    }

    private static void closeAnchor(java.sql.@Nullable Connection anchor) {
        if (anchor != null) {
            try {
                anchor.close();
            } catch (SQLException e) {
                log.warn("the database did not close in order ({})", Problems.technical(e));
            }
        }
    }
}
