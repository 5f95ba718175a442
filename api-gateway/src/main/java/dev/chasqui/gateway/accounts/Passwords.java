package dev.chasqui.gateway.accounts;

import dev.chasqui.gateway.nodes.EventLoop;
import dev.chasqui.gateway.requests.RequestError;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.springframework.security.crypto.password.Pbkdf2PasswordEncoder;
import org.springframework.security.crypto.password.Pbkdf2PasswordEncoder.SecretKeyFactoryAlgorithm;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * Hashes passwords, slowly on purpose: one at a time, on a thread of its own, so that answers go on meanwhile. PBKDF2
 * with HMAC-SHA-512 and 210,000 rounds, as OWASP's cheat sheet on password storage has it.
 */
final class Passwords implements AutoCloseable {
    private static final int ROUNDS = 210_000;
    private static final int SALT_BYTES = 16;
    private static final int WAITING = 16;
    private static final Duration RETRY_AFTER = Duration.ofSeconds(5);
    /** A hash of no password, to compare with where there is no account, so that this takes as long. */
    static final String NOBODYS = "0".repeat(2 * (SALT_BYTES + 64));

    private final Pbkdf2PasswordEncoder encoder =
            new Pbkdf2PasswordEncoder("", SALT_BYTES, ROUNDS, SecretKeyFactoryAlgorithm.PBKDF2WithHmacSHA512);
    private final ThreadPoolExecutor thread;
    private final Scheduler results;

    Passwords(EventLoop loop) {
        thread = new ThreadPoolExecutor(1, 1, 10, TimeUnit.SECONDS, new ArrayBlockingQueue<>(WAITING), task -> {
            Thread made = new Thread(task, "chasqui-passwords");
            made.setDaemon(true);
            return made;
        });
        thread.allowCoreThreadTimeOut(true);
        results = Schedulers.fromExecutor(loop);
    }

    Mono<String> hash(String password) {
        return slowly(() -> encoder.encode(password));
    }

    /** @param hash empty: there is none, so nothing matches, which takes as long */
    Mono<Boolean> matches(String password, String hash) {
        return slowly(() -> encoder.matches(password, hash.isEmpty() ? NOBODYS : hash) && !hash.isEmpty());
    }

    private <T> Mono<T> slowly(Callable<T> work) {
        return Mono.<T>create(sink -> thread.execute(() -> {
                    try {
                        sink.success(work.call());
                    } catch (Exception e) {
                        sink.error(e);
                    }
                }))
                .onErrorMap(
                        RejectedExecutionException.class,
                        full -> RequestError.http(
                                429,
                                "Too many people sign in at this moment; try again in a few seconds.",
                                "too_many_sign_ins",
                                RETRY_AFTER))
                .publishOn(results);
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
