package dev.chasqui.node.grpc;

import dev.chasqui.llama.Llama;
import dev.chasqui.node.model.Models;
import dev.chasqui.proto.v1.InferenceGrpc;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallExecutorSupplier;
import io.grpc.ServerInterceptors;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.channel.Channel;
import io.grpc.netty.shaded.io.netty.channel.ChannelHandlerContext;
import io.grpc.netty.shaded.io.netty.channel.ChannelInboundHandlerAdapter;
import io.grpc.netty.shaded.io.netty.channel.nio.NioEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioServerSocketChannel;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** The node's gRPC server: inference, models, status, health and reflection on one port. */
public final class NodeServer implements AutoCloseable {
    private static final int MOST_MESSAGE_BYTES = 16 << 20;
    private static final int HANDLER_THREADS = 4;
    private static final Set<String> GENERATING = Set.of(
            InferenceGrpc.getChatMethod().getFullMethodName(),
            InferenceGrpc.getGenerateMethod().getFullMethodName());

    private final Models models;
    private final ExecutorService handlers = handlers();
    private final ScheduledExecutorService timer =
            Executors.newSingleThreadScheduledExecutor(task -> daemon(task, "status"));
    private final HealthStatusManager health = new HealthStatusManager();
    /**
     * The one thread that reads calls, parses answers and writes them out. A step's texts of all streams wake it once, which
     * matters: a decode runs on every core, and each wake-up of another thread makes all of them wait.
     */
    private final NioEventLoopGroup eventLoop = new NioEventLoopGroup(1, (ThreadFactory) task -> daemon(task, "relay"));

    private final Refusals refusals = new Refusals();
    private final RunningCalls calls = new RunningCalls();
    private final NodeService nodeService;
    private final Server server;

    /**
     * Opens the port.
     *
     * @param access what callers must bring
     * @throws IOException where the address cannot be had, or a file for TLS cannot be read
     */
    public NodeServer(InetSocketAddress address, NodeAccess access, String version, Llama llama, Models models)
            throws IOException {
        this.models = models;
        this.nodeService = new NodeService(version, llama, models, timer);
        NettyServerBuilder builder = NettyServerBuilder.forAddress(address)
                .channelFactory(this::listener)
                .bossEventLoopGroup(eventLoop)
                .workerEventLoopGroup(eventLoop)
                .directExecutor()
                .callExecutor(new ServerCallExecutorSupplier() {
                    @Override
                    public <Q, A> @Nullable Executor getExecutor(ServerCall<Q, A> call, Metadata metadata) {
                        return executor(call);
                    }
                })
                .maxInboundMessageSize(MOST_MESSAGE_BYTES)
                .permitKeepAliveTime(5, TimeUnit.SECONDS)
                .permitKeepAliveWithoutCalls(true)
                .addService(
                        ServerInterceptors.intercept(new InferenceService(models, eventLoop.next(), handlers), calls))
                .addService(new ModelsService(models))
                .addService(nodeService)
                .addService(health.getHealthService())
                .addService(ProtoReflectionServiceV1.newInstance());
        if (access.token() != null) {
            builder.intercept(new TokenAuthentication(access.token(), refusals));
        }
        if (access.tls() != null) {
            builder.sslContext(NodeTls.context(access.tls(), timer));
        }
        models.onChange(this::updateHealth);
        updateHealth();
        this.server = builder.build().start();
    }

    /**
     * Where a call's methods run; null: on the event loop. Those that generate go to the handlers by themselves, once: each part of
     * a call that gRPC hands over by itself wakes another thread.
     */
    private @Nullable Executor executor(ServerCall<?, ?> call) {
        String method = call.getMethodDescriptor().getFullMethodName();
        return GENERATING.contains(method) ? null : handlers;
    }

    /** A port whose connections are watched until it is clear whether they are let in. */
    private NioServerSocketChannel listener() {
        NioServerSocketChannel listener = new NioServerSocketChannel();
        listener.pipeline().addLast(new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext context, Object connection) {
                ((Channel) connection).pipeline().addLast(new NodeTls.Watch(refusals));
                context.fireChannelRead(connection);
            }
        });
        return listener;
    }

    /** The port that it listens on. */
    public int port() {
        return server.getPort();
    }

    /**
     * Says in health and status that no new requests are taken, and refuses them.
     *
     * @return how many run
     */
    public int drain() {
        health.enterTerminalState();
        nodeService.drain();
        calls.drain();
        return calls.running();
    }

    /** Waits until no request runs any more, after {@link #drain}. Returns how many still do when the time is over. */
    public int awaitIdle(Duration most) throws InterruptedException {
        return calls.awaitNone(most);
    }

    @Override
    public void close() {
        nodeService.close();
        server.shutdown();
        try {
            if (!server.awaitTermination(1, TimeUnit.SECONDS)) {
                server.shutdownNow().awaitTermination(2, TimeUnit.SECONDS);
            }
            // Cancelled answers give their models back through the relay.
            models.awaitIdle(Duration.ofSeconds(1));
        } catch (InterruptedException e) {
            server.shutdownNow();
            Thread.currentThread().interrupt();
        }
        timer.shutdownNow();
        // What the loop has left it gives to the handlers, so these go last.
        eventLoop.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
        handlers.shutdown();
    }

    private void updateHealth() {
        health.setStatus(
                InferenceGrpc.SERVICE_NAME, models.isServing() ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);
    }

    /** Few threads: they render templates and tokenise, which is quick; their stacks are deep. */
    private static ExecutorService handlers() {
        AtomicInteger count = new AtomicInteger();
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                HANDLER_THREADS,
                HANDLER_THREADS,
                30,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                task -> daemon(task, "handler " + count.incrementAndGet()));
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }

    /** Templates and parsers recurse as deep as their input nests. */
    private static Thread daemon(Runnable task, String name) {
        Thread thread = new Thread(null, task, name, Llama.STACK_BYTES);
        thread.setDaemon(true);
        return thread;
    }
}
