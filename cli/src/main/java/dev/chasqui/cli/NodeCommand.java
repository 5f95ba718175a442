package dev.chasqui.cli;

import dev.chasqui.llama.LlamaException;
import dev.chasqui.node.InferenceNode;
import dev.chasqui.node.NodeConfiguration;
import dev.chasqui.node.grpc.NodeAccess;
import dev.chasqui.node.store.StoreException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Runs an inference node until a signal, or, where {@code serve} started it, until that ends. */
@Command(
        name = "node",
        description = "Runs an inference node, which owns the models and answers gRPC.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
final class NodeCommand implements Callable<Integer>, ServerCommand {

    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            defaultValue = "127.0.0.1:9090",
            converter = ListenAddress.class,
            description = "Where to answer gRPC. Beyond loopback only with a token or TLS. Default: ${DEFAULT-VALUE}.")
    private InetSocketAddress listen;

    @Option(
            names = "--shutdown-timeout",
            paramLabel = "SECONDS",
            defaultValue = "30",
            description = ShutdownTimeout.DESCRIPTION,
            converter = ShutdownTimeout.class)
    private Duration shutdownTimeout;

    @Option(names = "--supervised", hidden = true, description = "End when standard input ends.")
    private boolean supervised;

    @Mixin
    private NodeLinkOptions link;

    @Mixin
    private NodeOptions options;

    @Mixin
    private LogOptions log;

    @Mixin
    private ConfigOption config;

    NodeOptions options() {
        return options;
    }

    @Override
    public void check() {
        configuration();
    }

    @Override
    public Integer call() throws InterruptedException {
        log.apply();
        InferenceNode node = start();
        ProgressPrinter progress = ProgressPrinter.onError();
        ProgressLine.follow(node.models(), progress);
        // A parent that ends sends a signal and closes the pipe; whichever comes first counts.
        AtomicBoolean stopping = new AtomicBoolean();
        Signals.endInOrder(() -> {
            progress.end();
            stop(node, shutdownTimeout, stopping);
        });
        if (supervised) {
            Signals.leaveTerminalToParent(progress::end);
            endWithStandardInput(() -> stop(node, Duration.ZERO, stopping));
        }
        node.awaitTermination();
        return 0;
    }

    private InferenceNode start() {
        try {
            return InferenceNode.start(configuration());
        } catch (IllegalArgumentException | StoreException unusable) {
            throw new Failure(String.valueOf(unusable.getMessage()), 2);
        } catch (LlamaException problem) {
            throw new Failure(String.valueOf(problem.getMessage()), 1);
        } catch (IOException problem) {
            // gRPC says what the system said in the cause.
            if (problem instanceof BindException || problem.getCause() instanceof BindException) {
                throw new Failure(
                        listen.getHostString() + " port " + listen.getPort()
                                + " is taken: name another with --listen, or end what listens there.",
                        supervised ? 1 : 2); // who chose it for a child tries it again
            }
            throw new Failure(String.valueOf(problem.getMessage()), 1);
        }
    }

    private NodeConfiguration configuration() {
        ChasquiHome home = ChasquiHome.of(System.getenv());
        Path catalogue = home.catalogue();
        return new NodeConfiguration(
                listen,
                new NodeAccess(link.token(), tls()),
                options.modelsPath == null ? home.models() : options.modelsPath,
                home.cache(),
                ChasquiHome.preparedLibraries(System.getenv()),
                options.backend(),
                Files.exists(catalogue) ? catalogue : null,
                options.settings());
    }

    private NodeAccess.@Nullable Tls tls() {
        if (link.certificate == null && link.key == null && link.authority == null) {
            return null;
        }
        if (link.certificate == null || link.key == null) {
            throw new Failure("--tls-certificate, --tls-key: not both given (expected: both, or no option for TLS)", 2);
        }
        return new NodeAccess.Tls(link.certificate, link.key, link.authority);
    }

    private static void stop(InferenceNode node, Duration patience, AtomicBoolean stopping) {
        if (stopping.compareAndSet(false, true)) {
            node.shutdown(patience);
        }
    }

    /** Whoever started this process holds the other end; when he is gone, however it came, nobody needs this node. */
    private static void endWithStandardInput(Runnable stop) {
        Thread watch = new Thread(
                () -> {
                    try {
                        System.in.transferTo(OutputStream.nullOutputStream());
                    } catch (IOException gone) {
                        // As good as its end.
                    }
                    stop.run();
                },
                "parent watch");
        watch.setDaemon(true);
        watch.start();
    }
}
