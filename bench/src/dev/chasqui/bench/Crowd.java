package dev.chasqui.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;

/** Many clients at once, a thread each. */
final class Crowd {
    private Crowd() {}

    /** What one client does. */
    @FunctionalInterface
    interface Visit<T> {
        T go() throws Exception;
    }

    /** All of them at once; returns what each brought, in their order. Throws what the first of them threw. */
    static <T> List<T> all(int clients, IntFunction<Visit<T>> visit) throws InterruptedException, ExecutionException {
        ExecutorService threads = Executors.newCachedThreadPool(Crowd::daemon);
        try {
            List<Future<T>> pending = new ArrayList<>();
            for (int i = 0; i < clients; i++) {
                Visit<T> one = visit.apply(i);
                pending.add(threads.submit(one::go));
            }
            List<T> results = new ArrayList<>();
            for (Future<T> one : pending) {
                results.add(one.get());
            }
            return results;
        } finally {
            threads.shutdownNow();
        }
    }

    static Thread daemon(Runnable task) {
        Thread thread = new Thread(task, "client");
        thread.setDaemon(true);
        return thread;
    }
}
