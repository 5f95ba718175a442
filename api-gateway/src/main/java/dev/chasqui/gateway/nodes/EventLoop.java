package dev.chasqui.gateway.nodes;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;
import reactor.netty.resources.LoopResources;

/**
 * The gateway's one I/O thread: HTTP and gRPC share it, so that a token on its way to a client crosses no thread and
 * wakes none. Whatever it owns needs no locks, and nothing on it may block.
 *
 * <p>As an executor it runs a task at once when it is already on the thread.
 */
public final class EventLoop implements Executor, AutoCloseable {
    private static final long IDLE_SECONDS = 30;

    private final LoopResources resources;
    private final EventLoopGroup group;
    private final io.netty.channel.EventLoop loop;
    private final Queue<Runnable> afterwards = new ArrayDeque<>();
    private final Runnable runAfterwards = this::runAfterwards;
    private final ThreadPoolExecutor others = others();
    private final Scheduler elsewhere = Schedulers.fromExecutor(others);
    private final Scheduler here = Schedulers.fromExecutor(this);

    /** @param name of the thread */
    public EventLoop(String name) {
        resources = LoopResources.create(name, 1, false);
        group = resources.onServer(true);
        loop = group.next();
    }

    /** For an HTTP server that shall run here. */
    public LoopResources resources() {
        return resources;
    }

    EventLoopGroup group() {
        return group;
    }

    Class<? extends SocketChannel> socketType() {
        return resources.onChannelClass(SocketChannel.class, group);
    }

    @Override
    public void execute(Runnable task) {
        if (loop.inEventLoop()) {
            task.run();
        } else {
            loop.execute(task);
        }
    }

    /**
     * Runs a task when what has been read by now is dealt with; for the thread itself. Tasks of many calls cost little
     * more than one.
     */
    public void afterwards(Runnable task) {
        if (afterwards.isEmpty()) {
            loop.execute(runAfterwards);
        }
        afterwards.add(task);
    }

    private void runAfterwards() {
        while (!afterwards.isEmpty()) {
            afterwards.remove().run();
        }
    }

    /**
     * Computes what would hold up the thread on another one; what comes of it is told on the thread.
     *
     * @param work may return null, which makes the result empty
     */
    public <T> Mono<T> beside(Callable<? extends @Nullable T> work) {
        return Mono.<T>fromCallable(work).subscribeOn(elsewhere).publishOn(here);
    }

    private static ThreadPoolExecutor others() {
        int most = Math.max(2, Runtime.getRuntime().availableProcessors());
        ThreadPoolExecutor threads = new ThreadPoolExecutor(
                most, most, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                    Thread thread = new Thread(task, "beside");
                    thread.setDaemon(true);
                    return thread;
                });
        threads.allowCoreThreadTimeOut(true);
        return threads;
    }

    /** Runs a task on the thread after a while; what it returns cancels it. */
    public Runnable schedule(Runnable task, long delayMillis) {
        var future = loop.schedule(task, delayMillis, TimeUnit.MILLISECONDS);
        return () -> future.cancel(false);
    }

    /** Whether the caller is the thread. */
    public boolean isCurrent() {
        return loop.inEventLoop();
    }

    /** Ends the thread when its present work is done. */
    @Override
    public void close() {
        others.shutdown();
        resources
                .disposeLater(java.time.Duration.ZERO, java.time.Duration.ofSeconds(2))
                .block(java.time.Duration.ofSeconds(3));
    }
}
